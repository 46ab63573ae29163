#include "gptj/batch.h"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "engine/common_beginning.h"
#include "engine/continuation.h"
#include "engine/timer.h"

namespace gptj {
namespace {

/// A text that is in the making, in a sequence of the session.
struct Running {
  Running(const Model& model, const BatchText& given, size_t its_index, const BatchCallbacks& of_batch)
      : index(its_index),
        sampler(given.sampling, model.tokenizer(), model.info().n_vocab),
        callbacks{.text = [this](std::string_view bytes) { return shown += bytes, true; },
                  .token =
                      [this, &of_batch](int id, std::span<const float> logits) {
                        if (of_batch.token) of_batch.token(index, id, logits);
                      },
                  .cancelled = of_batch.cancelled},
        text(model, sampler, given.prompt, given.options, callbacks) {}

  const size_t index;  // in the batch
  std::string shown;
  Sampler sampler;
  const GenerateCallbacks callbacks;
  Continuation text;
};

/// A sequence of the session.
struct Slot {
  std::unique_ptr<Running> running;  // null: the slot is free, but its tokens are still there
  int n_prompt = 0;  // tokens at the beginning of the sequence that were evaluated as part of a prompt
};

class Batch {
 public:
  Batch(const Model& model, Session& session, std::span<const BatchText> texts,
        const BatchCallbacks& callbacks)
      : model_(model),
        session_(session),
        texts_(texts),
        callbacks_(callbacks),
        slots_(static_cast<size_t>(session.n_sequences())) {}

  void run() {
    for (;;) {
      for (int free; may_begin() && (free = free_slot()) >= 0;) begin(free);
      if (std::none_of(slots_.begin(), slots_.end(), [](const Slot& s) { return s.running != nullptr; })) {
        return;
      }
      step();
    }
  }

 private:
  Slot& at(int slot) { return slots_[static_cast<size_t>(slot)]; }
  Continuation& text(int slot) { return at(slot).running->text; }

  bool may_begin() const {
    return next_ < texts_.size() && !(callbacks_.cancelled && callbacks_.cancelled());
  }

  int free_slot() const {
    const auto is_free = [](const Slot& slot) { return slot.running == nullptr; };
    const auto found = std::find_if(slots_.begin(), slots_.end(), is_free);
    return found == slots_.end() ? -1 : static_cast<int>(found - slots_.begin());
  }

  /// Begins the next text, and those after it with the same prompt that find a slot: they draw from the same logits.
  void begin(int first) {
    const std::vector<int>& prompt = texts_[next_].prompt;
    if (!take(first)) return;
    const std::vector<float> logits = read_prompt(first, prompt);
    draw(first, logits);
    while (next_ < texts_.size() && texts_[next_].prompt == prompt && !logits.empty()) {
      const int other = free_slot();
      if (other < 0) return;
      if (!take(other)) continue;
      session_.fork(first, other);
      at(other).n_prompt = at(first).n_prompt;
      text(other).result().n_reused = static_cast<int>(prompt.size());
      draw(other, logits);
    }
  }

  /// Gives this slot to the next text; false: that cannot be made.
  bool take(int slot) {
    const size_t index = next_++;
    try {
      check_prompt(texts_[index].prompt, session_.n_ctx());
      at(slot).running = std::make_unique<Running>(model_, texts_[index], index, callbacks_);
      return true;
    } catch (const Error& error) {
      deliver(index, {.error = error.what()});
      return false;
    }
  }

  /// The logits after the prompt; empty: the text ended before they were made.
  std::vector<float> read_prompt(int slot, std::span<const int> prompt) {
    try {
      const int kept = share_beginning(slot, prompt);
      GenerateResult& result = text(slot).result();
      result.n_reused = kept;
      const Timer timer(result.prompt_ms);
      const auto rest = prompt.subspan(static_cast<size_t>(kept));
      const auto ended = [&] { return text(slot).check(), text(slot).ended(); };
      const std::span<const float> logits = session_.prefill(rest, ended, slot);
      at(slot).n_prompt = session_.n_past(slot);
      return {logits.begin(), logits.end()};
    } catch (const Error& error) {
      deliver(std::exchange(at(slot).running, nullptr)->index, {.error = error.what()});
      return {};
    }
  }

  /// Makes the sequence a fork of the one that holds the longest beginning of the prompt, and returns its length: at
  /// most all but the last token, after which logits are wanted. Generated tokens do not count, for they were
  /// evaluated in decoding's arithmetic.
  int share_beginning(int slot, std::span<const int> prompt) {
    int longest = 0, from = slot;
    for (int other = 0; other < session_.n_sequences() && !session_.prefix_lm(); ++other) {
      const auto held = session_.tokens(other).first(static_cast<size_t>(at(other).n_prompt));
      const auto n = static_cast<int>(std::min(common_beginning(held, prompt), prompt.size() - 1));
      if (n > longest) longest = n, from = other;
    }
    session_.fork(from, slot);
    session_.truncate(longest, slot);
    at(slot).n_prompt = longest;
    return longest;
  }

  void draw(int slot, std::span<const float> logits) {
    if (at(slot).running == nullptr) return;
    if (!logits.empty()) text(slot).draw(logits);
    finish_if_ended(slot);
  }

  /// Continuation::make_room(); a context that shifts keeps less of the prompt.
  bool make_room(int slot) {
    const int n_past = session_.n_past(slot);
    const bool has_room = text(slot).make_room(session_, slot);
    if (session_.n_past(slot) < n_past) {
      at(slot).n_prompt = std::min(at(slot).n_prompt, texts_[at(slot).running->index].options.n_keep);
    }
    return has_room;
  }

  /// Adds one token to every text.
  void step() {
    pass_.clear();
    for (int slot = 0; slot < session_.n_sequences(); ++slot) {
      if (at(slot).running == nullptr) continue;
      if (make_room(slot)) pass_.push_back({text(slot).last(), slot});
      finish_if_ended(slot);
    }
    double pass_ms = 0, sample_ms = 0;
    {
      const Timer timer(pass_ms);
      session_.decode_each(pass_, [&](int index, std::span<const float> logits) {
        const Timer sampling(sample_ms);
        text(pass_[static_cast<size_t>(index)].sequence).draw(logits);
      });
    }
    for (const Session::Token& token : pass_) {
      GenerateResult& result = text(token.sequence).result();
      result.generate_ms += (pass_ms - sample_ms) / static_cast<double>(pass_.size());
      ++result.n_evaluated;
      finish_if_ended(token.sequence);
    }
  }

  void finish_if_ended(int slot) {
    if (!text(slot).ended()) return;
    const std::unique_ptr<Running> ended = std::exchange(at(slot).running, nullptr);
    deliver(ended->index, {.text = std::move(ended->shown), .details = std::move(ended->text.result())});
  }

  /// Hands out the result once those before it have been handed out.
  void deliver(size_t index, BatchResult result) {
    waiting_.emplace(index, std::move(result));
    for (; !waiting_.empty() && waiting_.begin()->first == delivered_; ++delivered_) {
      const auto first = waiting_.extract(waiting_.begin());
      callbacks_.done(first.key(), first.mapped());
    }
  }

  const Model& model_;
  Session& session_;
  const std::span<const BatchText> texts_;
  const BatchCallbacks& callbacks_;
  std::vector<Slot> slots_;
  std::vector<Session::Token> pass_;
  std::map<size_t, BatchResult> waiting_;  // of texts that have ended before an earlier one
  size_t next_ = 0;                        // the first text that has not begun
  size_t delivered_ = 0;                   // results that were handed out
};

}  // namespace

void generate_batch(const Model& model, Session& session, std::span<const BatchText> texts,
                    const BatchCallbacks& callbacks) {
  Batch(model, session, texts, callbacks).run();
}

}  // namespace gptj
