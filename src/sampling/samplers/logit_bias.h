#pragma once

#include <fmt/format.h>

#include <cmath>
#include <utility>
#include <vector>

#include "base/error.h"
#include "sampling/sampler_type.h"
#include "sampling/setting_text.h"

namespace gptj::samplers {

struct LogitBias {
  int id = 0;
  float bias = 0;
};

/// "15043+1.5", "15043-inf", as llama.cpp writes them.
inline std::optional<LogitBias> parse_logit_bias(std::string_view text) {
  const size_t sign = text.find_first_of("+-");
  if (sign == text.npos) return {};
  const std::optional<int> id = parse_id(text.substr(0, sign));
  if (!id) return {};
  if (text.substr(sign) == "-inf") return LogitBias{*id, Candidates::kOut};
  const std::optional<double> size = parse_number(text.substr(sign + 1));
  constexpr double kLarge = 1e6;
  if (!size || !(*size >= 0 && *size <= kLarge)) return {};
  return LogitBias{*id, static_cast<float>(text[sign] == '-' ? -*size : *size)};
}

/// A number added to the logit of a token; several for the same token add up.
inline SamplerType logit_bias() {
  return {.name = "logit-bias",
          .role = SamplerType::Role::adjusts,
          .settings = {{.name = "logit-bias",
                        .help = "added to a token's logit: ID+NUMBER, ID-NUMBER or ID-inf; again for more",
                        .kind = SamplerSetting::Kind::texts,
                        .text_problem = [](std::string_view text) -> std::string {
                          if (parse_logit_bias(text)) return "";
                          return fmt::format("expected ID+NUMBER, ID-NUMBER or ID-inf, found {}",
                                             quoted(text));
                        }}},
          .make = [](const SamplerOptions& options, const Tokenizer&, int n_vocab) -> Stage {
            std::vector<LogitBias> all;
            for (const std::string& text : options.texts("logit-bias")) {
              all.push_back(parse_logit_bias(text).value());
              check_id("logit-bias", all.back().id, n_vocab);
            }
            if (all.empty()) return {};
            return {[all = std::move(all)](Candidates& candidates, const Place&) {
              for (const LogitBias& one : all) candidates.add(one.id, one.bias);
            }};
          }};
}

}  // namespace gptj::samplers
