// Matrices that are larger than one piece of reading, and what loading tells and takes.

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/failure.h"
#include "io/model_files.h"
#include "model/loaded_model.h"
#include "tensor/pack.h"

namespace gptj {
namespace {

using namespace test;

constexpr TensorName kName{"w", "w", "w"};

/// A file that holds a single matrix, of more than 2 MB: the loader reads one at a time.
struct OneMatrix {
  OneMatrix(const TemporaryDirectory& directory, DType type, int64_t n_rows, int64_t width)
      : dtype(type), data(random_values(type, n_rows * width, 1)) {
    file.path = directory.file("w.bin", data);
    file.files.push_back(std::make_unique<InputFile>(file.path));
    file.tensors.push_back({"w", dtype, {n_rows, width}, file.files.front().get(), 0, data.size()});
  }

  const uint8_t* bytes() const { return reinterpret_cast<const uint8_t*>(data.data()); }

  DType dtype;
  std::string data;
  ModelFile file;
};

std::vector<uint8_t> bytes_of(const Matrix& matrix) {
  return {matrix.data, matrix.data + matrix.bytes()};
}

TEST(Loader, LargeMatricesArriveWhole) {
  const TemporaryDirectory dir;
  for (const auto& [dtype, rows, n] : {std::tuple{DType::f32, 1101, 500}, std::tuple{DType::bf16, 2000, 901},
                                       std::tuple{DType::q5_1, 2001, 2048}}) {
    const OneMatrix one(dir, dtype, rows, n);
    ASSERT_GT(one.data.size(), 2U << 20);
    const size_t stride = row_bytes(dtype, n), panel = panel_bytes(dtype, n);
    std::vector<uint8_t> expected(panel * static_cast<size_t>((rows + 15) / 16));
    for (int first = 0; first < rows; first += kPanelRows) {
      const uint8_t* from[kPanelRows] = {};
      for (int r = 0; r < std::min(kPanelRows, rows - first); ++r) {
        from[r] = one.bytes() + static_cast<size_t>(first + r) * stride;
      }
      pack_panel(dtype, from, n, &expected[static_cast<size_t>(first / kPanelRows) * panel]);
    }
    for (const int n_threads : {1, 2, 5}) {
      Matrix matrix;
      Binder binder(one.file);
      binder.matrix(matrix, kName, rows, n);
      ThreadPool pool(n_threads);
      const auto memory = load_weights(binder, pool, {});
      EXPECT_EQ(bytes_of(matrix), expected) << info(dtype).name << ", " << n_threads << " threads";
    }
  }
}

/// The panels of [rows, n], where `at(row, k)` says which of the file's values is value k of a row.
template <typename At>
std::vector<uint8_t> gathered(const OneMatrix& one, int rows, int64_t n, const At& at) {
  const size_t size = info(one.dtype).block_bytes, panel = panel_bytes(one.dtype, n);
  std::vector<uint8_t> out(panel * static_cast<size_t>((rows + 15) / 16));
  for (int first = 0; first < rows; first += kPanelRows) {
    std::vector<uint8_t> values;
    const uint8_t* from[kPanelRows] = {};
    const int count = std::min(kPanelRows, rows - first);
    for (int r = 0; r < count; ++r) {
      for (int64_t k = 0; k < n; ++k) {
        const uint8_t* value = one.bytes() + static_cast<size_t>(at(first + r, k)) * size;
        values.insert(values.end(), value, value + size);
      }
    }
    for (int r = 0; r < count; ++r) from[r] = &values[static_cast<size_t>(r * n) * size];
    pack_panel(one.dtype, from, n, &out[static_cast<size_t>(first / kPanelRows) * panel]);
  }
  return out;
}

TEST(Loader, LargeTransposedMatricesArriveWhole) {
  const TemporaryDirectory dir;
  for (const auto& [dtype, rows, n] : {std::tuple{DType::f32, 501, 1101}, std::tuple{DType::f16, 901, 2000},
                                       std::tuple{DType::bf16, 901, 2001}}) {
    const OneMatrix one(dir, dtype, n, rows);
    const std::vector<uint8_t> expected =
        gathered(one, rows, n, [width = rows](int row, int64_t k) { return k * width + row; });
    for (const int n_threads : {1, 2, 5}) {
      Matrix matrix;
      Binder binder(one.file);
      binder.conv1d(matrix, kName, rows, n);
      ThreadPool pool(n_threads);
      const auto memory = load_weights(binder, pool, {});
      EXPECT_EQ(bytes_of(matrix), expected) << info(dtype).name << ", " << n_threads << " threads";
    }
  }
}

/// Loads the file's values as [rows, n] that lie so far apart.
void expect_strided(OneMatrix& one, int rows, int64_t n, int64_t row_step, int64_t value_step) {
  FileTensor& tensor = one.file.tensors.front();
  tensor.shape = {rows, n};
  tensor.strides = {row_step, value_step};
  Matrix matrix;
  Binder binder(one.file);
  binder.matrix(matrix, kName, rows, n);
  ThreadPool pool(1);
  const auto memory = load_weights(binder, pool, {});
  EXPECT_EQ(bytes_of(matrix),
            gathered(one, rows, n, [&](int row, int64_t k) { return row * row_step + k * value_step; }))
      << row_step << ", " << value_step;
}

TEST(Loader, StridesSayWhereValuesLie) {
  const TemporaryDirectory dir;
  constexpr int kRows = 37;
  constexpr int64_t kN = 23;
  for (const auto& [row_step, value_step] : {std::pair<int64_t, int64_t>{kN, 1},
                                             {40, 1},
                                             {1, kRows},
                                             {1, 50},
                                             {60, 2},
                                             {0, 1},
                                             {3, 111},
                                             {7, 0}}) {
    OneMatrix one(dir, DType::f16, 80, 60);
    expect_strided(one, kRows, kN, row_step, value_step);
  }
}

// More lies between the values of a row than is read at once.
TEST(Loader, StridesMayBeWide) {
  const TemporaryDirectory dir;
  constexpr int kRows = 3;
  constexpr int64_t kN = 5, kStep = 200'001;
  OneMatrix one(dir, DType::f16, 1, 2 * (kRows - 1) + kStep * (kN - 1) + 1);
  expect_strided(one, kRows, kN, 2, kStep);
}

TEST(Loader, ProgressGrowsToTheTotal) {
  const TemporaryDirectory dir;
  const OneMatrix one(dir, DType::f32, 3001, 500);
  Matrix matrix;
  Binder binder(one.file);
  binder.matrix(matrix, kName, 3001, 500);
  ThreadPool pool(1);
  uint64_t last = 0, calls = 0;
  const auto progress = [&](uint64_t done, uint64_t total) {
    EXPECT_GT(done, last);
    EXPECT_EQ(total, static_cast<uint64_t>(matrix.bytes()));
    last = done;
    ++calls;
    return true;
  };
  const auto memory = load_weights(binder, pool, {.progress = progress});
  EXPECT_EQ(last, static_cast<uint64_t>(matrix.bytes()));
  EXPECT_GE(calls, 2U);
}

TEST(Loader, MayBeStopped) {
  const TemporaryDirectory dir;
  const OneMatrix one(dir, DType::f32, 3001, 500);
  Matrix matrix;
  Binder binder(one.file);
  binder.matrix(matrix, kName, 3001, 500);
  ThreadPool pool(1);
  int calls = 0;
  const auto stop = [&](uint64_t, uint64_t) { return ++calls == 0; };
  expect_error([&] { load_weights(binder, pool, {.progress = stop}); },
               {one.file.path, "loading was stopped"});
  EXPECT_EQ(calls, 1);
}

TEST(Loader, AFileThatShrinksIsAnError) {
  const TemporaryDirectory dir;
  const OneMatrix one(dir, DType::f32, 3001, 500);
  std::filesystem::resize_file(one.file.path, one.data.size() - 1);
  for (const int n_threads : {1, 3}) {
    Matrix matrix;
    Binder binder(one.file);
    binder.matrix(matrix, kName, 3001, 500);
    ThreadPool pool(n_threads);
    expect_error([&] { load_weights(binder, pool, {}); }, {one.file.path, "truncated", "at offset 6001999"});
  }
}

/// As our own file has it: a matrix in panels and a vector, each where a page begins.
struct InPanels {
  explicit InPanels(const TemporaryDirectory& directory) {
    std::string data(static_cast<size_t>(matrix.bytes()), 'm');
    data.resize(kVectorAt, '\0');
    data.append(reinterpret_cast<const char*>(values), sizeof values);
    file.path = directory.file("panels.bin", data);
    file.files.push_back(std::make_unique<InputFile>(file.path));
    const InputFile* in = file.files.front().get();
    file.tensors.push_back({"w", DType::q8, {40, 512}, in, 0, static_cast<uint64_t>(matrix.bytes()), true});
    file.tensors.push_back({"v", DType::f32, {20}, in, kVectorAt, sizeof values, true});
  }

  Weights load(const LoadOptions& options) {
    Binder binder(file);
    binder.matrix(matrix, {"w", "w", "w"}, 40, 512);
    binder.vector(vector, {"v", "v", "v"}, 20);
    binder.optional_vector(zeros, {"none", "none", "none"}, 20);
    ThreadPool pool(2);
    return load_weights(binder, pool, options);
  }

  static constexpr size_t kVectorAt = 1 << 16;
  float values[32] = {1, 2, 3};
  Matrix matrix = {nullptr, DType::q8, 40, 512};
  Vector vector, zeros;
  ModelFile file;
};

TEST(Loader, WhatLiesAsInMemoryIsUsedInPlace) {
  const TemporaryDirectory dir;
  for (const auto& [map, prefetch] : {std::pair{true, false}, {true, true}, {false, false}}) {
    InPanels model(dir);
    uint64_t last = 0, end = 0;
    const auto progress = [&](uint64_t done, uint64_t total) {
      last = done;
      end = total;
      return true;
    };
    const Weights weights = model.load({.progress = progress, .map = map, .prefetch = prefetch});
    EXPECT_EQ(bytes_of(model.matrix), std::vector<uint8_t>(static_cast<size_t>(model.matrix.bytes()), 'm'));
    EXPECT_EQ(model.vector.data[2], 3);
    EXPECT_EQ(model.vector.data[31], 0);
    EXPECT_EQ(model.zeros.data[0], 0);
    EXPECT_EQ(weights.mappings.size(), map ? 1U : 0U);
    EXPECT_EQ(weights.mapped_bytes,
              map ? static_cast<uint64_t>(model.matrix.bytes()) + sizeof model.values : 0);
    EXPECT_EQ(weights.arena->used() < static_cast<size_t>(model.matrix.bytes()), map);
    EXPECT_LE(last, end);
    if (prefetch) {
      EXPECT_EQ(end, model.file.files.front()->size());
    }
  }
}

TEST(Loader, AMappedFileThatChangedIsAnError) {
  const TemporaryDirectory dir;
  InPanels model(dir);
  std::filesystem::resize_file(model.file.path, 100);
  expect_error([&] { model.load({}); }, {model.file.path, "expected 65664 bytes, found 100"});
}

TEST(Loader, TakesTheMemoryThatItSaid) {
  const TemporaryDirectory dir;
  const ModelShape shape = {.n_vocab = 300, .n_ctx = 8, .n_embd = 24, .n_head = 2, .n_layer = 2, .n_rot = 4};
  for (const DType dtype : {DType::f32, DType::f16, DType::bf16}) {
    write_huggingface_gpt2(dir, shape, dtype);
    LoadedModel model(dir.path());
    EXPECT_EQ(model.bytes_taken(), model.weight_bytes()) << info(dtype).name;
  }
}

TEST(Loader, TiedWeightsAreHeldOnce) {
  const TemporaryDirectory dir;
  const ModelShape shape = {.n_vocab = 4096, .n_ctx = 8, .n_embd = 32, .n_head = 2, .n_layer = 1, .n_rot = 4};
  std::vector<SafeTensor> tensors = huggingface_gpt2(shape, DType::f32);
  write_huggingface_gpt2(dir, shape, DType::f32);
  const uint64_t tied = LoadedModel(dir.path()).weight_bytes();
  tensors.push_back({"lm_head.weight", "F32", {4096, 32}, random_values(DType::f32, 4096 * 32, 99)});
  dir.file("model.safetensors", safetensors_bytes(tensors));
  EXPECT_EQ(LoadedModel(dir.path()).weight_bytes(), tied + 4096 * 32 * 4);
}

TEST(Loader, AModelThatDoesNotFitSaysSoAtOnce) {
  const TemporaryDirectory dir;
  const ModelShape shape = {
      .n_vocab = 257, .n_ctx = 8, .n_embd = 1024, .n_head = 2, .n_layer = 1, .n_rot = 4};
  ModelShape narrow = shape;
  narrow.n_embd = 32;
  std::vector<SafeTensor> tensors = huggingface_gptj(narrow, DType::f32);
  constexpr int64_t kInner = 1 << 26;  // matrices of 256 GB each, as holes in the file
  nlohmann::json header;
  uint64_t end = 0;
  for (SafeTensor& tensor : tensors) {
    for (int64_t& n : tensor.shape) n = n == 32 ? 1024 : n == 128 ? kInner : n;
    uint64_t bytes = 4;
    for (const int64_t n : tensor.shape) bytes *= static_cast<uint64_t>(n);
    header[tensor.name] = {{"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {end, end + bytes}}};
    end += bytes;
  }
  nlohmann::json config = huggingface_config("gptj", shape);
  config["n_inner"] = kInner;
  dir.file("config.json", config.dump());
  write_tokenizer(dir, shape.n_vocab);
  const std::string text = header.dump();
  const std::string path = dir.file("model.safetensors", safetensors_bytes(text, ""));
  std::error_code cannot;
  std::filesystem::resize_file(path, 8 + text.size() + end, cannot);
  if (cannot) GTEST_SKIP() << "no files with holes here: " << cannot.message();
  expect_error([&] { LoadedModel model(dir.path()); }, {"not enough memory", dir.path(), "MB"});
}

}  // namespace
}  // namespace gptj
