#pragma once

#include <functional>
#include <span>

#include "gptj/session.h"

namespace gptj {

/// What a text's embedding is made from: all of its tokens' hidden states, the last one, or each as it is.
enum class Pooling { mean, last, none };
inline constexpr const char* kPoolingNames[] = {"mean", "last", "none"};  // index: Pooling

/// Evaluates a text from an empty context and hands to `each` rows [n_embd] of hidden states after the final norm:
/// their mean, that of the last token, or those of all tokens in turn. Throws Error if there are no tokens or more
/// than session.n_ctx().
void embed(Session& session, std::span<const int> ids, Pooling pooling,
           const std::function<void(std::span<const float> row)>& each);

}  // namespace gptj
