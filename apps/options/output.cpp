#include "options/output.h"

#include "base/file.h"

namespace gptj::apps {

void check_output(const std::string& output, const ModelInfo& model, const std::optional<std::string>& text) {
  expect_other_file(output, model.sources);
  if (text) expect_other_file(output, {*text});
  OutputFile{output};  // tried, and removed
}

}  // namespace gptj::apps
