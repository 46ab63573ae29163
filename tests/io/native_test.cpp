#include "io/native.h"

#include <cstddef>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>

#include "io/file_start.h"
#include "io/model_files.h"
#include "io/native_writer.h"
#include "io/open_error.h"

namespace gptj::test {
namespace {

using nlohmann::json;

/// Any bytes are a token, and every field of an added one counts.
Vocab some_vocab() {
  Vocab vocab;
  for (int byte = 0; byte < 256; ++byte) vocab.tokens.emplace_back(1, static_cast<char>(byte));
  vocab.tokens.insert(vocab.tokens.end(), {"\xc3\xa9", "\xff\xfe", "<|end|>"});
  vocab.merges = {{0xc3, 0xa9}, {0xff, 0xfe}};
  vocab.added = {{.id = 258, .text = "<|end|>", .rstrip = true, .single_word = true},
                 {.id = 65, .text = "A\xe2\x82\xac", .normalized = true, .lstrip = true}};
  vocab.add_prefix_space = true;
  vocab.eos = 258;
  return vocab;
}

std::string word(uint32_t value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

/// "a", "b", and the merge of both.
std::string three_tokens() {
  return word(3) + word(1) + "a" + word(1) + "b" + word(2) + "ab" + word(1) + word(0) + word(1);
}

const json kConfig = {{"model_type", "gptj"}, {"n_embd", 64}};

/// Merges whose texts are two hundred times as long as their file.
std::string merges_of_a_long_token() {
  std::string bytes = word(2) + word(4000) + std::string(4000, 'a') + word(1) + "b" + word(400);
  for (int i = 0; i < 400; ++i) bytes += word(0) + word(1);
  return bytes;
}

/// A file with a matrix of two panels and a vector.
class Native : public testing::Test {
 protected:
  std::string write() const {
    const std::string path = dir / "model.gptj";
    const Vocab vocab = some_vocab();
    NativeWriter writer(path, {kConfig, vocab, {{"m", DType::q4, {20, 64}}, {"v", DType::f32, {5}}}});
    EXPECT_EQ(writer.file_bytes() % kNativeAlignment, 64U);
    writer.write(1, 0, std::string(64, 'v').data(), 64);
    writer.write(0, 576, std::string(576, '2').data(), 576);
    writer.write(0, 0, std::string(576, '1').data(), 576);
    EXPECT_FALSE(std::filesystem::exists(path));
    writer.finish();
    return path;
  }

  /// The file with another header, vocabulary and data of `data_bytes`; its checksum is right.
  std::string with_header(const std::string& text, const std::string& vocabulary, size_t data_bytes,
                          uint32_t n_tensors = 2) const {
    NativeStart start{};
    kNativeMagic.copy(start.magic, sizeof start.magic);
    start.byte_order = kByteOrder;
    start.version = kNativeVersion;
    start.header_bytes = text.size();
    start.vocab_bytes = vocabulary.size();
    start.n_tensors = n_tensors;
    const std::string rest = text + vocabulary + std::string(n_tensors * sizeof(uint32_t), '\0');
    start.checksum = native_checksum(start, rest);
    std::string bytes = std::string(reinterpret_cast<const char*>(&start), sizeof start) + rest;
    bytes.resize(native_aligned(bytes.size()) + data_bytes);
    return dir.file("lie.gptj", bytes);
  }
  std::string with_header(const std::string& text, size_t data_bytes) const {
    return with_header(text, three_tokens(), data_bytes);
  }

  /// A header that describes two tensors, until a test changes it.
  json header = {{"config", kConfig},
                 {"tokenizer", {{"added", json::array()}, {"add_prefix_space", false}}},
                 {"tensors",
                  {{{"name", "m"}, {"dtype", "q4"}, {"shape", {20, 64}}, {"offset", 0}, {"bytes", 1152}},
                   {{"name", "v"}, {"dtype", "f32"}, {"shape", {5}}, {"offset", 4096}, {"bytes", 64}}}}};
  static constexpr size_t kDataBytes = 4096 + 64;

  void expect_lie(const json::json_pointer& at, const json& value,
                  const std::vector<std::string>& words) const {
    SCOPED_TRACE(at.to_string() + " = " + value.dump());
    json lie = header;
    lie[at] = value;
    expect_open_error(with_header(lie.dump(), kDataBytes), words);
  }

  TemporaryDirectory dir;
};

TEST_F(Native, ReadsWhatIsWritten) {
  const ModelFile model = open_model_file(write());
  EXPECT_EQ(model.format, "gptj");
  EXPECT_EQ(*model.config, kConfig);
  const Vocab vocab = some_vocab();
  EXPECT_EQ(model.vocab.tokens, vocab.tokens);
  EXPECT_EQ(model.vocab.merges, vocab.merges);
  ASSERT_EQ(model.vocab.added.size(), 2U);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(model.vocab.added[i].id, vocab.added[i].id);
    EXPECT_EQ(model.vocab.added[i].text, vocab.added[i].text);
    EXPECT_EQ(model.vocab.added[i].normalized, vocab.added[i].normalized);
    EXPECT_EQ(model.vocab.added[i].lstrip, vocab.added[i].lstrip);
    EXPECT_EQ(model.vocab.added[i].rstrip, vocab.added[i].rstrip);
    EXPECT_EQ(model.vocab.added[i].single_word, vocab.added[i].single_word);
  }
  EXPECT_TRUE(model.vocab.add_prefix_space);
  EXPECT_EQ(model.vocab.bos, std::nullopt);
  EXPECT_EQ(model.vocab.eos, 258);
  EXPECT_EQ(open_vocab(dir / "model.gptj").tokens, vocab.tokens);

  ASSERT_EQ(model.tensors.size(), 2U);
  EXPECT_TRUE(model.tensors[0].panels);
  EXPECT_EQ(model.tensors[0].dtype, DType::q4);
  EXPECT_EQ(model.tensors[0].shape, (std::vector<int64_t>{20, 64}));
  EXPECT_TRUE(model.tensors[1].panels);
  for (const FileTensor& tensor : model.tensors) EXPECT_EQ(tensor.offset % kNativeAlignment, 0U);
  const auto data = [](const FileTensor& tensor) {
    std::string bytes(tensor.bytes, '\0');
    tensor.file->read_at(tensor.offset, bytes.data(), bytes.size());
    return bytes;
  };
  EXPECT_EQ(data(model.tensors[0]), std::string(576, '1') + std::string(576, '2'));
  EXPECT_EQ(data(model.tensors[1]), std::string(64, 'v'));
  EXPECT_EQ(model.tensors[0].checksum, 0x01944396U);  // Python: zlib.crc32(b'1' * 576 + b'2' * 576)
  EXPECT_EQ(model.tensors[1].checksum, 0xa0c1df4fU);
}

TEST_F(Native, AnUnfinishedFileLeavesNothing) {
  { NativeWriter(dir / "model.gptj", {kConfig, some_vocab(), {{"v", DType::f32, {5}}}}); }
  EXPECT_TRUE(std::filesystem::is_empty(dir.path()));
}

TEST_F(Native, ChecksThatTheDiskHasRoom) {
  const OutputTensor huge = {"m", DType::f32, {1 << 24, 1 << 20}};  // 70 terabytes
  EXPECT_THROW(NativeWriter(dir / "model.gptj", {kConfig, some_vocab(), {huge}}), Error);
  EXPECT_TRUE(std::filesystem::is_empty(dir.path()));
}

TEST_F(Native, HeadersThatLie) {
  EXPECT_EQ(open_error(with_header(header.dump(), kDataBytes)), "");
  const auto at = [](const char* pointer) { return json::json_pointer(pointer); };
  expect_lie(at("/config"), 7, {"config"});
  expect_lie(at("/tokenizer"), nullptr, {"tokenizer"});
  expect_lie(at("/tokenizer/added"), {7}, {"added"});
  expect_lie(at("/tokenizer/added"), {{{"id", 0}}}, {"text"});
  expect_lie(at("/tokenizer/added"), {{{"id", 3}}}, {"id", "3 tokens"});
  expect_lie(at("/tokenizer/added"), {{{"id", 0}, {"text", "\xe2\x82\xac"}}}, {"text", "U+00FF"});
  expect_lie(at("/tokenizer/add_prefix_space"), 1, {"add_prefix_space"});
  expect_lie(at("/tokenizer/eos"), 1.5, {"eos"});
  expect_lie(at("/tokenizer/bos"), 3, {"bos", "3 tokens"});
  expect_lie(at("/tensors"), 1, {"tensors"});
  expect_lie(at("/tensors/0"), 1, {"tensors"});
  expect_lie(at("/tensors/0/name"), 1, {"name"});
  expect_lie(at("/tensors/0/name"), "v", {"'v'", "twice"});
  for (const json& type : std::vector<json>{"q3", 4, nullptr}) {
    expect_lie(at("/tensors/0/dtype"), type, {"'m'", "dtype"});
  }
  for (const json& shape : std::vector<json>{7,
                                             json::array(),
                                             {20},
                                             {20, 63},
                                             {20, 64, 1},
                                             {0, 64},
                                             {-20, 64},
                                             {20.0, 64},
                                             {"20", 64},
                                             {uint64_t{1} << 40, 64},
                                             {20, uint64_t{1} << 63}}) {
    expect_lie(at("/tensors/0/shape"), shape, {"'m'", "shape"});
  }
  expect_lie(at("/tensors/1/dtype"), "f16", {"'v'", "shape"});
  expect_lie(at("/tensors/0/shape"), {1 << 28, 1 << 28}, {"'m'", "bytes"});
  expect_lie(at("/tensors/0/bytes"), 1151, {"'m'", "bytes", "1152"});
  expect_lie(at("/tensors/1/offset"), 0, {"'v'", "offset", "4096"});
  expect_lie(at("/tensors/1/offset"), 8192, {"'v'", "offset", "4096"});
  expect_lie(at("/tensors/1/offset"), -4096, {"'v'", "offset", "4096"});

  json huge = header;
  huge["tensors"][0] = {{"name", "m"}, {"dtype", "q4"}, {"shape", {1 << 28, 1 << 28}}, {"offset", 0}};
  huge["tensors"][0]["bytes"] = native_bytes(DType::q4, {1 << 28, 1 << 28});
  expect_open_error(with_header(huge.dump(), kDataBytes), {"'m'", "truncated"});
  expect_open_error(with_header(header.dump(), kDataBytes - 1), {"'v'", "truncated"});
  expect_open_error(with_header(header.dump(), kDataBytes + 1), {"expected", "found"});
  expect_open_error(with_header(header.dump(), three_tokens(), kDataBytes, 3), {"tensors", "expected 3"});
  expect_open_error(with_header(header.dump(), three_tokens(), kDataBytes, 0), {"tensors", "expected 0"});
  expect_open_error(with_header("[]", 0), {"object"});
  expect_open_error(with_header("{", 0), {"JSON"});
}

TEST_F(Native, VocabulariesThatLie) {
  constexpr uint32_t kMost = 0xffffffff;
  const std::string three = three_tokens();
  const auto with = [&](size_t at, uint32_t value) {
    std::string other = three;
    return other.replace(at, 4, word(value));
  };
  const struct {
    std::string bytes;
    std::string word;
  } table[] = {
      {"", "number of tokens"},
      {with(0, 0), "merge 0"},
      {with(0, kMost), "number of tokens"},
      {with(0, 4), "number of merges"},
      {with(0, 2), "number of merges"},
      {with(4, kMost), "a token"},
      {with(4, 0), "a token"},
      {with(14, kMost), "a token"},
      {with(20, 0), "more bytes"},
      {with(20, 2), "number of merges"},
      {with(20, kMost), "number of merges"},
      {with(24, 3), "merge 0"},
      {with(28, kMost), "merge 0"},
      {three + "x", "1 more bytes"},
      {merges_of_a_long_token(), "16 times"},
  };
  for (const auto& [bytes, what] : table) {
    SCOPED_TRACE(what);
    expect_open_error(with_header(header.dump(), bytes, kDataBytes), {"vocabulary", what});
  }
  for (size_t size = 0; size < three.size(); ++size) {
    SCOPED_TRACE(size);
    expect_open_error(with_header(header.dump(), three.substr(0, size), kDataBytes), {"vocabulary"});
  }
}

TEST_F(Native, FieldsOfTheStartThatLie) {
  const std::string bytes = read_text_file(write(), 1 << 20);
  const struct {
    size_t at, size;
    uint64_t value;
    std::vector<std::string> words;
  } table[] = {
      {offsetof(NativeStart, byte_order), 4, 0x04030201, {"byte order"}},
      {offsetof(NativeStart, byte_order), 4, 0, {"byte order"}},
      {offsetof(NativeStart, version), 4, 2, {"version", "expected 1", "found 2", "newer program"}},
      {offsetof(NativeStart, version), 4, ~0U, {"version", "expected 1", "newer program"}},
      {offsetof(NativeStart, version), 4, 0, {"version", "expected 1", "found 0"}},
      {offsetof(NativeStart, header_bytes), 8, 0, {"checksum of the header"}},
      {offsetof(NativeStart, header_bytes), 8, 1, {"checksum of the header"}},
      {offsetof(NativeStart, header_bytes), 8, bytes.size(), {"length of the header"}},
      {offsetof(NativeStart, header_bytes), 8, ~uint64_t{0}, {"length of the header"}},
      {offsetof(NativeStart, vocab_bytes), 8, 0, {"checksum of the header"}},
      {offsetof(NativeStart, vocab_bytes), 8, bytes.size(), {"length of the vocabulary"}},
      {offsetof(NativeStart, vocab_bytes), 8, ~uint64_t{0}, {"length of the vocabulary"}},
      {offsetof(NativeStart, n_tensors), 4, 0, {"checksum of the header"}},
      {offsetof(NativeStart, n_tensors), 4, 3, {"checksum of the header"}},
      {offsetof(NativeStart, n_tensors), 4, ~0U, {"length of the checksums"}},
      {offsetof(NativeStart, checksum), 4, 0, {"checksum of the header", "expected 00000000"}},
  };
  for (const auto& [at, size, value, words] : table) {
    SCOPED_TRACE(testing::Message() << at << " = " << value);
    std::string other = bytes;
    std::memcpy(other.data() + at, &value, size);
    expect_open_error(dir.file("other.gptj", other), words);
  }
}

TEST_F(Native, TruncatedAnywhere) {
  const std::string bytes = read_text_file(write(), 1 << 20);
  for (size_t size = 0; size < bytes.size(); size += size < 64 ? 1 : 61) {
    SCOPED_TRACE(size);
    expect_open_error(dir.file("cut.gptj", std::string_view(bytes).substr(0, size)), {"cut.gptj"});
  }
}

/// Not one of them gets as far as the JSON.
TEST_F(Native, EveryFlippedBitOfTheHeaderIsFound) {
  const std::string bytes = read_text_file(write(), 1 << 20);
  const NativeStart* start = reinterpret_cast<const NativeStart*>(bytes.data());
  const size_t end = sizeof *start + start->header_bytes + start->vocab_bytes + 2 * sizeof(uint32_t);
  for (size_t bit = 0; bit < 8 * end; bit += 5) {
    std::string flipped = bytes;
    flipped[bit / 8] ^= static_cast<char>(1 << bit % 8);
    SCOPED_TRACE(bit);
    expect_open_error(dir.file("flipped.gptj", flipped), {"flipped.gptj"});
  }
}

/// A damaged header whose checksum is right all the same, as an attacker writes it.
TEST_F(Native, FlippedBitsBehindARightChecksum) {
  const std::string text = header.dump();
  std::mt19937 random(7);
  int opened = 0;
  for (int i = 0; i < 2000; ++i) {
    std::string both = text + three_tokens();
    both[random() % both.size()] ^= static_cast<char>(1 << random() % 8);
    const std::string path = with_header(both.substr(0, text.size()), both.substr(text.size()), kDataBytes);
    try {
      for (const FileTensor& tensor : open_model_file(path).tensors) {
        EXPECT_EQ(tensor.bytes, native_bytes(tensor.dtype, tensor.shape));
        EXPECT_LE(tensor.offset + tensor.bytes, std::filesystem::file_size(path));
      }
      ++opened;
    } catch (const Error& error) {
      EXPECT_LT(std::string(error.what()).size(), 600U) << error.what();
    }
  }
  EXPECT_GT(opened, 0);
  EXPECT_LT(opened, 2000);
}

}  // namespace
}  // namespace gptj::test
