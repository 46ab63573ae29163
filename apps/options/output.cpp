#include "options/output.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/file.h"
#include "base/quoted.h"
#include "gptj/error.h"

namespace gptj::apps {

void check_output(const std::string& output, const std::string& model,
                  const std::optional<std::string>& text) {
  for (const std::string& input : {model, text.value_or("")}) {
    std::error_code not_there;
    if (!std::filesystem::equivalent(input, output, not_there)) continue;
    throw Error(
        fmt::format("{}: expected another name for what is written than for what is read: nothing would be "
                    "left of the original",
                    quoted(output)));
  }
  OutputFile{output};  // tried, and removed
}

}  // namespace gptj::apps
