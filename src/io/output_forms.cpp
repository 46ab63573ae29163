#include "io/output_forms.h"

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "io/ggml_writer.h"
#include "io/gguf_writer.h"
#include "io/huggingface_writer.h"
#include "io/native_writer.h"

namespace gptj {
namespace {

template <class Writer>
std::unique_ptr<ModelWriter> make(const std::string& path, OutputModel model) {
  return std::make_unique<Writer>(path, std::move(model));
}

bool any_type(DType) {
  return true;
}

bool is_ggml_type(DType dtype) {
  return info(dtype).ggml_ftype >= 0;
}

bool is_gguf_type(DType dtype) {
  return gguf_type(dtype).has_value();
}

bool is_plain(DType dtype) {
  return info(dtype).block == 1;
}

// The first is for all names with which no other row fits.
constexpr OutputForm kForms[] = {
    {.name = "native",
     .description = "our own file, which loads fastest",
     .extension = ".gptj",
     .naming = Naming::huggingface,
     .panels = true,
     .conv1d = false,
     .one_type = false,
     .plain_vectors = false,
     .stores = any_type,
     .make = make<NativeWriter>},
    {.name = "ggml",
     .description = "a legacy ggml file",
     .extension = ".bin",
     .naming = Naming::ggml,
     .panels = false,
     .conv1d = false,
     .one_type = true,
     .plain_vectors = false,
     .stores = is_ggml_type,
     .make = make<GgmlWriter>},
    {.name = "gguf",
     .description = "a GGUF file",
     .extension = ".gguf",
     .naming = Naming::gguf,
     .panels = false,
     .conv1d = false,
     .one_type = false,
     .plain_vectors = false,
     .stores = is_gguf_type,
     .make = make<GgufWriter>},
    {.name = "hf",
     .description = "a Hugging Face directory",
     .extension = "",
     .naming = Naming::huggingface,
     .panels = false,
     .conv1d = true,
     .one_type = false,
     .plain_vectors = true,
     .stores = is_plain,
     .make = make<HuggingFaceWriter>},
};

}  // namespace

std::span<const OutputForm> output_forms() {
  return kForms;
}

const OutputForm& output_form(const std::string& name, const std::string& path) {
  std::error_code ignored;
  const bool is_directory = path.ends_with('/') || std::filesystem::is_directory(path, ignored);
  const std::string extension = is_directory ? "" : std::filesystem::path(path).extension().string();
  const auto* found = std::find_if(std::begin(kForms), std::end(kForms), [&](const OutputForm& form) {
    return name.empty() ? form.extension == extension : form.name == name;
  });
  if (found != std::end(kForms)) return *found;
  if (name.empty()) return kForms[0];
  std::string known;
  for (const OutputForm& form : kForms) known += fmt::format("{}{}", known.empty() ? "" : ", ", form.name);
  fail("form: expected one of {}, found {}", known, quoted(name));
}

}  // namespace gptj
