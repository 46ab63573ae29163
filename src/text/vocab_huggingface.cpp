#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "text/byte_alphabet.h"
#include "text/json_file.h"
#include "text/merges.h"
#include "text/tokenizer_settings.h"
#include "text/vocab_files.h"

namespace gptj {

namespace {

using nlohmann::json;

using Ids = std::unordered_map<std::string, int>;  // by the text that the file writes for a token

Ids read_ids(const JsonFile& file, std::string_view field, const json& vocab) {
  if (!vocab.is_object()) file.fail(field, "an object", vocab);
  Ids ids;
  ids.reserve(vocab.size());
  for (const auto& [text, id] : vocab.items()) {
    ids.emplace(text, read_token_id(file, field, text, id));
  }
  return ids;
}

std::vector<MergedTexts> read_merges_txt(const std::string& path) {
  constexpr uint64_t kLimit = 128 << 20;
  const std::string text = read_text_file(path, kLimit);
  std::vector<MergedTexts> merges;
  std::string_view rest = text;
  for (int number = 1; !rest.empty(); ++number) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with("#version")) continue;
    auto merge = parse_merge(line);
    if (!merge) {
      fail("{}: line {}: expected two tokens with a space between, found {}", quoted(path), number,
           line.empty() ? "a blank line" : quoted(line));
    }
    merges.push_back(std::move(*merge));
  }
  return merges;
}

/// Merges are written "a b" or ["a", "b"].
std::vector<MergedTexts> read_merges_json(const JsonFile& file, const json& list) {
  if (!list.is_array()) file.fail("model.merges", "an array", list);
  std::vector<MergedTexts> merges;
  for (const json& entry : list) {
    std::optional<MergedTexts> merge;
    if (entry.is_string()) {
      merge = parse_merge(entry.get_ref<const std::string&>());
    } else if (entry.is_array() && entry.size() == 2 && entry[0].is_string() && entry[1].is_string()) {
      merge = MergedTexts{token_bytes(entry[0].get_ref<const std::string&>()),
                          token_bytes(entry[1].get_ref<const std::string&>())};
    }
    if (!merge) file.fail(fmt::format("model.merges[{}]", merges.size()), "a merge of two tokens", entry);
    merges.push_back(std::move(*merge));
  }
  return merges;
}

/// Gives each added token its id. A token that the vocabulary lacks brings its own id, or is dropped because the
/// model has no row for it.
void place_added(const std::string& source, const Ids& ids, std::vector<AddedToken>& added) {
  for (AddedToken& token : added) {
    const auto known = ids.find(token.text);
    if (known == ids.end()) continue;
    if (token.id >= 0 && token.id != known->second) {
      fail("{}: added token {}: expected the id {} as in the vocabulary, found {}", quoted(source),
           quoted(token.text), known->second, token.id);
    }
    token.id = known->second;
  }
  std::erase_if(added, [](const AddedToken& token) { return token.id < 0; });
}

/// The tokens' bytes in the order of their ids. These must be 0, 1, 2, ..., so that a file cannot ask for more memory
/// than its own size.
std::vector<std::string> tokens_by_id(const std::string& source, const Ids& ids,
                                      const std::vector<AddedToken>& added) {
  std::vector<std::pair<int, std::string>> tokens;
  tokens.reserve(ids.size() + added.size());
  for (const auto& [text, id] : ids) tokens.emplace_back(id, token_bytes(text));
  for (const AddedToken& token : added) {
    if (!ids.contains(token.text)) tokens.emplace_back(token.id, token.text);
  }
  std::sort(tokens.begin(), tokens.end());

  std::vector<std::string> by_id;
  by_id.reserve(tokens.size());
  for (auto& [id, bytes] : tokens) {
    if (std::cmp_not_equal(id, by_id.size())) {
      fail("{}: expected the token ids 0 to {}, each once; found {} {}, the id of {}", quoted(source),
           tokens.size() - 1, std::cmp_less(id, by_id.size()) ? "a second" : "a gap before", id,
           quoted(bytes));
    }
    by_id.push_back(std::move(bytes));
  }
  return by_id;
}

std::optional<int> id_of(const std::vector<AddedToken>& added, const std::optional<std::string>& text) {
  for (const AddedToken& token : added) {
    if (token.text == text) return token.id;
  }
  return {};
}

Vocab assemble(const std::string& source, const Ids& ids, const std::vector<MergedTexts>& merges,
               TokenizerSettings settings) {
  place_added(source, ids, settings.added);
  Vocab vocab;
  vocab.source = source;
  vocab.tokens = tokens_by_id(source, ids, settings.added);
  vocab.merges = merges_by_id(merges, vocab.tokens, source);
  vocab.bos = id_of(settings.added, settings.bos);
  vocab.eos = id_of(settings.added, settings.eos);
  vocab.added = std::move(settings.added);
  vocab.add_prefix_space = settings.add_prefix_space;
  return vocab;
}

Vocab from_tokenizer_json(const std::string& directory, const JsonFile& file) {
  const json& model = member(file.root, "model");
  if (!model.is_object()) file.fail("model", "an object", model);
  const json& type = member(model, "type");  // old files have none
  if (!type.is_null() && type != "BPE") file.fail("model.type", "'BPE'", type);
  const Ids ids = read_ids(file, "model.vocab", member(model, "vocab"));
  const std::vector<MergedTexts> merges = read_merges_json(file, member(model, "merges"));
  return assemble(file.path, ids, merges, read_tokenizer_settings(directory, &file));
}

Vocab from_vocab_json(const std::string& directory, const JsonFile& file) {
  const Ids ids = read_ids(file, "token", file.root);
  const std::vector<MergedTexts> merges = read_merges_txt(directory + "/merges.txt");
  return assemble(file.path, ids, merges, read_tokenizer_settings(directory, nullptr));
}

}  // namespace

Vocab read_vocab_directory(const std::string& directory) {
  if (const auto file = read_json_file_if_there(directory + "/tokenizer.json")) {
    return from_tokenizer_json(directory, *file);
  }
  if (const auto file = read_json_file_if_there(directory + "/vocab.json")) {
    return from_vocab_json(directory, *file);
  }
  fail("{}: expected tokenizer.json, or vocab.json and merges.txt, found neither", quoted(directory));
}

}  // namespace gptj
