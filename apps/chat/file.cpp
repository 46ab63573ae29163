#include "chat/file.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/file.h"
#include "base/quoted.h"
#include "gptj/error.h"
#include "terminal/text_input.h"

namespace gptj::apps {
namespace {

using Json = nlohmann::ordered_json;

/// A file that is being read, for messages.
class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path) {}

  Json root() const {
    try {
      return Json::parse(read_file(path_));
    } catch (const Json::parse_error& e) {
      throw Error(fmt::format("{}: expected a saved conversation, found no JSON from byte {} on",
                              quoted(path_), e.byte));
    }
  }

  /// Of an object: the text or the list that `key` has.
  const Json& member(const Json& object, const char* key, Json::value_t type) const {
    const auto found = object.is_object() ? object.find(key) : object.end();
    if (!object.is_object() || found == object.end()) refuse(fmt::format("'{}'", key), "none");
    if (found->type() != type) {
      refuse(fmt::format("'{}' to be {}", key, Json(type).type_name()), found->type_name());
    }
    return *found;
  }

  std::string text(const Json& object, const char* key) const {
    return member(object, key, Json::value_t::string).get<std::string>();
  }

  [[noreturn]] void refuse(const std::string& expected, const std::string& found) const {
    throw Error(
        fmt::format("{}: expected {} in a saved conversation, found {}", quoted(path_), expected, found));
  }

 private:
  const std::string& path_;
};

void add_message(Conversation& conversation, const Json& message, const Reader& reader) {
  const std::string role = reader.text(message, "role");
  std::string text = reader.text(message, "text");
  auto& exchanges = conversation.exchanges;
  if (role == "user") {
    exchanges.push_back({.user = std::move(text), .answer = {}});
  } else if (role == "assistant") {
    if (exchanges.empty() || exchanges.back().answer) exchanges.emplace_back();
    exchanges.back().answer = Answer::of_text(std::move(text));
  } else {
    reader.refuse("the role 'user' or 'assistant'", quoted(role));
  }
}

/// Throws Error if there is another file under that name, which would be replaced.
void check_may_replace(const std::string& path) {
  std::error_code ignored;  // writing will tell the reason
  if (!std::filesystem::exists(path, ignored)) return;
  constexpr uint64_t kStart = 64;  // of a saved conversation: its preset comes first
  const InputFile file(path);
  std::string start(std::min(file.size(), kStart), '\0');
  file.read_at(0, start.data(), start.size());
  if (start.empty() || (start.starts_with('{') && start.find("\"preset\"") != std::string::npos)) return;
  throw Error(
      fmt::format("{}: expected a saved conversation or none, found another file, which would be replaced",
                  quoted(path)));
}

}  // namespace

void save_conversation(const Conversation& conversation, const std::string& path) {
  Json root = {{"preset", conversation.preset.name}};
  if (conversation.system) root["system"] = *conversation.system;
  Json& messages = root["messages"] = Json::array();
  const auto add = [&messages](const char* role, const std::string& text) {
    messages.push_back({{"role", role}, {"text", text}});
  };
  for (const Exchange& exchange : conversation.exchanges) {
    if (exchange.user) add("user", *exchange.user);
    if (exchange.answer) add("assistant", exchange.answer->text);
  }
  check_may_replace(path);
  const std::string text = root.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  OutputFile file(path);
  file.write(text.data(), text.size());
  file.commit();
}

Conversation load_conversation(const Program& program, const std::string& path) {
  const Reader reader(path);
  const Json root = reader.root();
  Conversation conversation;
  const std::string preset = reader.text(root, "preset");
  try {
    conversation.preset = find_preset(program, preset);
  } catch (const Error& e) {
    throw Error(fmt::format("{}: {}", quoted(path), e.what()));
  }
  if (root.contains("system")) conversation.system = reader.text(root, "system");
  for (const Json& message : reader.member(root, "messages", Json::value_t::array)) {
    add_message(conversation, message, reader);
  }
  return conversation;
}

}  // namespace gptj::apps
