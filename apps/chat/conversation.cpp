#include "chat/conversation.h"

#include <algorithm>
#include <utility>

#include "chat/unquoted.h"

namespace gptj::apps {
namespace {

/// Writes texts and tokens one after the other. Texts are not cut where they are tokenized: what "\n\n" becomes depends
/// on what follows.
class Writer {
 public:
  explicit Writer(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

  void text(std::string_view text) { pending_ += text; }
  void tokens(const std::vector<int>& ids) {
    if (ids.empty()) return;
    flush();
    for (const int id : ids) add(id);
  }
  void begin_exchange() { begins_.push_back(n_bytes_ + pending_.size()); }

  Script finish() {
    flush();
    size_t i = 0, bytes = 0;
    for (const size_t begin : begins_) {
      for (; i < script_.ids.size() && bytes < begin; ++i) bytes += tokenizer_.decode(script_.ids[i]).size();
      script_.begins.push_back(i);
    }
    return std::move(script_);
  }

 private:
  void flush() {
    for (const int id : tokenizer_.encode(std::exchange(pending_, {}))) add(id);
  }
  void add(int id) {
    script_.ids.push_back(id);
    n_bytes_ += tokenizer_.decode(id).size();
  }

  const Tokenizer& tokenizer_;
  std::string pending_;
  size_t n_bytes_ = 0;
  std::vector<size_t> begins_;  // in bytes
  Script script_;
};

}  // namespace

Answer Answer::of_text(std::string text) {
  Answer answer;
  answer.rest = text;
  answer.text = std::move(text);
  return answer;
}

void Answer::append(const std::string& bytes, const std::vector<int>& drawn, const Tokenizer& tokenizer,
                    bool clean) {
  const size_t end = clean ? bytes.find_last_not_of(kSpace) + 1 : bytes.size();
  size_t covered = 0;
  for (const int id : drawn) {
    const size_t size = tokenizer.decode(id).size();
    if (!rest.empty() || covered + size > end) break;
    tokens.push_back(id);
    covered += size;
  }
  rest += bytes.substr(covered, end - covered);
  const size_t begin = clean && text.empty() ? std::min(bytes.find_first_not_of(kSpace), end) : 0;
  text += bytes.substr(begin, end - begin);
  if (tokens.empty()) rest = text;
}

Script Conversation::script(const Tokenizer& tokenizer) const {
  Writer writer(tokenizer);
  if (!system_text().empty()) writer.text(preset.system.around(system_text()));
  for (size_t i = 0; i < exchanges.size(); ++i) {
    const Exchange& exchange = exchanges[i];
    writer.begin_exchange();
    if (exchange.user) writer.text(preset.user.around(*exchange.user));
    const Answer answer = exchange.answer.value_or(Answer());
    const bool is_mere_text = answer.tokens.empty() && !answer.rest.empty();
    writer.text(is_mere_text ? preset.assistant.before : preset.cue());
    writer.tokens(answer.tokens);
    writer.text(answer.rest);
    if (i + 1 < exchanges.size()) writer.text(preset.assistant.after);
  }
  return writer.finish();
}

}  // namespace gptj::apps
