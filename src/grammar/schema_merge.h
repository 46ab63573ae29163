#pragma once

#include <string>

#include "grammar/schema_document.h"

namespace gptj {

/// One schema for what two schemas without $ref and allOf both admit; schemas inside them become an allOf. Throws
/// Error, naming `path`, if one schema cannot say it.
OrderedJson merge_schemas(const OrderedJson& a, const OrderedJson& b, const std::string& path);

/// A schema for what both admit: an allOf or something simpler.
OrderedJson both_schemas(const OrderedJson& a, const OrderedJson& b);

}  // namespace gptj
