#include "options/ids.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/quoted.h"
#include "cli/command_line.h"
#include "gptj/error.h"
#include "terminal/text_input.h"

namespace gptj::apps {

std::vector<int> prompt_tokens(const Tokenizer& tokenizer, const std::string& prompt) {
  if (!prompt.empty()) return tokenizer.encode(prompt);
  if (!tokenizer.eos())
    throw Error("the prompt is empty: expected text, as the model has no end-of-text token");
  return {*tokenizer.eos()};
}

std::vector<int> read_ids(std::string_view option, const std::string& argument, int n_ids) {
  constexpr std::string_view kSeparators = ", \t\r\n";
  std::string content;
  std::string_view left = argument;
  if (argument.starts_with('@')) left = content = read_file(argument.substr(1));
  std::vector<int> ids;
  for (;;) {
    left.remove_prefix(std::min(left.find_first_not_of(kSeparators), left.size()));
    if (left.empty()) return ids;
    const std::string_view word = left.substr(0, left.find_first_of(kSeparators));
    left.remove_prefix(word.size());
    int id = -1;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), id);
    if (error != std::errc() || end != word.data() + word.size() || id < 0) {
      throw UsageError(
          fmt::format("{}: expected token ids (whole numbers, as in 1,2,3), found {}", option, quoted(word)));
    }
    if (id >= n_ids)
      throw Error(fmt::format("{}: expected ids from 0 to {}, found {}", option, n_ids - 1, id));
    ids.push_back(id);
  }
}

}  // namespace gptj::apps
