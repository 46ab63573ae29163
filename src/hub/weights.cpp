#include "hub/weights.h"

#include <algorithm>

#include "text/vocab_files.h"

namespace gptj {
namespace {

struct Form {
  std::string_view name, file;
};

/// The forms of directories, best first: weights in one file, or in parts beside "<file>.index.json". (Those of
/// TensorFlow, Flax and others are not read.)
constexpr Form kDirectoryForms[] = {{"safetensors", "model.safetensors"}, {"torch", "pytorch_model.bin"}};

/// The forms of files that contain everything, by the ends of their names, best first.
constexpr Form kFileForms[] = {{"gptj", ".gptj"}, {"gguf", ".gguf"}, {"ggml", ".bin"}};

bool has(const std::vector<std::string>& files, std::string_view name) {
  return std::find(files.begin(), files.end(), name) != files.end();
}

/// "model.safetensors" for "model-00001-of-00003.safetensors"; other names as they are.
std::string without_part_number(std::string_view file) {
  const auto is_number = [](std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
  };
  const size_t dot = file.rfind('.');
  const size_t of = file.rfind("-of-", dot);
  const size_t dash = of == file.npos || of == 0 ? file.npos : file.rfind('-', of - 1);
  if (dot == file.npos || dash == file.npos || !is_number(file.substr(dash + 1, of - dash - 1)) ||
      !is_number(file.substr(of + 4, dot - of - 4))) {
    return std::string(file);
  }
  return std::string(file.substr(0, dash)) + std::string(file.substr(dot));
}

bool is_of(std::string_view file, const Form& form) {
  if (!file.ends_with(form.file)) return false;
  return form.name != "ggml" || file.find("ggml") != file.npos;  // many things are called .bin
}

}  // namespace

std::vector<std::string_view> weight_forms() {
  std::vector<std::string_view> names;
  for (const Form& form : kDirectoryForms) names.push_back(form.name);
  for (const Form& form : kFileForms) names.push_back(form.name);
  return names;
}

RepositoryWeights weights_among(const std::vector<std::string>& files) {
  for (const Form& form : kDirectoryForms) {
    const std::string whole(form.file), index = whole + ".index.json";
    if (has(files, whole)) return {std::string(form.name), {whole}};
    if (!has(files, index)) continue;
    RepositoryWeights parts{std::string(form.name), {index}};
    for (const std::string& file : files) {
      if (without_part_number(file) == whole) parts.files.push_back(file);
    }
    return parts;
  }
  for (const Form& form : kFileForms) {
    RepositoryWeights found{.form = std::string(form.name), .files = {}, .alone = true};
    for (const std::string& file : files) {
      if (!is_of(file, form)) continue;
      if (found.files.empty()) found.files = with_all_parts(file, files);
      if (!has(found.files, file)) found.others.push_back(file);
    }
    if (!found.files.empty()) return found;
  }
  return {};
}

std::vector<std::string> with_all_parts(const std::string& file, const std::vector<std::string>& files) {
  std::vector<std::string> parts;
  const std::string whole = without_part_number(file);
  if (whole == file) return {file};
  for (const std::string& other : files) {
    if (other != whole && without_part_number(other) == whole) parts.push_back(other);
  }
  return parts;
}

bool is_beside_weights(std::string_view file) {
  return file == "config.json" ||
         std::find(std::begin(kVocabFiles), std::end(kVocabFiles), file) != std::end(kVocabFiles);
}

}  // namespace gptj
