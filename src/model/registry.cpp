#include <algorithm>
#include <cassert>

#include "base/error.h"
#include "model/architecture.h"

namespace gptj {
namespace {

constexpr ArchitectureInfo kArchitectures[] = {
    {.name = "gptj", .make = make_gptj},
    {.name = "gpt2", .make = make_gpt2},
    {.name = "codegen", .make = make_codegen, .written_as = "gptj"},  // with q, k and v apart
};

/// Relatives that may be mistaken for one of these because of their names or those of their tensors.
constexpr std::string_view kOthers[] = {"gpt_neo", "gpt_neox", "gpt_bigcode", "openai-gpt", "opt",
                                        "llama",   "bloom",    "mpt",         "falcon"};

const ArchitectureInfo* find_architecture(std::string_view model_type) {
  const auto* row = std::find_if(std::begin(kArchitectures), std::end(kArchitectures),
                                 [&](const ArchitectureInfo& info) { return model_type == info.name; });
  return row == std::end(kArchitectures) ? nullptr : row;
}

}  // namespace

std::unique_ptr<Architecture> make_architecture(const ModelFile& file) {
  const std::string type = config_model_type(*file.config);
  if (const ArchitectureInfo* row = find_architecture(type)) return row->make(file);
  std::string known;
  for (const ArchitectureInfo& row : kArchitectures)
    known += (known.empty() ? "" : ", ") + std::string(row.name);
  const bool other = std::find(std::begin(kOthers), std::end(kOthers), type) != std::end(kOthers);
  fail("{}: model_type: expected one of {}, found {}{}", quoted(file.config_source()), known, quoted(type),
       other ? ", which is another architecture" : "");
}

std::string_view written_model_type(const Config& config) {
  const ArchitectureInfo* row = find_architecture(config.model_type);
  assert(row != nullptr);
  return row->written_as.empty() ? row->name : row->written_as;
}

}  // namespace gptj
