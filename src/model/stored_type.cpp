#include "model/stored_type.h"

#include <algorithm>

#include "base/error.h"

namespace gptj {
namespace {

double bits_of(DType dtype) {
  return 8.0 * static_cast<double>(info(dtype).block_bytes) / info(dtype).block;
}

bool fits_blocks(DType dtype, int64_t n) {
  return n % info(dtype).block == 0;
}

}  // namespace

std::vector<DType> types_by_size() {
  std::vector<DType> types;
  for (int i = 0; i < kNumDTypes; ++i) types.push_back(static_cast<DType>(i));
  std::stable_sort(types.begin(), types.end(), [](DType a, DType b) { return bits_of(a) < bits_of(b); });
  return types;
}

DType parse_dtype(const std::string& name) {
  if (const std::optional<DType> dtype = dtype_by_name(name)) return *dtype;
  std::string known;
  for (const DType dtype : types_by_size()) {
    known += (known.empty() ? "" : ", ") + std::string(info(dtype).name);
  }
  fail("type: expected one of {}, found {}", known, quoted(name));
}

DType stored_type(DType wanted, const MatrixBinding& matrix) {
  // An error in the embedding is in all that the first layer sees, and one in the head is in the logits; llama.cpp
  // keeps more bits there, too. A type of ggml's is replaced by a type of ggml's.
  constexpr int kBits = 8;
  if (matrix.layer < 0 && bits_of(wanted) < kBits)
    wanted = info(wanted).ggml_type < 0 ? DType::q8 : DType::q8_0;
  if (fits_blocks(wanted, matrix.to->n)) return wanted;
  return fits_blocks(DType::q8_0, matrix.to->n) ? DType::q8_0 : DType::f16;
}

}  // namespace gptj
