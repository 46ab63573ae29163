// GGUF files that lie: each must be refused by name of the lie, without a large allocation or a crash.

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <random>

#include "io/gguf_file.h"
#include "io/open_error.h"

namespace gptj::test {
namespace {

constexpr ModelShape kTiny = {.n_vocab = 8, .n_ctx = 4, .n_embd = 4, .n_head = 2, .n_layer = 1, .n_rot = 2};
constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
constexpr uint64_t kLies[] = {0, kMax, kMax / 2, kMax / 4, uint64_t{1} << 32};

TEST(GgufDamage, TruncationAtEveryBoundary) {
  const TemporaryDirectory dir;
  for (const GgufFile& file : {gguf_gpt2(kTiny), gguf_gptj(kTiny)}) {
    const std::string bytes = file.bytes();
    ASSERT_EQ(open_error(dir.file("m.gguf", bytes)), "");
    for (const size_t at : file.sections()) {
      for (const size_t end : {at - 1, at, at + 1}) {
        // The last tensor is followed by padding only.
        if (end == 0 || end == kMax || end + 32 > bytes.size()) continue;
        EXPECT_NE(open_error(dir.file("m.gguf", bytes.substr(0, end))), "") << "cut at " << end;
      }
    }
  }
}

TEST(GgufDamage, PaddingMayBeMissingAtTheEnd) {
  const TemporaryDirectory dir;
  const GgufFile file = gguf_gpt2(kTiny);
  const std::string bytes = file.bytes();
  const size_t padding = bytes.size() - file.sections().rbegin()[1] - file.tensors.back().data.size();
  EXPECT_EQ(open_error(dir.file("m.gguf", bytes.substr(0, bytes.size() - padding))), "");
  EXPECT_NE(open_error(dir.file("m.gguf", bytes.substr(0, bytes.size() - padding - 1))), "");
}

TEST(GgufDamage, EveryFieldOfTheHeader) {
  const TemporaryDirectory dir;
  for (const uint64_t lie : kLies) {
    GgufFile file = gguf_gpt2(kTiny);
    file.n_tensors = lie;
    expect_open_error(dir.file("m.gguf", file.bytes()), {});
    file = gguf_gpt2(kTiny);
    file.n_keys = lie;
    expect_open_error(dir.file("m.gguf", file.bytes()), {});
  }
  for (const int off : {-1, 1}) {
    GgufFile file = gguf_gpt2(kTiny);
    file.n_keys += static_cast<uint64_t>(off);
    expect_open_error(dir.file("m.gguf", file.bytes()), {});
    file = gguf_gpt2(kTiny);
    file.n_tensors += 1;
    expect_open_error(dir.file("m.gguf", file.bytes()), {});
  }
}

/// Each length in the header, at these places of the whole file's bytes.
TEST(GgufDamage, EveryLengthOfTheHeader) {
  const TemporaryDirectory dir;
  const GgufFile file = gguf_gpt2(kTiny);
  const std::string bytes = file.bytes();
  std::vector<size_t> lengths;
  const std::vector<size_t> sections = file.sections();
  for (size_t i = 0; i < file.pairs.size(); ++i) lengths.push_back(sections[4 + 4 * i]);
  for (size_t i = 0; i < file.tensors.size(); ++i) {
    lengths.push_back(sections[4 + 4 * file.pairs.size() + 6 * i]);
  }
  for (const GgufPair& pair : file.pairs) {
    const size_t value = bytes.find(gguf_text(pair.key)) + 8 + pair.key.size() + 4;
    if (pair.type == 8) lengths.push_back(value);
    if (pair.type == 9) lengths.push_back(value + 4);
  }
  for (const size_t at : lengths) {
    for (const uint64_t lie : kLies) {
      std::string damaged = bytes;
      damaged.replace(at, 8, gguf_number(lie, 8));
      EXPECT_NE(open_error(dir.file("m.gguf", damaged)), "") << lie << " at " << at;
    }
  }
}

TEST(GgufDamage, TypesOfKeys) {
  const TemporaryDirectory dir;
  const GgufFile whole = gguf_gptj(kTiny);
  for (const GgufPair& pair : whole.pairs) {
    for (const uint32_t type : {0u, 3u, 6u, 7u, 8u, 9u, 10u, 12u, 13u, 0x7fffffffu, 0xffffffffu}) {
      if (type == pair.type) continue;
      GgufFile file = whole;
      file.pair(pair.key) = {pair.key, type, std::string(8, '\0')};
      if (type == 8) file.pair(pair.key).value = gguf_text("5");
      if (type == 9) file.pair(pair.key).value = gguf_array(GgufType::f32, 1, std::string(4, '\0'));
      if (type < 8) file.pair(pair.key).value.resize(type == 0 || type == 7 ? 1 : type == 3 ? 2 : 4);
      const bool is_number = pair.type == 4;
      const bool fits = (is_number && pair.key.ends_with("token_id") && (type < 6 || type == 10)) ||
                        (pair.type == 6 && type == 12);
      const std::string message = open_error(dir.file("m.gguf", file.bytes()));
      EXPECT_EQ(message == "", fits) << pair.key << ", type " << type << ": " << message;
      if (!fits) {
        EXPECT_NE(message.find(pair.key), std::string::npos) << message;
      }
    }
  }
}

TEST(GgufDamage, NumbersOfKeys) {
  const TemporaryDirectory dir;
  const GgufFile whole = gguf_gptj(kTiny);
  for (const char* key : {"context_length", "embedding_length", "block_count", "attention.head_count",
                          "feed_forward_length", "rope.dimension_count"}) {
    const std::string name = std::string("gptj.") + key;
    for (const uint32_t lie : {0u, 0x7fffffffu, 0xffffffffu}) {
      GgufFile file = whole;
      file.set(name, lie);
      expect_open_error(dir.file("m.gguf", file.bytes()), {name, std::to_string(lie)});
    }
    GgufFile file = whole;
    file.pair(name) = {name, 5, gguf_number(0xffffffff, 4)};
    expect_open_error(dir.file("m.gguf", file.bytes()), {name, "below"});
    file.pair(name) = {name, 10, gguf_number(kMax, 8)};
    expect_open_error(dir.file("m.gguf", file.bytes()), {name, "18446744073709551615"});
  }
  for (const uint32_t lie : {0u, 3u, 1u << 17, 0xffffffffu}) {
    GgufFile file = whole;
    file.set("general.alignment", lie);
    expect_open_error(dir.file("m.gguf", file.bytes()), {"general.alignment", std::to_string(lie)});
  }
  GgufFile file = whole;
  file.pairs.push_back({"gptj.rope.freq_base", 6, gguf_number(0x47c35000, 4)});  // 100000
  ++file.n_keys;
  expect_open_error(dir.file("m.gguf", file.bytes()), {"gptj.rope.freq_base", "100000"});
}

TEST(GgufDamage, MissingAndDoubledKeys) {
  const TemporaryDirectory dir;
  const GgufFile whole = gguf_gptj(kTiny);
  for (const GgufPair& pair : whole.pairs) {
    GgufFile file = whole;
    file.erase(pair.key);
    const std::string message = open_error(dir.file("m.gguf", file.bytes()));
    const bool optional = pair.key.ends_with("_id") || pair.key.ends_with("epsilon") ||
                          pair.key.ends_with("token_type") || pair.key.ends_with(".pre") ||
                          pair.key.ends_with("feed_forward_length") || pair.key.ends_with("dimension_count");
    EXPECT_EQ(message == "", optional) << pair.key << ": " << message;
    if (!optional) {
      EXPECT_NE(message.find(pair.key), std::string::npos) << message;
    }

    file = whole;
    file.pairs.push_back(pair);
    ++file.n_keys;
    expect_open_error(dir.file("m.gguf", file.bytes()), {pair.key, "twice"});
  }
}

struct TensorLie {
  std::string field;
  std::function<void(GgufTensor&, uint64_t)> tell;
};

TEST(GgufDamage, EveryFieldOfATensor) {
  const TemporaryDirectory dir;
  const TensorLie lies[] = {
      {"offset", [](GgufTensor& t, uint64_t lie) { t.offset = lie; }},
      {"dimension 0", [](GgufTensor& t, uint64_t lie) { t.ne[0] = lie; }},
      {"dimension 1", [](GgufTensor& t, uint64_t lie) { t.ne[1] = lie; }},
      {"both dimensions", [](GgufTensor& t, uint64_t lie) { t.ne[0] = t.ne[1] = lie; }},
      {"number of dimensions", [](GgufTensor& t, uint64_t lie) { t.ne.resize(lie % 7, 2); }},
  };
  for (const TensorLie& lie : lies) {
    for (const uint64_t value : kLies) {
      GgufFile file = gguf_gpt2(kTiny);
      GgufTensor& tensor = file.tensor("blk.0.attn_output.weight");
      lie.tell(tensor, value);
      if (tensor.ne.size() > 0 && tensor.ne.size() < 5 && lie.field == "number of dimensions") continue;
      SCOPED_TRACE(lie.field + " = " + std::to_string(value));
      expect_open_error(dir.file("m.gguf", file.bytes()), {"'blk.0.attn_output.weight'"});
    }
  }
}

TEST(GgufDamage, SizesThatOverflow) {
  const TemporaryDirectory dir;
  for (const uint64_t n : {uint64_t{1} << 16, uint64_t{1} << 21, uint64_t{1} << 32, uint64_t{1} << 62}) {
    GgufFile file = gguf_gpt2(kTiny);
    file.tensors.back().ne = {n, n, n, n};
    expect_open_error(dir.file("m.gguf", file.bytes()), {"'output_norm.bias'"});
  }
}

TEST(GgufDamage, Places) {
  const TemporaryDirectory dir;
  GgufFile file = gguf_gpt2(kTiny);
  file.tensors[3].offset += 8;
  expect_open_error(dir.file("m.gguf", file.bytes()), {file.tensors[3].name, "multiple of 32"});
  file = gguf_gpt2(kTiny);
  file.tensors[3].offset = file.tensors[2].offset;
  expect_open_error(dir.file("m.gguf", file.bytes()), {"offset", "where", "ends"});
  file = gguf_gpt2(kTiny);
  file.tensors[3].name = file.tensors[2].name;
  expect_open_error(dir.file("m.gguf", file.bytes()), {file.tensors[2].name, "twice"});
  file = gguf_gpt2(kTiny);
  file.tensors[0].type = 12;
  expect_open_error(dir.file("m.gguf", file.bytes()), {"token_embd", "multiple of 256", "q4_K", "found 4"});
}

TEST(GgufDamage, Arrays) {
  const TemporaryDirectory dir;
  const std::string nested = gguf_array(GgufType::array, 1, gguf_array(GgufType::u8, 1, "x"));
  const std::string values[] = {
      nested,
      gguf_array(GgufType::u8, uint64_t{1} << 40, "x"),
      gguf_array(GgufType::f64, kMax / 8 + 2, "x"),
      gguf_array(GgufType::string, uint64_t{1} << 40, gguf_text("x")),
      gguf_array(GgufType::string, 1 << 20, gguf_text("x")),
      gguf_array(GgufType::string, 1, gguf_number(kMax, 8)),
  };
  for (const std::string& value : values) {
    GgufFile file = gguf_gpt2(kTiny);
    file.pairs.push_back({"any.key", 9, value});
    ++file.n_keys;
    EXPECT_NE(open_error(dir.file("m.gguf", file.bytes())), "");
  }
}

TEST(GgufDamage, Vocabulary) {
  const TemporaryDirectory dir;
  const GgufFile whole = gguf_gpt2(kTiny);
  const auto with = [&](const char* key, const std::string& value, const std::vector<std::string>& words) {
    GgufFile file = whole;
    file.pair(key).value = value;
    SCOPED_TRACE(key);
    expect_open_error(dir.file("m.gguf", file.bytes()), words);
  };
  const auto i32s = [](uint64_t n, uint64_t value) {
    std::string out;
    for (uint64_t i = 0; i < n; ++i) out += gguf_number(value, 4);
    return gguf_array(GgufType::i32, n, out);
  };
  with("tokenizer.ggml.token_type", i32s(7, 1), {"token_type", "expected 8", "found 7"});
  with("tokenizer.ggml.token_type", i32s(8, 0), {"token_type", "token 0", "found 0"});
  with("tokenizer.ggml.token_type", i32s(8, 0xffffffff), {"token_type", "found -1"});
  with("tokenizer.ggml.token_type", i32s(8, 7), {"token_type", "found 7"});
  for (const char* merge : {"ab", "a b c", " b", "a ", ""}) {
    with("tokenizer.ggml.merges", gguf_array(GgufType::string, 1, gguf_text(merge)), {"merges", "merge 0"});
  }
  for (const char* key : {"tokenizer.ggml.bos_token_id", "tokenizer.ggml.eos_token_id"}) {
    with(key, gguf_number(8, 4), {key, "found 8"});
    with(key, gguf_number(0xffffffff, 4), {key, "found 4294967295"});
  }
}

TEST(GgufDamage, HostileNamesAreShownSafely) {
  const TemporaryDirectory dir;
  const std::string hostile = "\x1b[31m\n\"\r" + std::string(200, 'x');
  GgufFile file = gguf_gpt2(kTiny);
  file.tensors[3].name = hostile;
  file.tensors[3].offset += 8;
  expect_open_error(dir.file("m.gguf", file.bytes()), {"\\x1b[31m\\n"});
  file = gguf_gpt2(kTiny);
  file.pairs.push_back({hostile, 99, ""});
  ++file.n_keys;
  expect_open_error(dir.file("m.gguf", file.bytes()), {"\\x1b[31m\\n"});
  file = gguf_gpt2(kTiny);
  file.set("general.architecture", hostile);
  expect_open_error(dir.file("m.gguf", file.bytes()), {"\\x1b[31m\\n"});
  file = gguf_gpt2(kTiny);
  file.tensors[3].name = std::string(257, 'x');
  expect_open_error(dir.file("m.gguf", file.bytes()), {"length of name", "257"});
}

TEST(GgufDamage, AnyByteOfTheHeader) {
  const TemporaryDirectory dir;
  std::mt19937 random(7);
  for (const GgufFile& file : {gguf_gpt2(kTiny), gguf_gptj(kTiny)}) {
    const std::string bytes = file.bytes();
    for (size_t at = 0; at < file.header().size(); ++at) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(random());
      const std::string path = dir.file("m.gguf", damaged);
      const std::string message = open_error(path);  // or it is consistent
      EXPECT_LT(message.size(), 700U) << message;
      if (message.empty()) expect_consistent(open_model_file(path));
    }
  }
}

}  // namespace
}  // namespace gptj::test
