#include "gptj/beams.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "engine/continuation.h"
#include "engine/timer.h"
#include "gptj/log_softmax.h"

namespace gptj {
namespace {

/// A text that is followed.
struct Growing {
  std::vector<int> tokens;
  double log_p = 0;  // of all of them
};

/// A growing text with one more token.
struct Candidate {
  size_t parent;
  int id;
  double log_p;
};

/// Ties go to the earlier beam and the lower id.
bool better(const Candidate& a, const Candidate& b) {
  if (a.log_p != b.log_p) return a.log_p > b.log_p;
  return a.parent != b.parent ? a.parent < b.parent : a.id < b.id;
}

/// Keeps the `n` best of the candidates that are added.
class BestCandidates {
 public:
  explicit BestCandidates(size_t n) : n_(n) {}

  void add(const Candidate& candidate) {
    if (heap_.size() == n_ && !better(candidate, heap_.front())) return;
    if (heap_.size() == n_) {
      std::pop_heap(heap_.begin(), heap_.end(), better);
      heap_.pop_back();
    }
    heap_.push_back(candidate);
    std::push_heap(heap_.begin(), heap_.end(), better);
  }

  std::vector<Candidate> take_sorted() {
    std::sort_heap(heap_.begin(), heap_.end(), better);
    return std::exchange(heap_, {});
  }

 private:
  const size_t n_;
  std::vector<Candidate> heap_;  // the worst first
};

class BeamSearch {
 public:
  BeamSearch(Session& session, const BeamOptions& options, const std::function<bool()>& cancelled)
      : session_(session),
        options_(options),
        cancelled_(cancelled),
        n_beams_(static_cast<size_t>(options.n_beams)),
        candidates_(2 * n_beams_) {}  // at most one of each beam's ends the text: n_beams remain to go on

  BeamResult run(std::span<const int> prompt) {
    const int room = session_.n_ctx() - static_cast<int>(prompt.size()) + 1;
    context_ends_it_ = options_.n_predict < 0 || options_.n_predict > room;
    max_tokens_ = static_cast<size_t>(context_ends_it_ ? room : options_.n_predict);
    if (max_tokens_ == 0) return {.beams = {Beam{}}};
    read_prompt(prompt);
    const Timer timer(result_.generate_ms);
    while (!growing_.empty()) {
      choose();
      if (growing_.empty() || (cancelled_ && cancelled_())) break;
      evaluate();
    }
    for (Growing& text : growing_) finish(std::move(text), StopReason::cancelled);
    result_.beams.resize(std::min(result_.beams.size(), static_cast<size_t>(options_.n_best)));
    return std::move(result_);
  }

 private:
  void read_prompt(std::span<const int> prompt) {
    for (int i = 0; i < session_.n_sequences(); ++i) session_.truncate(0, i);
    const Timer timer(result_.prompt_ms);
    const std::span<const float> logits = session_.prefill(prompt, cancelled_);
    if (logits.empty()) return;
    growing_.emplace_back();
    add_candidates(0, logits);
  }

  void add_candidates(size_t parent, std::span<const float> logits) {
    const double others = growing_[parent].log_p - log_sum_exp(logits);
    for (size_t id = 0; id < logits.size(); ++id) {
      const Candidate candidate{parent, static_cast<int>(id), others + static_cast<double>(logits[id])};
      if (candidate.id != options_.banned_token) candidates_.add(candidate);
    }
  }

  /// Of the candidates, the best that do not end become the texts that are followed; those that end may become results.
  void choose() {
    const std::vector<Candidate> candidates = candidates_.take_sorted();
    const bool longest = growing_[0].tokens.size() + 1 == max_tokens_;
    std::vector<Growing> next;
    std::vector<size_t> parents;
    for (size_t i = 0; i < candidates.size(); ++i) {
      const Candidate& c = candidates[i];
      const bool ends = c.id == options_.end_token || longest;
      // An end counts only among the n_beams best.
      if (ends ? i >= n_beams_ : next.size() == n_beams_) continue;
      Growing text = growing_[c.parent];
      text.tokens.push_back(c.id);
      text.log_p = c.log_p;
      if (ends) {
        finish(std::move(text), c.id == options_.end_token ? StopReason::end_of_text
                                : context_ends_it_         ? StopReason::context_full
                                                           : StopReason::length);
      } else {
        next.push_back(std::move(text));
        parents.push_back(c.parent);
      }
    }
    growing_ = std::move(next);
    if (growing_.empty() || found_enough()) return growing_.clear();
    fork(parents);
  }

  double score(double log_p, size_t length) const {
    return log_p / std::pow(static_cast<double>(length), options_.length_penalty);
  }

  void finish(Growing text, StopReason reason) {
    const double its_score = score(text.log_p, text.tokens.size());
    std::vector<Beam>& beams = result_.beams;
    const auto place =
        std::find_if(beams.begin(), beams.end(), [&](const Beam& b) { return b.score < its_score; });
    beams.insert(place, {std::move(text.tokens), its_score, reason});
    if (beams.size() > n_beams_) beams.pop_back();
  }

  bool found_enough() const {
    if (result_.beams.size() < n_beams_) return false;
    if (options_.early_stopping == EarlyStopping::yes) return true;
    const bool gains = options_.early_stopping == EarlyStopping::never && options_.length_penalty > 0;
    const Growing& best = growing_[0];
    return score(best.log_p, gains ? max_tokens_ : best.tokens.size()) <= result_.beams.back().score;
  }

  /// Makes sequence i hold the parent of text i. A parent's first child keeps its sequence, the others get the
  /// sequences of texts without children, of which there are as many. Texts are put in the order of their sequences.
  void fork(const std::vector<size_t>& parents) {
    std::vector<Growing> placed(n_beams_);
    std::vector<size_t> later;
    std::vector<bool> taken(n_beams_, false);
    for (size_t i = 0; i < parents.size(); ++i) {
      if (taken[parents[i]]) {
        later.push_back(i);
        continue;
      }
      taken[parents[i]] = true;
      placed[parents[i]] = std::move(growing_[i]);
    }
    for (const size_t i : later) {
      const auto free = static_cast<size_t>(std::find(taken.begin(), taken.end(), false) - taken.begin());
      taken[free] = true;
      session_.fork(static_cast<int>(parents[i]), static_cast<int>(free));
      placed[free] = std::move(growing_[i]);
    }
    growing_ = std::move(placed);
  }

  void evaluate() {
    std::vector<Session::Token> pass;
    for (size_t i = 0; i < growing_.size(); ++i) {
      pass.push_back({growing_[i].tokens.back(), static_cast<int>(i)});
    }
    session_.decode_each(pass, [&](int index, std::span<const float> logits) {
      add_candidates(static_cast<size_t>(index), logits);
    });
    result_.n_evaluated += static_cast<int>(pass.size());
  }

  Session& session_;
  const BeamOptions& options_;
  const std::function<bool()>& cancelled_;
  const size_t n_beams_;
  size_t max_tokens_ = 0;  // of an answer
  bool context_ends_it_ = false;
  std::vector<Growing> growing_;  // index: the sequence that holds all of it but the last token
  BestCandidates candidates_;
  BeamResult result_;
};

void check(const BeamOptions& options, const Model& model, const Session& session) {
  const int most = std::min(session.n_sequences(), model.info().n_vocab / 2);
  if (options.n_beams < 1 || options.n_beams > most) {
    fail("beams: expected 1 to {}, found {}", most, options.n_beams);
  }
  if (options.n_best < 1 || options.n_best > options.n_beams) {
    fail("best texts: expected 1 to {}, the number of beams, found {}", options.n_beams, options.n_best);
  }
  if (!std::isfinite(options.length_penalty)) {
    fail("length penalty: expected a number, found {}", options.length_penalty);
  }
}

}  // namespace

BeamResult search_beams(const Model& model, Session& session, std::span<const int> prompt,
                        const BeamOptions& options, const std::function<bool()>& cancelled) {
  check(options, model, session);
  check_prompt(prompt, session.n_ctx());
  return BeamSearch(session, options, cancelled).run(prompt);
}

}  // namespace gptj
