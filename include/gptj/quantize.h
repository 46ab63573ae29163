#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gptj/model.h"

namespace gptj {

struct QuantizeOptions {
  std::string type = {};        // one of quantize_types()
  std::string importance = {};  // a file of measure_importance(); empty: every column counts alike
  int n_threads = 0;            // 0: one per physical core
  Progress progress = {};       // values of matrices
};

struct QuantizedTensor {
  std::string name;  // Hugging Face's
  std::string type;
  uint64_t n_values = 0;
  uint64_t bytes = 0;
  double error = 0;        // squares of what was lost, of the values' squares
  bool by_length = false;  // of another type than asked for, because its rows are no whole number of blocks
};

struct QuantizeResult {
  uint64_t bytes_before = 0;  // of the weights
  uint64_t bytes = 0;         // of the file written
  double bits = 0;            // per value of a matrix
  double error = 0;           // of all matrices
  std::vector<QuantizedTensor> matrices;
};

/// The types that weights can be stored in, the smallest first.
std::vector<std::string> quantize_types();

/// Writes the model of `in` (F32, F16 or BF16) to `out`, our own file, with its matrices in options.type. Those
/// outside of the layers, embeddings and head, keep at least 8 bits. Matrices whose rows are no whole number of
/// blocks become q8_0 or, if that does not fit either, F16. Gains and biases stay F32.
/// Needs memory for a few rows per thread. Throws Error; then `out` is as it was.
QuantizeResult quantize_model(const std::string& in, const std::string& out, const QuantizeOptions& options);

}  // namespace gptj
