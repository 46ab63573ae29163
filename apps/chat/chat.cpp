#include "chat/chat.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "chat/output.h"
#include "chat/unquoted.h"
#include "gptj/error.h"
#include "terminal/console.h"

namespace gptj::apps {
namespace {

constexpr std::string_view kMark = "> ";

/// The longest of `stops` that `text` ends with.
std::string ending_stop(std::string_view text, const std::vector<std::string>& stops) {
  std::string longest;
  for (const std::string& stop : stops) {
    if (text.ends_with(stop) && stop.size() > longest.size()) longest = stop;
  }
  return longest;
}

/// What is put between a running text and what the user adds, so that it reads as it looks on the screen.
std::string joint(std::string_view before, bool after_stop, std::string_view added) {
  if (before.empty() || before.ends_with('\n')) return "";
  if (!after_stop) return "\n";
  const bool spaced = before.ends_with(' ') || (!added.empty() && kSpace.find(added.front()) != kSpace.npos);
  return spaced ? "" : " ";
}

}  // namespace

Chat::Chat(const Model& model, Session& session, ChatSettings settings, Drafter* drafter, const Log& log)
    : model_(model), session_(session), settings_(std::move(settings)), drafter_(drafter), log_(log) {}

void Chat::replace(Conversation conversation) {
  conversation_ = std::move(conversation);
  window_ = {};
}

void Chat::change(ChatSettings settings) {
  Sampler(settings.sampling.sampler, model_.tokenizer(), model_.info().n_vocab);  // or what is wrong
  settings_ = std::move(settings);
}

std::string Chat::seen_text() const {
  return model_.tokenizer().decode(window_.seen(conversation_.script(model_.tokenizer())));
}

int Chat::n_seen() const {
  return static_cast<int>(window_.seen(conversation_.script(model_.tokenizer())).size());
}

std::string Chat::open_turn() const {
  return conversation_.preset.is_running_text() ? ending_stop(seen_text(), settings_.stop) : "";
}

std::string Chat::prompt() const {
  std::string turn = open_turn();
  if (turn.find_last_not_of(kSpace) == turn.npos || turn.ends_with('\n')) return std::string(kMark);
  turn.erase(0, turn.find_first_not_of(kSpace));
  return turn.ends_with(' ') ? turn : turn + ' ';
}

void Chat::begin() {
  if (!conversation_.preset.is_running_text() || conversation_.system_text().empty()) return;
  const std::string& text = conversation_.system_text();
  const std::string turn = open_turn();
  const std::string shown = text.substr(0, text.size() - turn.size());
  write_out(shown);
  if (turn.empty()) return go_on();
  if (!shown.empty() && !shown.ends_with('\n')) write_out("\n");
}

void Chat::say(const std::string& text) {
  std::string added = text;
  if (conversation_.preset.is_running_text()) {
    added = joint(seen_text(), !open_turn().empty(), text) + text;
  }
  Conversation longer = conversation_;
  longer.exchanges.push_back({.user = added, .answer = {}});
  answer(longer);
}

void Chat::go_on() {
  Conversation longer = conversation_;
  if (longer.exchanges.empty()) {
    if (!longer.preset.is_running_text()) throw Error("nothing to go on with: expected a message first");
    longer.exchanges.emplace_back();
  }
  answer(longer);
}

void Chat::retry() {
  if (conversation_.exchanges.empty()) throw Error("no answer to give anew: nothing was said yet");
  Conversation again = conversation_;
  again.exchanges.back().answer.reset();
  ++settings_.sampling.sampler.seed;
  answer(again);
}

void Chat::undo() {
  if (conversation_.exchanges.empty()) throw Error("no exchange to remove: nothing was said yet");
  conversation_.exchanges.pop_back();
}

GenerateOptions Chat::generate_options(const Conversation& conversation) const {
  GenerateOptions options;
  options.n_predict = settings_.n_predict;
  options.max_seconds = settings_.max_seconds;
  options.grammar = settings_.grammar;
  options.stop_at_eos = settings_.sampling.sampler.number("ignore-eos") == 0;
  options.stop = settings_.stop;
  options.stop.insert(options.stop.end(), conversation.preset.stop.begin(), conversation.preset.stop.end());
  options.shift = true;
  options.n_keep = window_.n_kept();
  return options;
}

std::vector<int> Chat::prompt_ids(const Conversation& conversation) {
  const Tokenizer& tokenizer = model_.tokenizer();
  const int n_before = window_.n_left_out();
  const int room = settings_.n_predict < 0 ? std::numeric_limits<int>::max() : settings_.n_predict;
  std::vector<int> ids =
      window_.fit(conversation.script(tokenizer), conversation.preset.is_running_text(), room, session_);
  if (n_before == 0 && window_.n_left_out() > 0) {
    log_.line("{}chat: the context is full: from now on the model does not see the oldest exchanges{}",
              style_.note, style_.end);
  }
  if (!ids.empty()) return ids;
  if (!tokenizer.eos())
    throw Error("nothing to continue: expected text, as the model has no end-of-text token");
  return {*tokenizer.eos()};  // which stood between texts in training
}

void Chat::answer(Conversation& conversation) {
  const bool clean = !conversation.preset.is_running_text();
  const std::vector<int> ids = prompt_ids(conversation);
  const GenerateOptions options = generate_options(conversation);
  Sampler sampler(settings_.sampling.sampler, model_.tokenizer(), model_.info().n_vocab);
  AnswerOutput output(clean);
  size_t n_prompt_left = ids.size();  // its bytes come first
  GenerateCallbacks callbacks;
  callbacks.text = [&](std::string_view bytes) {
    if (n_prompt_left > 0) {
      --n_prompt_left;
    } else {
      output.push(bytes);
    }
    return true;
  };
  callbacks.cancelled = stop_asked;
  const GenerateResult result = generate(model_, session_, sampler, ids, options, callbacks, drafter_);
  const bool interrupted = take_interrupt();
  output.finish(interrupted);

  std::string bytes = output.bytes();
  if (!clean && result.stop >= 0) bytes += options.stop[static_cast<size_t>(result.stop)];
  std::optional<Answer>& answer = conversation.exchanges.back().answer;
  if (!answer) answer.emplace();
  const std::vector<int> drawn(result.tokens.begin() + result.n_prompt, result.tokens.end());
  answer->append(bytes, drawn, model_.tokenizer(), clean);
  conversation_ = std::move(conversation);
  report(result, bytes.empty() && !interrupted && result.reason != StopReason::time);
}

void Chat::report(const GenerateResult& result, bool said_nothing) const {
  if (said_nothing) log_.line("{}chat: the model ended the text at once{}", style_.note, style_.end);
  if (result.reason == StopReason::time) {
    log_.line("{}chat: stopped after {:.3g} seconds{}", style_.note, settings_.max_seconds, style_.end);
  }
  if (!log_.verbose()) return;
  log_.line(
      "{}chat: {} tokens read in {:.2f} ms ({} were known), {} written in {:.2f} ms: {:.2f} ms per token{}",
      style_.note, result.n_prompt - result.n_reused, result.prompt_ms, result.n_reused, result.n_generated,
      result.generate_ms, result.n_evaluated == 0 ? 0 : result.generate_ms / result.n_evaluated, style_.end);
}

}  // namespace gptj::apps
