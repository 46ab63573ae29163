#include "gptj/generate.h"

#include <algorithm>

#include "engine/common_beginning.h"
#include "engine/continuation.h"
#include "engine/draft_length.h"
#include "engine/timer.h"
#include "gptj/drafter.h"

namespace gptj {
namespace {

class Generation {
 public:
  Generation(const Model& model, Session& session, Sampler& sampler, std::span<const int> prompt,
             const GenerateOptions& options, const GenerateCallbacks& callbacks, Drafter* drafter)
      : session_(session),
        options_(options),
        callbacks_(callbacks),
        drafter_(drafter),
        text_(model, sampler, prompt, options, callbacks) {}

  GenerateResult run() {
    text_.begin();
    if (!text_.ended()) read_prompt();
    while (!text_.ended()) {
      if (!text_.make_room(session_)) break;
      step();
    }
    result().pending = result().n_generated + (continued_ ? 1 : 0) > result().n_evaluated;
    return std::move(text_.result());
  }

 private:
  GenerateResult& result() { return text_.result(); }

  void read_prompt() {
    const std::vector<int> prompt(text_.tokens().begin(), text_.tokens().end());
    const int kept = forget_all_but(prompt);
    result().n_reused = kept + (continued_ ? 1 : 0);
    const auto rest = std::span(prompt).subspan(static_cast<size_t>(kept));
    if (options_.prompt_logits) return show_prompt_logits(prompt);
    if (continued_) return;
    std::span<const float> logits;
    {
      const Timer timer(result().prompt_ms);
      logits = session_.prefill(rest, [this] {
        text_.check();
        return text_.ended();
      });
    }
    if (!logits.empty()) text_.draw(logits);
  }

  /// The session keeps what it has in common with the prompt, except the last token, after which logits are wanted.
  /// Returns the number of tokens kept.
  int forget_all_but(std::span<const int> prompt) {
    const size_t most = prompt.size() - 1;
    size_t kept = std::min(common_beginning(session_.tokens(), prompt), most);
    continued_ = options_.continues && !options_.prompt_logits && kept == most;
    if ((session_.prefix_lm() && !continued_) || options_.prompt_logits) kept = 0;
    session_.truncate(static_cast<int>(kept));
    return session_.n_past();
  }

  /// Evaluates the whole prompt and shows each of its tokens with the logits that predicted it.
  void show_prompt_logits(std::span<const int> prompt) {
    const Timer timer(result().prompt_ms);
    if (callbacks_.token) callbacks_.token(prompt[0], {});
    session_.prefill_each(prompt, [&](int index, std::span<const float> logits) {
      const size_t next = static_cast<size_t>(index) + 1;
      if (next == prompt.size()) {
        text_.draw(logits);
      } else if (callbacks_.token) {
        callbacks_.token(prompt[next], logits);
      }
    });
  }

  /// Evaluates the last token, and with it guesses of the tokens that follow.
  void step() {
    double guess_ms = 0, pass_ms = 0;
    const int n_guesses = n_worth_guessing();
    const double sampled_before = result().sample_ms;
    const int accepted_before = result().n_accepted;
    std::span<const int> guesses;
    {
      const Timer timer(result().generate_ms);
      if (n_guesses > 0) drafter_->read(text_.tokens());
    }
    {
      const Timer timer(guess_ms);
      if (n_guesses > 0) guesses = text_.guess(*drafter_, n_guesses);
    }
    {
      const Timer timer(pass_ms);
      if (guesses.empty()) {
        text_.draw(session_.decode(text_.last()));
      } else {
        verify(guesses);
      }
    }
    ++result().n_evaluated;
    pass_ms -= result().sample_ms - sampled_before;
    result().generate_ms += guess_ms + pass_ms;
    length_.learn(static_cast<int>(guesses.size()), result().n_accepted - accepted_before, guess_ms, pass_ms);
  }

  int n_worth_guessing() {
    if (drafter_ == nullptr) return 0;
    const int room = std::min(session_.n_ctx() - session_.n_past(), session_.n_batch());
    const int left = options_.n_predict < 0 ? room : options_.n_predict - result().n_generated;
    return std::min({length_.next(), room - 1, left - 1});
  }

  /// Evaluates the last token and the guesses in one pass, and draws as far as the guesses are right.
  void verify(std::span<const int> guesses) {
    pass_.assign(1, text_.last());
    pass_.insert(pass_.end(), guesses.begin(), guesses.end());
    const int n_past = session_.n_past();
    size_t n_right = 0;
    bool right = true;
    session_.decode_each(pass_, [&](int index, std::span<const float> logits) {
      if (!right) return;
      text_.draw(logits);
      const auto i = static_cast<size_t>(index);
      right = !text_.ended() && i < guesses.size() && text_.last() == guesses[i];
      if (right) ++n_right;
    });
    session_.truncate(n_past + 1 + static_cast<int>(n_right));
    result().n_guessed += static_cast<int>(guesses.size());
    result().n_accepted += static_cast<int>(n_right);
    result().n_evaluated += static_cast<int>(n_right);
  }

  Session& session_;
  const GenerateOptions& options_;
  const GenerateCallbacks& callbacks_;
  Drafter* const drafter_;
  DraftLength length_;
  Continuation text_;
  bool continued_ = false;  // the prompt's last token was drawn by an earlier call: it is the first to decode
  std::vector<int> pass_;
};

}  // namespace

GenerateResult generate(const Model& model, Session& session, Sampler& sampler, std::span<const int> prompt,
                        const GenerateOptions& options, const GenerateCallbacks& callbacks,
                        Drafter* drafter) {
  const int drawn = options.continues && options.shift ? 1 : 0;
  check_prompt(prompt, session.n_ctx() + drawn);
  return Generation(model, session, sampler, prompt, options, callbacks, drafter).run();
}

}  // namespace gptj
