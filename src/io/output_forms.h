#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "io/model_file.h"
#include "io/model_writer.h"

namespace gptj {

/// A form that models are written in.
struct OutputForm {
  std::string_view name;         // "ggml"
  std::string_view description;  // for help and messages
  std::string_view extension;    // of names that ask for this form; "": names without one
  Naming naming;
  bool panels;         // matrices lie in panels, vectors are padded as in memory
  bool conv1d;         // GPT-2's Conv1D matrices lie transposed, [n, rows]
  bool one_type;       // all matrices have one type, except positions, which are F32
  bool plain_vectors;  // vectors keep their type; otherwise they become F32
  bool (*stores)(DType);
  std::unique_ptr<ModelWriter> (*make)(const std::string& path, OutputModel model);
};

/// THE list of the forms that models are written in.
std::span<const OutputForm> output_forms();

/// The form of that name or, if `name` is empty, the one that `path`'s extension asks for, else our own. Throws Error
/// if there is no form of that name.
const OutputForm& output_form(const std::string& name, const std::string& path);

}  // namespace gptj
