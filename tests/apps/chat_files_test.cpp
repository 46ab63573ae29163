// Files that a chat reads: damaged conversations and broken presets are refused, and the message says where.

#include <gtest/gtest.h>

#include "chat/file.h"
#include "chat/preset.h"
#include "gptj/error.h"
#include "process.h"
#include "program.h"

namespace gptj::apps {
namespace {

using test::contains;

Program program() {
  return {
      .name = "gpt-j", .version = {}, .default_model = {}, .demo_model = {}, .data_roots = {GPTJ_SOURCE_DIR}};
}

/// What a file's reader says of `content`, with the file's name in it.
template <class Read>
std::string refusal(const std::string& content, const Read& read) {
  const test::TemporaryDirectory directory;
  const std::string path = directory.file("talk", content);
  try {
    read(path);
  } catch (const Error& error) {
    EXPECT_TRUE(contains(error.what(), path));
    return error.what();
  }
  return "none";
}

TEST(ChatFiles, ADamagedConversationIsRefused) {
  const struct {
    const char *text, *message;
  } kDamaged[] = {
      {"", "no JSON from byte 1"},
      {"{\"preset\": \"plain\", \"messages\": [", "no JSON from byte 34"},
      {"[]", "expected 'preset' in a saved conversation, found none"},
      {"{\"messages\": []}", "expected 'preset'"},
      {"{\"preset\": 1, \"messages\": []}",
       "expected 'preset' to be string in a saved conversation, found number"},
      {"{\"preset\": \"nobody\", \"messages\": []}", "found 'nobody'"},
      {"{\"preset\": \"plain\"}", "expected 'messages'"},
      {"{\"preset\": \"plain\", \"messages\": {}}", "expected 'messages' to be array"},
      {"{\"preset\": \"plain\", \"messages\": [1]}", "expected 'role'"},
      {"{\"preset\": \"plain\", \"messages\": [{\"role\": \"cook\", \"text\": \"\"}]}", "found 'cook'"},
      {"{\"preset\": \"plain\", \"messages\": [{\"role\": \"user\"}]}", "expected 'text'"},
      {"{\"preset\": \"plain\", \"system\": [], \"messages\": []}", "expected 'system' to be string"}};
  for (const auto& [text, message] : kDamaged) {
    EXPECT_TRUE(contains(refusal(text, [](auto& path) { load_conversation(program(), path); }), message));
  }
}

TEST(ChatFiles, ABrokenPresetNamesTheLine) {
  const struct {
    const char *text, *message;
  } kBroken[] = {{"", ": expected a line for 'user', found none"},
                 {"user = \"{}\"\n", ": expected a line for 'assistant', found none"},
                 {"user = \"{}\"\n\nassistant\n", ":3: expected NAME = \"TEXT\""},
                 {"user = {}\n", ":1: expected NAME = \"TEXT\""},
                 {"user = \"{}\n", ":1: expected NAME = \"TEXT\""},
                 {"user = \"a\"b{}\"\n", ":1: expected NAME = \"TEXT\""},
                 {"user = \"\\x{}\"\n", ":1: expected NAME = \"TEXT\""},
                 {"user = \"\"\n", ":1: expected {} once, for the text, found ''"},
                 {"user = \"{}{}\"\n", ":1: expected {} once"},
                 {"user = \"{}\"\nuser = \"{}\"\n", ":2: expected one line for each name"},
                 {"stop = \"\"\n", ":1: expected a text, found ''"},
                 {"users = \"{}\"\n", "found 'users'"}};
  for (const auto& [text, message] : kBroken) {
    EXPECT_TRUE(contains(refusal(text, [](auto& path) { find_preset(program(), path); }), message));
  }
}

}  // namespace
}  // namespace gptj::apps
