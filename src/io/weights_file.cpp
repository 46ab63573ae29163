#include "io/weights_file.h"

#include "base/error.h"
#include "io/foreign.h"
#include "io/safetensors.h"
#include "io/torch_legacy.h"
#include "io/torch_zip.h"
#include "io/zip.h"

namespace gptj {

bool looks_like_torch(std::string_view first_bytes) {
  return first_bytes.starts_with(kZipMagic) || first_bytes.starts_with(kTorchLegacyMagic);
}

void read_weights_file(const std::string& path, ModelFile& model) {
  model.files.push_back(std::make_unique<InputFile>(path));
  const InputFile& file = *model.files.back();
  const std::string head = first_bytes(file);
  model.format = looks_like_torch(head) ? "torch" : "safetensors";
  if (head.starts_with(kZipMagic)) return read_torch_zip(file, model);
  if (head.starts_with(kTorchLegacyMagic)) return read_torch_legacy(file, model);
  if (looks_like_safetensors(head)) return read_safetensors(file, model);
  refuse_foreign(file);
  fail(
      "{}: expected a safetensors file or one of torch.save(), found neither: it begins with no length of a "
      "header and a brace, no zip archive, and not with torch's number",
      quoted(path));
}

}  // namespace gptj
