#include "commands/perplexity_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace gptj::apps {
namespace {

constexpr std::string_view kMethod =
    "windows without overlap, each evaluated from an empty context, the second half of each scored "
    "(as llama.cpp's perplexity)";

std::string text_of(const KlResult& kl) {
  return fmt::format(
      "base perplexity = {:.4f}\n"
      "perplexity ratio = {:.6f} +/- {:.6f}\n"
      "KL divergence = {:.6f} +/- {:.6f} nats per token\n"
      "KL divergence percentiles = 50 %: {:.6f}, 90 %: {:.6f}, 99 %: {:.6f}, 99.9 %: {:.6f}, maximum: "
      "{:.6f}\n"
      "same top token = {:.3f} +/- {:.3f} %\n"
      "change of p = {:.4f} +/- {:.4f} %, root mean square {:.4f} %\n",
      kl.base_perplexity, kl.ratio, kl.ratio_error, kl.mean, kl.error, kl.median, kl.percentile_90,
      kl.percentile_99, kl.percentile_99_9, kl.max, 100 * kl.same_top, 100 * kl.same_top_error,
      100 * kl.delta_p, 100 * kl.delta_p_error, 100 * kl.delta_p_rms);
}

nlohmann::ordered_json json_of(const KlResult& kl) {
  return {{"mean", kl.mean},
          {"error", kl.error},
          {"median", kl.median},
          {"percentile_90", kl.percentile_90},
          {"percentile_99", kl.percentile_99},
          {"percentile_99_9", kl.percentile_99_9},
          {"max", kl.max},
          {"same_top", kl.same_top},
          {"same_top_error", kl.same_top_error},
          {"delta_p", kl.delta_p},
          {"delta_p_error", kl.delta_p_error},
          {"delta_p_rms", kl.delta_p_rms},
          {"base_perplexity", kl.base_perplexity},
          {"perplexity_ratio", kl.ratio},
          {"perplexity_ratio_error", kl.ratio_error}};
}

}  // namespace

std::string PerplexityReport::as_text() const {
  return fmt::format(
      "perplexity = {:.4f} +/- {:.4f}\n"
      "nll = {:.6f} nats per token\n"
      "{}"
      "windows = {} of {} tokens ({} of {} tokens scored)\n"
      "method = {}\n",
      result.perplexity, result.error, result.nll, kl ? text_of(*kl) : "", result.n_windows, n_ctx,
      result.n_scored, n_tokens, kMethod);
}

std::string PerplexityReport::as_json() const {
  nlohmann::ordered_json out = {{"perplexity", result.perplexity},
                                {"error", result.error},
                                {"nll", result.nll},
                                {"n_ctx", n_ctx},
                                {"n_windows", result.n_windows},
                                {"n_scored", result.n_scored},
                                {"n_tokens", n_tokens},
                                {"method", kMethod}};
  if (kl) out["kl"] = json_of(*kl);
  return out.dump() + "\n";
}

}  // namespace gptj::apps
