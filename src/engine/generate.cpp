#include "gptj/generate.h"

#include <chrono>

#include "base/error.h"
#include "base/trace.h"

namespace gptj {
namespace {

/// Adds the milliseconds of its life to `to`.
class Timer {
 public:
  explicit Timer(double& to) : to_(to), start_(std::chrono::steady_clock::now()) {}
  ~Timer() {
    const std::chrono::duration<double, std::milli> passed = std::chrono::steady_clock::now() - start_;
    to_ += passed.count();
  }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

 private:
  double& to_;
  const std::chrono::steady_clock::time_point start_;
};

}  // namespace

GenerateResult generate(const Model& model, Session& session, Sampler& sampler, std::span<const int> prompt,
                        const GenerateOptions& options, const GenerateCallbacks& callbacks) {
  GenerateResult result;
  result.n_prompt = static_cast<int>(prompt.size());
  const int room = session.n_ctx() - session.n_past();
  if (result.n_prompt > room) {
    fail("prompt: expected at most {} tokens, the room left in the context, found {}", room, prompt.size());
  }
  result.tokens.reserve(static_cast<size_t>(room) + 1);
  result.tokens.assign(prompt.begin(), prompt.end());
  const Tokenizer& tokenizer = model.tokenizer();
  const auto show = [&](int id) { return !callbacks.text || callbacks.text(tokenizer.decode(id)); };
  const auto cancelled = [&] { return callbacks.cancelled && callbacks.cancelled(); };
  const auto stopped = [&](StopReason reason) {
    result.reason = reason;
    return result;
  };

  for (const int id : prompt) {
    if (!show(id)) return stopped(StopReason::cancelled);
  }
  std::span<const float> logits;
  {
    const Timer timer(result.prompt_ms);
    logits = session.prefill(prompt, callbacks.cancelled);
  }
  if (logits.empty()) return stopped(StopReason::cancelled);
  while (result.n_generated < options.n_predict) {
    if (cancelled()) return stopped(StopReason::cancelled);
    int id;
    {
      const Timer timer(result.sample_ms);
      const trace::Scope scope("sample");
      id = sampler.sample(logits, result.tokens);
    }
    result.tokens.push_back(id);
    ++result.n_generated;
    if (options.stop_at_eos && id == tokenizer.eos()) return stopped(StopReason::end_of_text);
    if (!show(id)) return stopped(StopReason::cancelled);
    if (result.n_generated == options.n_predict) break;
    if (session.n_past() == session.n_ctx()) return stopped(StopReason::context_full);
    const Timer timer(result.generate_ms);
    logits = session.decode(id);
    ++result.n_evaluated;
  }
  return stopped(StopReason::length);
}

}  // namespace gptj
