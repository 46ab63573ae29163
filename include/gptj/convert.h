#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gptj/model.h"

namespace gptj {

struct ConvertOptions {
  std::string type = {};  // one of weight_types(); empty: as the weights are
  /// The name of one of written_forms(); empty: the form that the extension of `out` asks for.
  std::string form = {};
  std::string importance = {};  // a file of measure_importance(); empty: every column counts alike
  int n_threads = 0;            // 0: one per physical core
  Progress progress = {};       // bytes of `in`
};

struct ConvertedMatrix {
  std::string name;  // in `out`
  std::string type;
  uint64_t n_values = 0;
  uint64_t bytes = 0;
  double error = 0;        // relative squared error: sum (x - stored)^2 / sum x^2
  bool by_length = false;  // of another type than asked for, because its rows are no whole number of blocks
};

struct ConvertResult {
  std::string form;           // "a GGUF file"
  uint64_t bytes_before = 0;  // of the weights in `in`
  uint64_t bytes = 0;         // of the file written
  double bits = 0;            // per value, on average of all matrices
  double error = 0;           // relative squared error of all matrices together
  std::vector<ConvertedMatrix> matrices;
  std::vector<std::string> warnings;  // what `out`'s form cannot say, or what had been lost before
};

/// The types that weights can be stored in, the smallest first.
std::vector<std::string> weight_types();

/// The forms that models can be written in, our own first.
struct WrittenForm {
  std::string name;         // "native", "ggml", ...
  std::string description;  // "a GGUF file"
  std::string extension;    // of names that ask for this form: ".gguf"; empty: a directory
};
std::vector<WrittenForm> written_forms();

/// Writes the model of `in` to `out`. Without options.type weights stay what they are, bit by bit; with one, matrices
/// are stored in that type, but embeddings and head keep at least 8 bits, and rows that are no whole number of blocks
/// become q8_0 or F16. (In legacy ggml files all matrices have one type.) Gains and biases stay F32. Needs memory for
/// a few rows per thread. Throws Error if `in` cannot be read, `out` not be written, or the form not store the model;
/// then `out` is as it was.
ConvertResult convert_model(const std::string& in, const std::string& out,
                            const ConvertOptions& options = {});

}  // namespace gptj
