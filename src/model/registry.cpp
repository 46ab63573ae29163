#include <algorithm>

#include "base/error.h"
#include "model/architecture.h"

namespace gptj {
namespace {

constexpr ArchitectureInfo kArchitectures[] = {
    {"gptj", make_gptj},
    {"gpt2", make_gpt2},
    {"codegen", make_codegen},
};

/// Relatives that may be mistaken for one of these because of their names or those of their tensors.
constexpr std::string_view kOthers[] = {"gpt_neo", "gpt_neox", "gpt_bigcode", "openai-gpt", "opt",
                                        "llama",   "bloom",    "mpt",         "falcon"};

}  // namespace

std::unique_ptr<Architecture> make_architecture(const ModelFile& file) {
  const std::string type = config_model_type(*file.config);
  std::string known;
  for (const ArchitectureInfo& row : kArchitectures) {
    if (type == row.name) return row.make(file);
    known += (known.empty() ? "" : ", ") + std::string(row.name);
  }
  const bool other = std::find(std::begin(kOthers), std::end(kOthers), type) != std::end(kOthers);
  fail("{}: model_type: expected one of {}, found {}{}", quoted(file.config_source()), known, quoted(type),
       other ? ", which is another architecture" : "");
}

}  // namespace gptj
