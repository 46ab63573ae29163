#include "io/safetensors.h"

#include <nlohmann/json.hpp>
#include <random>

#include "io/model_files.h"
#include "io/open_error.h"

namespace gptj::test {
namespace {

/// A directory in which only model.safetensors changes.
class Safetensors : public testing::Test {
 protected:
  Safetensors() {
    dir.file("config.json", huggingface_config("gptj", shape).dump());
    write_tokenizer(dir, shape.n_vocab);
  }

  std::string write(const std::string& header, const std::string& data) {
    dir.file("model.safetensors", safetensors_bytes(header, data));
    return dir.path();
  }

  std::string write(const std::vector<SafeTensor>& tensors) {
    dir.file("model.safetensors", safetensors_bytes(tensors));
    return dir.path();
  }

  // One tensor of 16 bytes of data, described by `entry`.
  void expect_entry_error(const std::string& entry, const std::vector<std::string>& words) {
    SCOPED_TRACE(entry);
    expect_open_error(write(R"({"x":)" + entry + "}", std::string(16, 'x')), words);
  }

  TemporaryDirectory dir;
  ModelShape shape;
};

TEST_F(Safetensors, ReadsEveryType) {
  for (const DType dtype : {DType::f32, DType::f16, DType::bf16}) {
    const std::vector<SafeTensor> tensors = huggingface_gptj(shape, dtype);
    const ModelFile model = open_model_file(write(tensors));
    EXPECT_EQ(model.format, "safetensors");
    EXPECT_EQ(model.naming, Naming::huggingface);
    expect_consistent(model);
    ASSERT_EQ(model.tensors.size(), tensors.size());
    for (size_t i = 0; i < tensors.size(); ++i) {  // in the order of the data, not of the names
      EXPECT_EQ(model.tensors[i].name, tensors[i].name);
      EXPECT_EQ(model.tensors[i].dtype, dtype);
      EXPECT_EQ(model.tensors[i].shape, tensors[i].shape);
      std::string data(model.tensors[i].bytes, '\0');
      model.tensors[i].file->read_at(model.tensors[i].offset, data.data(), data.size());
      EXPECT_EQ(data, tensors[i].data);
    }
  }
}

TEST_F(Safetensors, KeepsTheNamesOfTensorsItDoesNotRead) {
  const ModelFile model = open_model_file(write({{"mask", "BOOL", {1, 1, 2, 2}, "1011"},
                                                 {"w", "F32", {2, 1}, "12345678"},
                                                 {"scalar", "F32", {}, "1234"},
                                                 {"step", "I64", {}, "12345678"}}));
  ASSERT_EQ(model.tensors.size(), 2U);
  EXPECT_EQ(model.tensors[0].name, "w");
  EXPECT_EQ(model.tensors[1].shape, std::vector<int64_t>{});
  ASSERT_EQ(model.unread.size(), 2U);
  EXPECT_EQ(model.unread[0].name, "mask");
  EXPECT_EQ(model.unread[1].type, "I64");
}

TEST_F(Safetensors, DataMayBeginAnywhere) {
  const std::string entry = R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  for (size_t padding = 0; padding < 8; ++padding) {
    const std::string header = entry + std::string(padding, ' ');
    const ModelFile model = open_model_file(write(header, "12345678"));
    EXPECT_EQ(model.tensors.at(0).offset, 8 + header.size());
  }
}

TEST_F(Safetensors, EntriesThatLie) {
  const std::string ok = R"("dtype":"F32","data_offsets":[0,16])";
  const std::string typed = R"({"dtype":"F32","shape":[4],)";
  expect_entry_error("17", {"'x'", "entry", "17"});
  expect_entry_error("{}", {"'x'", "dtype"});
  expect_entry_error("{" + ok + "}", {"'x'", "shape"});
  expect_entry_error(R"({"dtype":"F32","shape":[4]})", {"'x'", "data_offsets"});
  expect_entry_error(R"({"dtype":"F99","shape":[4],"data_offsets":[0,16]})", {"'x'", "dtype", "F99", "BF16"});
  expect_entry_error(R"({"dtype":7,"shape":[4],"data_offsets":[0,16]})", {"'x'", "dtype", "7"});
  for (const std::string shape_lie : {"[3]", "[5]", "[4,2]", "[2,3]", "[]", "[4611686018427387908]",
                                      "[4294967296,4294967297]", "[18446744073709551615]"}) {
    expect_entry_error("{" + ok + R"(,"shape":)" + shape_lie + "}", {"'x'", "shape", shape_lie, "16 bytes"});
  }
  for (const std::string shape_lie :
       {"[-4]", "[4.0]", "[0]", R"(["4"])", "[null]", "[[4]]", "[99999999999999999999]"}) {
    expect_entry_error("{" + ok + R"(,"shape":)" + shape_lie + "}", {"'x'", "shape", "above 0"});
  }
  expect_entry_error("{" + ok + R"(,"shape":4})", {"'x'", "shape", "an array"});
  for (const std::string offsets :
       {"[0]", "[0,16,16]", "[16,0]", "[0,17]", "[-1,15]", "[0.0,16.0]", "16", R"(["0","16"])",
        "[0,18446744073709551615]", "[8,99999999999999999999]"}) {
    expect_entry_error(typed + R"("data_offsets":)" + offsets + "}", {"'x'", "data_offsets", "16 bytes"});
  }
}

TEST_F(Safetensors, HolesAndOverlaps) {
  const auto two = [&](size_t begin, size_t end, size_t data) {
    const nlohmann::json header = {
        {"a", {{"dtype", "F16"}, {"shape", {4}}, {"data_offsets", {0, 8}}}},
        {"b", {{"dtype", "F16"}, {"shape", {(end - begin) / 2}}, {"data_offsets", {begin, end}}}}};
    return write(header.dump(), std::string(data, 'x'));
  };
  EXPECT_EQ(open_error(two(8, 16, 16)), "");
  expect_open_error(two(0, 8, 8), {"'b'", "data_offsets", "begin at 8", "found 0"});
  expect_open_error(two(6, 14, 14), {"'b'", "data_offsets", "begin at 8", "found 6"});
  expect_open_error(two(10, 18, 18), {"'b'", "data_offsets", "begin at 8", "found 10"});
  expect_open_error(two(8, 16, 17), {"expected 16 bytes of data", "found 17"});
}

TEST_F(Safetensors, HeadersThatLie) {
  const auto with_length = [&](uint64_t length, const std::string& rest) {
    std::string bytes;
    for (int i = 0; i < 8; ++i) bytes += static_cast<char>(length >> (8 * i));
    dir.file("model.safetensors", bytes + rest);
    return dir.path();
  };
  for (const uint64_t length : {uint64_t{3}, uint64_t{1} << 24, uint64_t{0xffffffff}}) {
    expect_open_error(with_length(length, "{}"), {"header length", std::to_string(length)});
  }
  for (const uint64_t length : {uint64_t{1} << 32, uint64_t{1} << 62, ~uint64_t{0}}) {
    expect_open_error(with_length(length, "{}"), {"expected a safetensors file", "length of a header"});
  }
  expect_open_error(with_length(1, "{}"), {"JSON"});
  expect_open_error(with_length(0, "{}"), {"JSON"});
  expect_open_error(write("[]", ""), {"brace"});
  expect_open_error(write("", ""), {"brace"});
  for (const std::string mistake : {"{", "{\"a\"}", "{\"\xff\":1}", "{\"a\":1e999}", "{}{}"}) {
    expect_open_error(write(mistake, ""), {"JSON"});
  }
  expect_open_error(write("{\"a\":" + std::string(5000, '['), ""), {"nested"});
  const std::string a = R"("a":{"dtype":"F16","shape":[4],"data_offsets":[0,8]})";
  expect_open_error(write("{" + a + "," + a + "}", "12345678"), {"'a'", "twice"});
  expect_open_error(
      write(R"({"a":{"dtype":"F16","dtype":"F32","shape":[4],"data_offsets":[0,8]}})", "12345678"),
      {"'dtype'", "twice"});
}

TEST_F(Safetensors, TruncatedAtEveryByte) {
  const std::string bytes =
      safetensors_bytes({{"a", "F32", {2, 2}, std::string(16, 'a')}, {"b", "U8", {3}, "bbb"}});
  for (size_t size = 0; size < bytes.size(); ++size) {
    SCOPED_TRACE(size);
    dir.file("model.safetensors", std::string_view(bytes).substr(0, size));
    const std::string reason = size < 9 ? "expected a safetensors file" : "truncated";  // 8 bytes and a brace
    expect_open_error(dir.path(), {"model.safetensors", reason});
  }
}

TEST_F(Safetensors, FlippedBits) {
  const std::vector<SafeTensor> tensors = {
      {"a", "F32", {2, 2}, std::string(16, 'a')}, {"b", "BF16", {3}, "bbbbbb"}, {"c", "U8", {1, 1}, "c"}};
  const std::string bytes = safetensors_bytes(tensors);
  std::mt19937 random(7);
  int opened = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string flipped = bytes;
    for (unsigned n = 0; n <= random() % 2; ++n) {
      flipped[random() % bytes.size()] ^= static_cast<char>(1 << random() % 8);
    }
    dir.file("model.safetensors", flipped);
    try {
      expect_consistent(open_model_file(dir.path()));
      ++opened;
    } catch (const Error& error) {
      EXPECT_LT(std::string(error.what()).size(), 600U) << error.what();
    }
  }
  EXPECT_GT(opened, 0);
  EXPECT_LT(opened, 3000);
}

}  // namespace
}  // namespace gptj::test
