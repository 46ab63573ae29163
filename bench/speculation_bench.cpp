// What guessing gains: a text of a large model in 4 bits, plain and with a drafter, in turns (A B B A). The weights are made
// up and so is the share of right guesses: the drafter knows the text, makes mistakes as often as it is told to, and
// evaluates a small model for each guess as a real one would.
//
//   speculation_bench [SHAPE [DRAFT_SHAPE [TOKENS]]]     gptj-6b gpt2-117m 32

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "gptj/drafter.h"

namespace gptj {
namespace {

constexpr int kRuns = 3;  // pairs of pairs

/// Right with a probability of `right`, at the price of a token of `draft` for each guess; without one for nothing.
class KnowingDrafter : public Drafter {
 public:
  KnowingDrafter(std::vector<int> text, double right, Session* draft)
      : text_(std::move(text)), right_(right), draft_(draft) {}

  std::span<const int> guess(std::span<const int> text, int n_max, GrammarMatcher*) override {
    guesses_.clear();
    if (draft_ != nullptr) draft_->truncate(static_cast<int>(text.size()) - 1);
    for (size_t i = text.size(); i < text_.size() && guesses_.size() < static_cast<size_t>(n_max); ++i) {
      if (draft_ != nullptr) draft_->decode(text_[i - 1]);
      const bool wrong = static_cast<double>(i * 2654435761 % 1000) >= 1000 * right_;
      guesses_.push_back(text_[i] ^ static_cast<int>(wrong));
    }
    return guesses_;
  }

 private:
  std::vector<int> text_, guesses_;
  double right_;
  Session* draft_;
};

class Bench {
 public:
  Bench(const std::string& shape, const std::string& draft_shape, int n_tokens)
      : n_tokens_(n_tokens),
        model_(OpenedModel(SyntheticModel{shape, "q4"})),
        draft_(OpenedModel(SyntheticModel{draft_shape, "q4"})),
        session_(model_, {.n_ctx = n_tokens + 16}),
        draft_session_(draft_, {.n_ctx = n_tokens + 16}) {
    text_ = run(nullptr).tokens;
  }

  void compare(const std::string& name, double right, bool with_draft) {
    std::vector<double> ratios;
    GenerateResult guessed;
    for (int i = 0; i < kRuns; ++i) {
      draft_session_.truncate(0);
      draft_session_.prefill_each(text_, [](int, auto) {});
      KnowingDrafter drafter(text_, right, with_draft ? &draft_session_ : nullptr);
      const double a = run(nullptr).generate_ms;
      guessed = run(&drafter);
      const double b = guessed.generate_ms + run(&drafter).generate_ms;
      ratios.push_back((a + run(nullptr).generate_ms) / b);
      if (guessed.tokens != text_) throw Error("the text is another one");
    }
    std::sort(ratios.begin(), ratios.end());
    fmt::print("{:<34} {:5.2f} x plain ({:.2f} .. {:.2f}), {} of {} guesses right\n", name,
               ratios[ratios.size() / 2], ratios.front(), ratios.back(), guessed.n_accepted,
               guessed.n_guessed);
  }

 private:
  GenerateResult run(Drafter* drafter) {
    SamplerOptions greedy;
    greedy.set("temp", 0);
    Sampler sampler(greedy, model_.tokenizer(), model_.info().n_vocab);
    session_.truncate(0);
    const std::vector<int> prompt = {11, 22, 33, 44, 55, 66, 77, 88};
    return generate(model_, session_, sampler, prompt, {.n_predict = n_tokens_, .stop_at_eos = false}, {},
                    drafter);
  }

  int n_tokens_;
  Model model_, draft_;
  Session session_, draft_session_;
  std::vector<int> text_;
};

void run(const std::string& shape, const std::string& draft_shape, int n_tokens) {
  Bench bench(shape, draft_shape, n_tokens);
  for (const double right : {0.95, 0.8, 0.6, 0.3, 0.0}) {
    bench.compare(fmt::format("draft, {:.0f} % of guesses right", 100 * right), right, true);
  }
  for (const double right : {1.0, 0.8, 0.0}) {
    bench.compare(fmt::format("lookup, {:.0f} % of guesses right", 100 * right), right, false);
  }
}

}  // namespace
}  // namespace gptj

int main(int argc, char** argv) {
  gptj::run(argc > 1 ? argv[1] : "gptj-6b", argc > 2 ? argv[2] : "gpt2-117m",
            argc > 3 ? std::atoi(argv[3]) : 32);
}
