#include "generate/logprobs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "gptj/model.h"

namespace gptj::apps {
namespace {

using nlohmann::json;

class Logprobs : public testing::Test {
 protected:
  /// The id of one token.
  int id_of(std::string_view text) const {
    const std::vector<int> ids = tokenizer.encode(text);
    EXPECT_EQ(ids.size(), 1U) << text;
    return ids.front();
  }

  const Tokenizer tokenizer = open_tokenizer(GPTJ_DEMO_MODELS "/gpt-j");
  std::vector<float> logits = std::vector<float>(4096, -5.f);
};

TEST_F(Logprobs, OneLineTellsTheTokenAndTheLikeliest) {
  const int a = id_of("a"), b = id_of("b"), c = id_of("c");
  logits[static_cast<size_t>(a)] = 3;
  logits[static_cast<size_t>(b)] = 9;
  logits[static_cast<size_t>(c)] = 3;
  const std::string line = LogprobLines(tokenizer, 3).line(c, logits);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_TRUE(line.starts_with("{\"id\":" + std::to_string(c) + ",\"text\":\"c\",\"logprob\":-6.")) << line;
  const json found = json::parse(line);
  const double sum = std::log(std::exp(9.0) + 2 * std::exp(3.0) + 4093 * std::exp(-5.0));
  EXPECT_NEAR(found["logprob"].get<double>(), 3 - sum, 1e-12);
  const json& top = found["top"];
  ASSERT_EQ(top.size(), 3U);
  EXPECT_EQ(top[0]["id"], b);
  EXPECT_EQ(top[0]["text"], "b");
  EXPECT_NEAR(top[0]["logprob"].get<double>(), 9 - sum, 1e-12);
  EXPECT_EQ(top[1]["id"], std::min(a, c));  // of the same, the smaller id
  EXPECT_EQ(top[2]["id"], std::max(a, c));
  EXPECT_FALSE(found.contains("bytes"));
}

TEST_F(Logprobs, OfTheFirstTokenThereIsNone) {
  const json found = json::parse(LogprobLines(tokenizer, 3).line(id_of("a"), {}));
  EXPECT_EQ(found, (json{{"id", id_of("a")}, {"text", "a"}, {"logprob", nullptr}, {"top", json::array()}}));
}

TEST_F(Logprobs, AnyNumberOfOthers) {
  for (const auto& [wanted, found] : {std::pair{0, 0U}, {1, 1U}, {5000, 4096U}}) {
    const json line = json::parse(LogprobLines(tokenizer, wanted).line(7, logits));
    EXPECT_EQ(line["top"].size(), found);
    EXPECT_NEAR(line["logprob"].get<double>(), -std::log(4096.0), 1e-9);
  }
}

TEST_F(Logprobs, BytesThatAreNoTextAreNumbersToo) {
  const std::vector<int> ids = tokenizer.encode("\xf0\x9f\x98\x80");  // one character of several tokens
  ASSERT_GT(ids.size(), 1U);
  logits[static_cast<size_t>(ids[1])] = 9;
  const json found = json::parse(LogprobLines(tokenizer, 1).line(ids[0], logits));
  std::string bytes;
  for (const int byte : found["bytes"]) bytes += static_cast<char>(byte);
  EXPECT_EQ(bytes, tokenizer.decode(ids[0]));
  EXPECT_NE(found["text"].get<std::string>().find("\xef\xbf\xbd"), std::string::npos) << found;  // U+FFFD
  EXPECT_TRUE(found["top"][0].contains("bytes"));
  for (const int id : tokenizer.encode("\"\\\n")) {  // what JSON escapes is text
    const json escaped = json::parse(LogprobLines(tokenizer, 0).line(id, logits));
    EXPECT_EQ(escaped["text"], tokenizer.decode(id));
    EXPECT_FALSE(escaped.contains("bytes"));
  }
}

}  // namespace
}  // namespace gptj::apps
