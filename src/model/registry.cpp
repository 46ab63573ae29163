#include "base/error.h"
#include "model/architecture.h"

namespace gptj {
namespace {

constexpr ArchitectureInfo kArchitectures[] = {
    {"gptj", make_gptj},
    {"gpt2", make_gpt2},
};

}  // namespace

std::unique_ptr<Architecture> make_architecture(const ModelFile& file) {
  const std::string type = config_string(*file.config, "model_type");
  std::string known;
  for (const ArchitectureInfo& row : kArchitectures) {
    if (type == row.name) return row.make(file);
    known += (known.empty() ? "" : ", ") + std::string(row.name);
  }
  fail("{}: model_type: expected one of {}, found {}", quoted(file.config_source()), known, quoted(type));
}

}  // namespace gptj
