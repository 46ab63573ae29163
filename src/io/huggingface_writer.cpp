#include "io/huggingface_writer.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "io/architectures.h"
#include "text/vocab_written.h"

namespace gptj {
namespace {

using nlohmann::json;

constexpr int kIndent = 2;

/// The names that types have in safetensors and in config.json.
struct TypeNames {
  DType dtype;
  const char *safetensors, *torch;
};
constexpr TypeNames kTypeNames[] = {
    {DType::f32, "F32", "float32"},
    {DType::f16, "F16", "float16"},
    {DType::bf16, "BF16", "bfloat16"},
};

const TypeNames& names_of(DType dtype) {
  return *std::find_if(std::begin(kTypeNames), std::end(kTypeNames),
                       [&](const TypeNames& names) { return names.dtype == dtype; });
}

std::string dump(const json& value, int indent = kIndent) {
  return value.dump(indent, ' ', false, json::error_handler_t::replace);
}

json config_file(json config, std::string_view transformers_class, const Vocab& vocab, DType dtype) {
  config["architectures"] = json::array({transformers_class});
  if (vocab.bos) config.emplace("bos_token_id", *vocab.bos);
  if (vocab.eos) config.emplace("eos_token_id", *vocab.eos);
  config.erase("dtype");  // newer configs call torch_dtype so
  config["torch_dtype"] = names_of(dtype).torch;
  return config;
}

json tokenizer_config(const Vocab& vocab, const json& config) {
  const auto text = [&](const std::optional<int>& id) {
    return id ? json(vocab.tokens[static_cast<size_t>(*id)]) : json();
  };
  json added = json::object();
  for (const AddedToken& token : vocab.added) {
    added[std::to_string(token.id)] = {
        {"content", token.text},  {"normalized", token.normalized},   {"lstrip", token.lstrip},
        {"rstrip", token.rstrip}, {"single_word", token.single_word}, {"special", !token.normalized},
    };
  }
  return {{"tokenizer_class", "GPT2Tokenizer"},
          {"add_prefix_space", vocab.add_prefix_space},
          {"added_tokens_decoder", std::move(added)},
          {"bos_token", text(vocab.bos)},
          {"eos_token", text(vocab.eos)},
          {"unk_token", text(vocab.eos)},
          {"clean_up_tokenization_spaces", false},
          {"model_max_length", config.at("n_positions")}};
}

json vocab_file(const Vocab& vocab) {
  json ids = json::object();
  const std::vector<std::string> texts = written_tokens(vocab);
  for (size_t id = 0; id < texts.size(); ++id) ids[texts[id]] = id;
  return ids;
}

std::string merges_file(const Vocab& vocab) {
  std::string text = "#version: 0.2\n";
  for (const std::string& merge : written_merges(vocab)) text += merge + "\n";
  return text;
}

}  // namespace

HuggingFaceWriter::HuggingFaceWriter(const std::string& path, OutputModel model)
    : OutputDirectory(path),
      ModelWriter(file("model.safetensors"), std::move(model.tensors), shown("model.safetensors")) {
  const auto matrix = std::find_if(tensors_.begin(), tensors_.end(),
                                   [](const OutputTensor& tensor) { return tensor.shape.size() == 2; });
  const auto write_file = [&](const char* name, const std::string& text) {
    OutputFile out(file(name), shown(name));
    out.write(text.data(), text.size());
    out.commit();
  };
  write_file("config.json",
             dump(config_file(model.config, architecture_of_config(path, model.config).transformers_class,
                              model.vocab, matrix->dtype)) +
                 "\n");
  write_file("tokenizer_config.json", dump(tokenizer_config(model.vocab, model.config)) + "\n");
  write_file("vocab.json", dump(vocab_file(model.vocab), -1));
  write_file("merges.txt", merges_file(model.vocab));

  json header = {{"__metadata__", {{"format", "pt"}}}};  // transformers asks for it
  uint64_t end = 0;                                      // from the beginning of the data
  for (OutputTensor& tensor : tensors_) {
    if (!tensor.name.starts_with("lm_head.")) tensor.name.insert(0, "transformer.");
    offsets_.push_back(end);
    end += row_major_bytes(tensor);
    header[tensor.name] = {{"dtype", names_of(tensor.dtype).safetensors},
                           {"shape", tensor.shape},
                           {"data_offsets", {offsets_.back(), end}}};
  }
  std::string text = dump(header, -1);
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const uint64_t length = text.size();
  for (uint64_t& offset : offsets_) offset += sizeof(length) + length;
  file_bytes_ = sizeof(length) + length + end;
  check_room(path, file_bytes_);
  file_.write_at(0, &length, sizeof(length));
  file_.write_at(sizeof(length), text.data(), text.size());
}

void HuggingFaceWriter::finish() {
  ModelWriter::finish();
  commit();
}

}  // namespace gptj
