#pragma once

#include <string>

#include "grammar/rules.h"
#include "grammar/schema_document.h"

namespace gptj {

/// The integers that a schema's bounds allow.
Expr schema_integers(const OrderedJson& schema);

/// The numbers that they allow, with fractions, too. Throws Error, naming `path`, for a bound that is not a whole
/// number or has too many digits.
Expr schema_numbers(const OrderedJson& schema, const std::string& path);

}  // namespace gptj
