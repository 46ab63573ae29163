#include <algorithm>
#include <filesystem>
#include <unordered_set>

#include "base/error.h"
#include "io/foreign.h"
#include "io/ggml.h"
#include "io/gguf.h"
#include "io/gguf_metadata.h"
#include "io/huggingface.h"
#include "io/model_file.h"
#include "io/native.h"
#include "io/safetensors.h"
#include "io/shards.h"
#include "io/weights_file.h"
#include "text/vocab_files.h"

namespace gptj {
namespace {

/// What is known of a path before its form is.
struct Candidate {
  std::string path;
  bool is_directory;
  std::string head;  // the first bytes of a file
};

struct Form {
  std::string_view name;
  bool (*recognises)(const Candidate&);
  ModelFile (*open)(const std::string& path);
  Vocab (*open_vocab)(const std::string& path);
};

bool is_directory(const Candidate& candidate) {
  return candidate.is_directory;
}

bool is_native(const Candidate& candidate) {
  return candidate.head.starts_with(kNativeMagic);
}

bool is_ggml(const Candidate& candidate) {
  return candidate.head.starts_with(kGgmlMagic) || candidate.head.starts_with(kGgjtMagic);
}

bool is_gguf(const Candidate& candidate) {
  return candidate.head.starts_with(kGgufMagic);
}

bool is_weights(const Candidate& candidate) {
  return looks_like_safetensors(candidate.head) || looks_like_torch(candidate.head) ||
         is_shard_index(candidate.path);
}

Vocab native_vocab(const std::string& path) {
  return open_native(path).vocab;
}

Vocab ggml_vocab(const std::string& path) {
  return open_ggml(path).vocab;
}

Vocab vocab_beside(const std::string& path) {
  return read_vocab_directory(directory_of(path));
}

/// THE list of the forms that models come in. The first that recognises a path reads it.
constexpr Form kForms[] = {
    {"a Hugging Face directory (config.json, model.safetensors or pytorch_model.bin)", is_directory,
     open_huggingface_directory, read_vocab_directory},
    {"our own file (.gptj)", is_native, open_native, native_vocab},
    {"a legacy ggml file (ggml-model.bin)", is_ggml, open_ggml, ggml_vocab},
    {"a GGUF file (.gguf)", is_gguf, open_gguf, open_gguf_vocab},
    {"a safetensors or torch file, or an index of such files, beside its config.json", is_weights,
     open_weights_file, vocab_beside},
};

Candidate look_at(const std::string& path) {
  std::error_code ignored;  // opening tells the reason
  if (std::filesystem::is_directory(path, ignored)) return {path, true, ""};
  return {path, false, first_bytes(InputFile(path))};
}

[[noreturn]] void fail_unknown(const Candidate& candidate) {
  refuse_foreign(InputFile(candidate.path));
  std::string known;
  for (const Form& form : kForms) known += fmt::format("{}{}", known.empty() ? "" : ", or ", form.name);
  if (candidate.head.empty()) fail("{}: the file is empty; expected {}", quoted(candidate.path), known);
  std::string bytes;
  for (const char c : candidate.head.substr(0, 16)) {
    bytes += fmt::format(" {:02x}", static_cast<unsigned char>(c));
  }
  fail("{}: not a known model file: it begins with the bytes{}; expected {}", quoted(candidate.path), bytes,
       known);
}

const Form& find_form(const std::string& path) {
  const Candidate candidate = look_at(path);
  const auto* form = std::find_if(std::begin(kForms), std::end(kForms),
                                  [&](const Form& known) { return known.recognises(candidate); });
  if (form == std::end(kForms)) fail_unknown(candidate);
  return *form;
}

void refuse_duplicates(const ModelFile& model) {
  std::unordered_set<std::string_view> names;
  const auto add = [&](std::string_view name) {
    if (!names.insert(name).second) fail("{}: tensor {}: found twice", quoted(model.path), quoted(name));
  };
  for (const FileTensor& tensor : model.tensors) add(tensor.name);
  for (const UnreadTensor& tensor : model.unread) add(tensor.name);
}

}  // namespace

ModelFile open_model_file(const std::string& path) {
  ModelFile model = find_form(path).open(path);
  refuse_duplicates(model);
  return model;
}

Vocab open_vocab(const std::string& path) {
  return find_form(path).open_vocab(path);
}

}  // namespace gptj
