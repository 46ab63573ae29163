#include "io/fixed_settings.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace gptj {

using nlohmann::json;

void FixedSettings::check(const char* key, const std::vector<json>& assumed) const {
  const json& value = config.at(key);
  const bool same = std::any_of(assumed.begin(), assumed.end(), [&](const json& fine) {
    // Numbers may be written with more or fewer digits: what counts is what a model computes with.
    return value.is_number() && fine.is_number() ? value.get<float>() == fine.get<float>() : value == fine;
  });
  if (same) return;
  fail("cannot write {}: {}: {} can only have {}, found {}; choose another form with --to", quoted(path), key,
       form, assumed.front().dump(), quoted(value.dump(-1, ' ', false, json::error_handler_t::replace)));
}

void FixedSettings::check_attention() const {
  if (config.at("model_type") != "gpt2") return;
  check("scale_attn_weights", {true});
  check("scale_attn_by_inverse_layer_idx", {false});
}

}  // namespace gptj
