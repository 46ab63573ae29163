#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gptj/model.h"

namespace gptj {

struct ConvertOptions {
  std::string type = {};        // one of weight_types(); empty: as they are
  std::string form = {};        // one of written_forms(); empty: the one that OUT's name asks for
  std::string importance = {};  // a file of measure_importance(); empty: every column counts alike
  int n_threads = 0;            // 0: one per physical core
  Progress progress = {};       // bytes of IN
};

struct ConvertedMatrix {
  std::string name;  // in OUT
  std::string type;
  uint64_t n_values = 0;
  uint64_t bytes = 0;
  double error = 0;        // squares of what was lost, of the values' squares
  bool by_length = false;  // of another type than asked for, because its rows are no whole number of blocks
};

struct ConvertResult {
  std::string form;           // "a GGUF file"
  uint64_t bytes_before = 0;  // of the weights
  uint64_t bytes = 0;         // of the file written
  double bits = 0;            // per value of a matrix
  double error = 0;           // of all matrices
  std::vector<ConvertedMatrix> matrices;
  std::vector<std::string> warnings;  // what OUT cannot say, or what was lost before
};

/// The types that weights can be stored in, the smallest first.
std::vector<std::string> weight_types();

/// The forms that models can be written in, the first being our own: "native", "ggml", ...
struct WrittenForm {
  std::string name;
  std::string description;
  std::string extension;  // of OUT's name; empty: a directory
};
std::vector<WrittenForm> written_forms();

/// Writes the model of `in` to `out`. Without a type weights keep what they are, bit by bit; with one, matrices become of
/// that type, but embeddings and head keep at least 8 bits, and rows that are no whole number of blocks become q8_0 or
/// F16. (Legacy ggml files have all matrices of one type.) Gains and biases stay F32.
/// Needs memory for a few rows per thread. Throws Error; then `out` is as it was.
ConvertResult convert_model(const std::string& in, const std::string& out,
                            const ConvertOptions& options = {});

}  // namespace gptj
