#pragma once

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/quoted.h"

namespace gptj {

/// Watches the events of nlohmann's parser for what that lets pass: nesting so deep that copying or writing the value
/// would exhaust the stack, and two keys of one name in an object. Of these the parser keeps the last, so whoever
/// checks such a text with another parser sees other values.
template <class Json>
class JsonWatch {
 public:
  using Event = typename Json::parse_event_t;

  explicit JsonWatch(int max_depth) : max_depth_(max_depth) {}

  /// What is wrong; empty: nothing.
  std::string problem(int depth, Event event, const Json& parsed) {
    if (depth > max_depth_) return fmt::format("JSON nested more than {} deep", max_depth_);
    if (event == Event::object_start) keys_.emplace_back();
    if (event == Event::object_end) keys_.pop_back();
    if (event != Event::key) return "";
    const auto& key = parsed.template get_ref<const std::string&>();
    return keys_.back().insert(key).second
               ? ""
               : fmt::format("the key {} appears twice in one object", quoted(key));
  }

  /// Keys so far of the innermost object that is open.
  size_t n_keys() const { return keys_.empty() ? 0 : keys_.back().size(); }

 private:
  const int max_depth_;
  std::vector<std::unordered_set<std::string>> keys_;  // of every object that is open
};

}  // namespace gptj
