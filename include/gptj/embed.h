#pragma once

#include <functional>
#include <span>

#include "gptj/session.h"

namespace gptj {

/// What is made of the hidden states of a text's tokens: their mean, the last one, or a row of each.
enum class Pooling { mean, last, none };

/// Their names on command lines, in the enumeration's order.
inline constexpr const char* kPoolingNames[] = {"mean", "last", "none"};

/// The last hidden states of a text, after the final norm, from an empty context: hands to `each` their mean [n_embd], that
/// of the last token, or those of all in turn. Throws Error when there are no tokens or more than session.n_ctx().
void embed(Session& session, std::span<const int> ids, Pooling pooling,
           const std::function<void(std::span<const float> row)>& each);

}  // namespace gptj
