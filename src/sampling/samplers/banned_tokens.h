#pragma once

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "base/error.h"
#include "sampling/sampler_type.h"
#include "sampling/setting_text.h"

namespace gptj::samplers {

/// Tokens that are never drawn.
inline SamplerType banned_tokens() {
  using Kind = SamplerSetting::Kind;
  return {.name = "banned-tokens",
          .role = SamplerType::Role::adjusts,
          .settings = {{.name = "banned-token",
                        .help = "id of a token that is never drawn; again for more",
                        .kind = Kind::texts,
                        .text_problem = [](std::string_view text) -> std::string {
                          if (parse_id(text)) return "";
                          return fmt::format("expected the id of a token, found {}", quoted(text));
                        }},
                       {.name = "ignore-eos",
                        .help = "never draw the end-of-text token",
                        .kind = Kind::flag,
                        .high = 1}},
          .make = [](const SamplerOptions& options, const Tokenizer& tokenizer, int n_vocab) -> Stage {
            std::vector<int> ids;
            for (const std::string& text : options.texts("banned-token")) {
              ids.push_back(parse_id(text).value());
              check_id("banned-token", ids.back(), n_vocab);
            }
            const std::optional<int> eos = tokenizer.eos();
            if (options.number("ignore-eos") != 0 && eos && *eos < n_vocab) ids.push_back(*eos);
            if (ids.empty()) return {};
            return {[ids = std::move(ids)](Candidates& candidates, const Place&) {
              for (const int id : ids) candidates.ban(id);
            }};
          }};
}

}  // namespace gptj::samplers
