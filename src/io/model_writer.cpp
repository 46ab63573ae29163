#include "io/model_writer.h"

namespace gptj {

uint64_t row_major_bytes(const OutputTensor& tensor) {
  uint64_t bytes = row_bytes(tensor.dtype, tensor.shape.back());
  if (tensor.shape.size() == 2) bytes *= static_cast<uint64_t>(tensor.shape.front());
  return bytes;
}

}  // namespace gptj
