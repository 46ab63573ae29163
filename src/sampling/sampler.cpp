#include "gptj/sampler.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "base/error.h"
#include "sampling/sampler_type.h"
#include "sampling/samplers/banned_strings.h"
#include "sampling/samplers/banned_tokens.h"
#include "sampling/samplers/dry.h"
#include "sampling/samplers/logit_bias.h"
#include "sampling/samplers/min_p.h"
#include "sampling/samplers/mirostat.h"
#include "sampling/samplers/no_repeat_ngram.h"
#include "sampling/samplers/penalties.h"
#include "sampling/samplers/temperature.h"
#include "sampling/samplers/top_k.h"
#include "sampling/samplers/top_n_sigma.h"
#include "sampling/samplers/top_p.h"
#include "sampling/samplers/typical.h"
#include "sampling/samplers/xtc.h"

namespace gptj {
namespace {

using namespace samplers;

/// THE list, in the order in which samplers work unless another order is asked for. The temperature comes before all
/// samplers that look at probabilities, as in ggml's gpt-j and in transformers (llama.cpp has it last); top-n-sigma
/// and top-k give the same before and after it, and leave it less to do.
const std::vector<SamplerType>& types() {
  static const std::vector<SamplerType> all = {
      logit_bias(),     penalties(),   dry(),   no_repeat_ngram(), banned_tokens(),
      banned_strings(), top_n_sigma(), top_k(), temperature(),     typical(),
      top_p(),          min_p(),       xtc(),   mirostat()};
  return all;
}

std::vector<std::string_view> type_names() {
  std::vector<std::string_view> names;
  for (const SamplerType& type : types()) names.emplace_back(type.name);
  return names;
}

/// The type with this name, or with a setting of this name; null: there is none.
const SamplerType* type_named(std::string name) {
  std::replace(name.begin(), name.end(), '_', '-');
  for (const SamplerType& type : types()) {
    const auto named = [&](const SamplerSetting& setting) { return setting.goes_by(name); };
    if (type.name == name || std::any_of(type.settings.begin(), type.settings.end(), named)) return &type;
  }
  return nullptr;
}

/// The names between ';' or ','.
std::vector<std::string> split(std::string_view order) {
  std::vector<std::string> names;
  while (true) {
    const size_t end = order.find_first_of(";,");
    names.emplace_back(order.substr(0, end));
    if (end == order.npos) return names;
    order.remove_prefix(end + 1);
  }
}

std::string order_problem(std::string_view order) {
  std::vector<const SamplerType*> seen;
  for (const std::string& name : split(order)) {
    const SamplerType* type = type_named(name);
    if (type == nullptr) {
      return fmt::format("expected samplers of the list {}, found {}", fmt::join(type_names(), ";"),
                         quoted(name));
    }
    if (std::find(seen.begin(), seen.end(), type) != seen.end()) {
      return fmt::format("expected each sampler once, found {} again", quoted(name));
    }
    seen.push_back(type);
  }
  return "";
}

std::vector<SamplerSetting> all_settings() {
  std::vector<SamplerSetting> all;
  for (const SamplerType& type : types()) all.insert(all.end(), type.settings.begin(), type.settings.end());
  all.push_back({.name = "samplers",
                 .help = "which samplers work, in this order",
                 .kind = SamplerSetting::Kind::text,
                 .text_fallback = fmt::format("{}", fmt::join(type_names(), ";")),
                 .text_problem = order_problem});
  return all;
}

std::vector<Stage> make_chain(const SamplerOptions& options, const Tokenizer& tokenizer, int n_vocab) {
  using Role = SamplerType::Role;
  std::vector<std::pair<Role, Stage>> stages;
  bool truncates_instead = false;
  for (const std::string& name : split(options.text("samplers"))) {
    const SamplerType& type = *type_named(name);
    Stage stage = type.make(options, tokenizer, n_vocab);
    if (!stage) continue;
    truncates_instead |= type.role == Role::truncates_instead;
    stages.emplace_back(type.role, std::move(stage));
  }
  std::vector<Stage> chain;
  for (auto& [role, stage] : stages) {
    if (role != Role::truncates || !truncates_instead) chain.push_back(std::move(stage));
  }
  return chain;
}

/// The first token that may come.
int first_of(std::span<const uint64_t> allowed) {
  constexpr int kBits = 64;
  for (size_t word = 0; word < allowed.size(); ++word) {
    if (allowed[word] != 0) return static_cast<int>(word) * kBits + std::countr_zero(allowed[word]);
  }
  return 0;
}

}  // namespace

std::span<const SamplerSetting> sampler_settings() {
  static const std::vector<SamplerSetting> all = all_settings();
  return all;
}

struct Sampler::Impl {
  Impl(const SamplerOptions& options, const Tokenizer& tokenizer, int n_vocab)
      : seed(options.seed),
        chain(make_chain(options, tokenizer, n_vocab)),
        candidates(static_cast<size_t>(n_vocab)) {}

  /// False: no token remained, and one was taken that no sampler chose.
  bool run(std::span<const float> logits, const Place& place, std::span<const uint64_t> allowed) {
    candidates.fill(logits, allowed);
    for (Stage& stage : chain) {
      if (candidates.max() == Candidates::kOut) break;
      stage.apply(candidates, place);
    }
    if (candidates.max() != Candidates::kOut) return true;
    candidates.fill_with(first_of(allowed));
    return false;
  }

  uint64_t seed;
  std::vector<Stage> chain;
  Candidates candidates;
};

Sampler::Sampler(const SamplerOptions& options, const Tokenizer& tokenizer, int n_vocab)
    : impl_(std::make_unique<Impl>(options, tokenizer, n_vocab)) {}
Sampler::Sampler(Sampler&&) noexcept = default;
Sampler& Sampler::operator=(Sampler&&) noexcept = default;
Sampler::~Sampler() = default;

int Sampler::sample(std::span<const float> logits, std::span<const int> context,
                    std::span<const uint64_t> allowed) {
  const Place place{context, impl_->seed};
  const bool chosen = impl_->run(logits, place, allowed);
  Candidates& candidates = impl_->candidates;
  const size_t drawn = candidates.at(place.random(kDrawStream));
  for (const Stage& stage : impl_->chain) {
    if (chosen && stage.drawn) stage.drawn(static_cast<double>(candidates.weights()[drawn]));
  }
  return candidates.id(drawn);
}

std::span<const Candidate> Sampler::distribution(std::span<const float> logits, std::span<const int> context,
                                                 std::span<const uint64_t> allowed) {
  impl_->run(logits, {context, impl_->seed}, allowed);
  return impl_->candidates.distribution();
}

}  // namespace gptj
