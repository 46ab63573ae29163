// What torch.save() wrote, in both of its forms.

#include <filesystem>
#include <nlohmann/json.hpp>

#include "io/open_error.h"
#include "io/torch_files.h"

namespace gptj::test {
namespace {

namespace fs = std::filesystem;

/// A directory in which only pytorch_model.bin changes.
class Torch : public testing::TestWithParam<bool> {
 protected:
  Torch() {
    dir.file("config.json", huggingface_config("gptj", shape).dump());
    write_tokenizer(dir, shape.n_vocab);
  }

  bool old() const { return GetParam(); }

  std::string write(const TorchFile& file) const {
    dir.file("pytorch_model.bin", old() ? file.old() : file.zip());
    return dir.path();
  }

  /// With that value for tensor "x", and a storage "0" of 16 bytes.
  std::string write_value(const std::string& value) const {
    const std::string pickle = pickled::whole(pickled::dict({{pickled::text("x"), value}}));
    const TorchData storage{"0", std::string(16, 'x'), 4};
    const std::vector<ZipPart> parts = {{"a/data.pkl", pickle}, {"a/data/0", storage.data}};
    return dir.file("pytorch_model.bin", old() ? old_torch_bytes(pickle, {storage}) : zip_bytes(parts).bytes);
  }

  void expect_value_error(const std::string& value, std::vector<std::string> words) const {
    words.push_back("'x'");
    expect_open_error(write_value(value), words);
  }

  TemporaryDirectory dir;
  ModelShape shape;
};

std::string data_of(const FileTensor& tensor) {
  std::string data(tensor.bytes, '\0');
  tensor.file->read_at(tensor.offset, data.data(), data.size());
  return data;
}

TorchView view(std::vector<int64_t> shape, std::vector<int64_t> strides, int64_t first = 0) {
  return {"x", "Float", "0", 4, first, std::move(shape), std::move(strides)};
}

TEST_P(Torch, ReadsEveryType) {
  for (const DType dtype : {DType::f32, DType::f16, DType::bf16}) {
    const std::vector<SafeTensor> tensors = huggingface_gptj(shape, dtype);
    const ModelFile model = open_model_file(write(torch_file(tensors)));
    EXPECT_EQ(model.format, "torch");
    EXPECT_EQ(model.naming, Naming::huggingface);
    expect_consistent(model);
    ASSERT_EQ(model.tensors.size(), tensors.size());
    for (size_t i = 0; i < tensors.size(); ++i) {
      EXPECT_EQ(model.tensors[i].name, tensors[i].name);
      EXPECT_EQ(model.tensors[i].dtype, dtype);
      EXPECT_EQ(model.tensors[i].shape, tensors[i].shape);
      EXPECT_TRUE(model.tensors[i].strides.empty());
      EXPECT_EQ(data_of(model.tensors[i]), tensors[i].data);
    }
  }
}

TEST_P(Torch, KeepsTheNamesOfTensorsItDoesNotRead) {
  const ModelFile model = open_model_file(write(torch_file({{"mask", "BOOL", {1, 1, 2, 2}, "1011"},
                                                            {"w", "F32", {2, 1}, "12345678"},
                                                            {"scalar", "F32", {}, "1234"},
                                                            {"bytes", "U8", {3}, "123"}})));
  ASSERT_EQ(model.tensors.size(), 2U);
  EXPECT_EQ(model.tensors[0].name, "w");
  EXPECT_EQ(model.tensors[1].shape, std::vector<int64_t>{});
  EXPECT_EQ(data_of(model.tensors[1]), "1234");
  ASSERT_EQ(model.unread.size(), 2U);
  EXPECT_EQ(model.unread[0].type, "torch.bool");
  EXPECT_EQ(model.unread[1].type, "torch.uint8");
}

TEST_P(Torch, ViewsShareAStorage) {
  struct Case {
    std::vector<int64_t> shape, strides;
    int64_t first;
    bool is_contiguous;
    uint64_t numbers;  // from the first to the last
  };
  const Case cases[] = {
      {{3, 4}, {4, 1}, 0, true, 12},       {{4, 3}, {1, 4}, 0, false, 12}, {{2, 2}, {4, 1}, 5, false, 6},
      {{1, 4}, {99, 1}, 8, true, 4},       {{4, 1}, {1, 7}, 0, true, 4},   {{3}, {4}, 3, false, 9},
      {{5, 4}, {0, 1}, 4, false, 4},       {{7}, {0}, 11, false, 1},       {{2, 6}, {6, 1}, 0, true, 12},
      {{1, 1}, {0, 0}, 11, true, 1},       {{9, 4}, {1, 1}, 0, false, 12}, {{}, {}, 11, true, 1},
      {{2, 3, 2}, {6, 2, 1}, 0, true, 12},
  };
  TorchFile file;
  file.storages = {{"0", random_values(DType::f32, 12, 1), 4}};
  for (const Case& c : cases) {
    file.tensors.push_back(
        {std::to_string(file.tensors.size()), "Float", "0", 12, c.first, c.shape, c.strides});
  }
  const ModelFile model = open_model_file(write(file));
  expect_consistent(model);
  ASSERT_EQ(model.tensors.size(), std::size(cases));
  const uint64_t begin = model.tensors[0].offset;
  EXPECT_EQ(data_of(model.tensors[0]), file.storages[0].data);
  for (size_t i = 0; i < std::size(cases); ++i) {
    SCOPED_TRACE(i);
    const FileTensor& tensor = model.tensors[i];
    EXPECT_EQ(tensor.shape, cases[i].shape);
    EXPECT_EQ(tensor.strides, cases[i].is_contiguous ? std::vector<int64_t>{} : cases[i].strides);
    EXPECT_EQ(tensor.offset, begin + 4 * static_cast<uint64_t>(cases[i].first));
    EXPECT_EQ(tensor.bytes, 4 * cases[i].numbers);
  }
}

TEST_P(Torch, OtherWaysToMakeATensor) {
  using namespace pickled;
  const TorchView x = view({2, 2}, {2, 1});
  const std::string storage = x.storage(old());
  const std::string place = integer(0) + numbers(x.shape) + numbers(x.strides);
  const std::string untyped =
      persistent(tuple({text("storage"), global("torch.storage", "UntypedStorage"), text("0"), text("cuda:0"),
                        old() ? integer(4) : integer(16)}));
  const std::string rest = "\x89" + ordered_dict({});
  const std::vector<std::string> values = {
      call(global("torch._utils", "_rebuild_tensor"), "(" + storage + place + "t"),
      call(global("torch._utils", "_rebuild_tensor_v2"), "(" + storage + place + rest + "Nt"),
      call(global("torch._utils", "_rebuild_tensor_v2"), "(" + storage + place + rest + "}t"),
      call(global("torch._utils", "_rebuild_parameter"), tuple({x.pickle(old()), "\x88", ordered_dict({})})),
  };
  for (const std::string& value : values) {
    const ModelFile model = open_model_file(write_value(value));
    ASSERT_EQ(model.tensors.size(), 1U);
    EXPECT_EQ(model.tensors[0].shape, x.shape);
    EXPECT_EQ(data_of(model.tensors[0]), std::string(16, 'x'));
  }
  if (old()) return;  // it never had untyped storages
  const std::string v3 = global("torch._utils", "_rebuild_tensor_v3");
  EXPECT_EQ(
      open_model_file(write_value(call(v3, "(" + untyped + place + rest + global("torch", "float32") + "t")))
          .tensors.at(0)
          .dtype,
      DType::f32);
  expect_value_error(call(v3, "(" + untyped + place + rest + "Nt"), {"type", "None"});
  expect_value_error(call(v3, "(" + untyped + place + rest + global("torch", "float64") + "t"),
                     {"inside the 2 of its storage"});
  expect_value_error(call(global("torch._utils", "_rebuild_tensor_v2"), "(" + untyped + place + rest + "t"),
                     {"storage", "with a type"});
}

TEST_P(Torch, PlacesThatLie) {
  constexpr int64_t kMax = int64_t{1} << 60;
  const TorchView outside[] = {
      view({5}, {1}),       view({4}, {1}, 1),          view({2, 2}, {3, 1}),
      view({2, 2}, {2, 2}), view({1}, {1}, 4),          view({}, {}, 4),
      view({2}, {kMax}),    view({kMax}, {1}),          view({kMax, kMax}, {1, 1}),
      view({1}, {1}, kMax), view({kMax, 2}, {kMax, 1}), view({2, kMax}, {0, kMax}),
  };
  for (const TorchView& lie : outside) expect_value_error(lie.pickle(old()), {"inside the 4 of its storage"});
  for (const int64_t lie : {int64_t{-1}, kMax + 1, INT64_MAX, INT64_MIN}) {
    const std::string shown = std::to_string(lie);
    expect_value_error(view({lie}, {1}).pickle(old()), {"shape", shown});
    expect_value_error(view({4}, {lie}).pickle(old()), {"strides", shown});
    expect_value_error(view({4}, {1}, lie).pickle(old()), {"storage offset", shown});
    TorchView x = view({4}, {1});
    x.storage_values = lie;
    expect_value_error(x.pickle(old()), {"values of its storage", shown});
  }
  expect_value_error(view({0}, {1}).pickle(old()), {"shape", "above 0"});
  expect_value_error(view({2, 2}, {1}).pickle(old()), {"strides", "as many as dimensions"});
  expect_value_error(view({4}, {}).pickle(old()), {"strides", "as many as dimensions"});
  expect_value_error(view(std::vector<int64_t>(9, 1), std::vector<int64_t>(9, 1)).pickle(old()),
                     {"shape", "at most 8"});
}

TEST_P(Torch, RepetitionMakesNoLargeModelOfASmallFile) {
  expect_value_error(view({1 << 20, 1 << 20}, {0, 0}).pickle(old()), {"16 times"});
  expect_value_error(view({int64_t{1} << 60, 16}, {0, 0}).pickle(old()), {"16 times"});
  TorchFile file;
  file.storages = {{"0", std::string(1 << 16, 'x'), 4}};
  for (int i = 0; i < 40; ++i) {
    file.tensors.push_back({std::to_string(i), "Float", "0", 1 << 14, 0, {1 << 14}, {1}});
  }
  expect_open_error(write(file), {"16 times", "tensor"});
  file.tensors.resize(10);
  EXPECT_EQ(open_error(write(file)), "");
}

TEST_P(Torch, StoragesThatLie) {
  for (const int64_t values : {0, 3, 5, 1 << 30}) {
    TorchView x = view({1}, {1});
    x.storage_values = values;
    const auto shown = static_cast<uint64_t>(values) * (old() || values == 0 ? 1 : 4);  // numbers or bytes
    expect_open_error(write_value(x.pickle(old())), {"storage", std::to_string(shown)});
  }
  TorchView x = view({4}, {1});
  x.key = "1";
  expect_open_error(write_value(x.pickle(old())), {"storage"});
  for (const std::string key : {"", "../data/0", "/etc/passwd", "0\x1b"}) {
    x.key = key;
    expect_open_error(write_value(x.pickle(old())), {"storage"});
  }
  x = view({1}, {1});
  x.type = "Half";  // as if its 16 bytes were 8 numbers
  x.storage_values = 8;
  EXPECT_EQ(open_error(write_value(x.pickle(old()))) == "", !old());  // old files count numbers, not bytes
}

TEST_P(Torch, ValuesThatAreNoTensors) {
  using namespace pickled;
  const std::string v2 = global("torch._utils", "_rebuild_tensor_v2");
  const TorchView x = view({4}, {1});
  const std::string storage = x.storage(old());
  const auto with = [&](const std::string& first, const std::string& sizes, const std::string& steps) {
    return call(v2, "(" + storage + first + sizes + steps + "\x89)t");
  };
  expect_value_error("N", {"a tensor", "None"});
  expect_value_error(integer(7), {"a tensor", "an integer"});
  expect_value_error(ordered_dict({}), {"a tensor", "a dict"});
  expect_value_error(v2, {"a tensor", "_rebuild_tensor_v2"});
  expect_value_error(call(global("torch", "FloatStorage"), ")"), {"a tensor"});
  expect_value_error(call(v2, ")"), {"arguments", "expected 6, found 0"});
  expect_value_error(call(v2, "(NNNNNNNNt"), {"arguments", "found 8"});
  expect_value_error(call(v2, "(NNNNNNt"), {"storage", "None"});
  const std::string neg = dict({{text("neg"), "\x88"}});
  expect_value_error(call(v2, "(" + storage + integer(0) + numbers({4}) + numbers({1}) + "\x89)" + neg + "t"),
                     {"metadata"});
  expect_value_error(with("N", numbers({4}), numbers({1})), {"storage offset", "None"});
  expect_value_error(with(integer(0), "]", numbers({1})), {"shape", "a list"});
  expect_value_error(with(integer(0), numbers({4}), "N"), {"strides", "None"});
  expect_value_error(with(integer(0), "N\x85", numbers({1})), {"shape", "None"});
  const std::string parameter = global("torch._utils", "_rebuild_parameter");
  expect_value_error(call(parameter, ")"), {"parameter", "at least 1"});
  expect_value_error(call(parameter, "(N\x88Nt"), {"a tensor", "None"});
  expect_value_error(call(parameter, "(" + call(parameter, "(" + x.pickle(old()) + "t") + "t"), {"a tensor"});
  for (const std::string& id :
       {std::string("N"), std::string(")"), tuple({text("module")}), tuple({text("storage")}),
        tuple({text("storage"), "N", text("0"), text("cpu"), integer(4)}),
        tuple({text("storage"), v2, text("0"), text("cpu"), integer(4)}),
        tuple({text("storage"), global("torch", "FloatStorage"), "N", text("cpu"), integer(4)}),
        tuple({text("storage"), global("torch", "FloatStorage"), text("0"), text("cpu"), "N"}),
        tuple({text("storage"), global("torch", "FloatStorage"), text("0"), text("cpu")})}) {
    expect_value_error(call(v2, "(" + persistent(id) + integer(0) + numbers({4}) + numbers({1}) + "\x89)t"),
                       {"storage"});
  }
}

TEST_P(Torch, RootsThatAreNoStateDict) {
  using namespace pickled;
  const auto expect_pickle_error = [&](const std::string& value, const std::vector<std::string>& words) {
    const std::string pickle = whole(value);
    const std::string bytes = old() ? old_torch_bytes(pickle, {}) : zip_bytes({{"a/data.pkl", pickle}}).bytes;
    expect_open_error(dir.file("pytorch_model.bin", bytes), words);
  };
  expect_pickle_error("N", {"state_dict", "None"});
  expect_pickle_error(list({}), {"state_dict", "a list"});
  expect_pickle_error(dict({{integer(1), "N"}}), {"names of tensors", "an integer"});
  expect_pickle_error(dict({{text("state_dict"), ordered_dict({})}}), {"'state_dict'", "a tensor", "a dict"});
  expect_pickle_error(global("os", "system") + text("echo pwned") + "\x85R",
                      {"'os.system'", "not looked up"});
  expect_pickle_error(global("torch", "load") + text("x") + "\x85R", {"'torch.load'"});
}

TEST_P(Torch, TwoTensorsOfOneName) {
  TorchFile file = torch_file({{"w", "F32", {1}, "1234"}, {"w", "F32", {1}, "1234"}});
  expect_open_error(write(file), {"'w'", "twice"});
}

TEST_P(Torch, AFileStandsForItsDirectory) {
  write(torch_file(huggingface_gptj(shape, DType::f16)));
  EXPECT_EQ(open_model_file(dir / "pytorch_model.bin").tensors.size(), 5U + 2 * 10);
  fs::rename(dir / "pytorch_model.bin", dir / "other.bin");
  EXPECT_EQ(open_model_file(dir / "other.bin").tensors.size(), 5U + 2 * 10);
  EXPECT_EQ(open_vocab(dir / "other.bin").tokens.size(), 257U);
  expect_open_error(dir.path(), {"pytorch_model.bin", "other.bin"});
  fs::remove(dir / "config.json");
  expect_open_error(dir / "other.bin", {"config.json"});
}

INSTANTIATE_TEST_SUITE_P(, Torch, testing::Bool(),
                         [](const auto& test) { return std::string(test.param ? "Old" : "Zip"); });

// What torch before 0.4 wrote for a view of a storage: which numbers of it, under a key of their own.
TEST(OldTorch, ViewsOfStorages) {
  using namespace pickled;
  const TemporaryDirectory dir;
  dir.file("config.json", "{}");
  write_tokenizer(dir, 257);
  const auto write = [&](const std::string& view) {
    const std::string id = tuple(
        {text("storage"), global("torch", "FloatStorage"), text("7"), text("cuda:0"), integer(4), view});
    const std::string tensor = call(global("torch._utils", "_rebuild_tensor"),
                                    "(" + persistent(id) + integer(1) + numbers({2}) + numbers({1}) + "t");
    const std::string pickle =
        whole(call(global("collections", "OrderedDict"), list({list({text("x"), tensor})}) + "\x85"));
    return dir.file("pytorch_model.bin", old_torch_bytes(pickle, {{"7", "0000111122223333", 4}}));
  };
  EXPECT_EQ(data_of(open_model_file(write("N")).tensors.at(0)), "11112222");
  EXPECT_EQ(data_of(open_model_file(write(tuple({text("8"), integer(1), integer(3)}))).tensors.at(0)),
            "22223333");
  expect_open_error(write(tuple({text("8"), integer(2), integer(2)})),
                    {"'x'", "inside the 4 of its storage"});
  expect_open_error(write(tuple({text("8"), integer(-1), integer(2)})), {"'x'", "view", "-1"});
  expect_open_error(write(tuple({text("8"), "N", integer(2)})), {"'x'", "view", "None"});
  expect_open_error(write(tuple({text("8")})), {"'x'", "view"});
  expect_open_error(write(integer(3)), {"'x'", "view"});
}

}  // namespace
}  // namespace gptj::test
