#pragma once

#include <set>
#include <string>

#include "grammar/schema_document.h"

namespace gptj {

/// The schemas of a document, with their references resolved.
class SchemaResolver {
 public:
  explicit SchemaResolver(OrderedJson document) : document_(std::move(document)) {
    check_schema(document_, "#");
  }

  const OrderedJson& document() const { return document_; }

  /// The schema that `reference`, which stands at `path`, names. Throws Error if there is none.
  const OrderedJson& find(const std::string& reference, const std::string& path);

  /// A schema without $ref, allOf and annotations that says the same; or true or false. Throws Error if the schema
  /// refers to itself, or if there is no such schema.
  OrderedJson resolve(const OrderedJson& schema, const std::string& path) { return resolve(schema, path, 0); }

  /// Whether nothing that is written here for the first schema is valid by the second, both resolved. False: unknown.
  bool are_disjoint(const OrderedJson& written, const OrderedJson& other, const std::string& path,
                    int depth = 0);

 private:
  void spend(size_t bytes, const std::string& path);
  OrderedJson resolve(const OrderedJson& schema, const std::string& path, int depth);
  bool are_objects_disjoint(const OrderedJson& written, const OrderedJson& other, const std::string& path,
                            int depth);

  OrderedJson document_;
  std::set<std::string> checked_;  // references
  size_t work_ = 0;                // bytes of schemas that were merged or compared
};

}  // namespace gptj
