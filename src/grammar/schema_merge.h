#pragma once

#include <string>

#include "grammar/schema_document.h"

namespace gptj {

/// One schema for what both admit, of two without $ref and allOf; schemas inside become an allOf. What both have and cannot
/// be said by one is refused: Error, naming `path`.
OrderedJson merge_schemas(const OrderedJson& a, const OrderedJson& b, const std::string& path);

/// What both admit, as an allOf or simpler.
OrderedJson both_schemas(const OrderedJson& a, const OrderedJson& b);

}  // namespace gptj
