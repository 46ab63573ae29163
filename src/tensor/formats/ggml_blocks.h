#pragma once

#include "tensor/formats/quantized.h"

/// The block formats of ggml files, quantization version 2.
namespace gptj {

struct Q8_0 : QuantFormat<8, false> {
  static constexpr DTypeInfo kInfo = quant_info<QuantFormat>(DType::q8_0, "q8_0", 8, 7);
};
struct Q4_0 : QuantFormat<4, false> {
  static constexpr DTypeInfo kInfo = quant_info<QuantFormat>(DType::q4_0, "q4_0", 2, 2);
};
struct Q4_1 : QuantFormat<4, true> {
  static constexpr DTypeInfo kInfo = quant_info<QuantFormat>(DType::q4_1, "q4_1", 3, 3);
};
struct Q5_0 : QuantFormat<5, false> {
  static constexpr DTypeInfo kInfo = quant_info<QuantFormat>(DType::q5_0, "q5_0", 6, 8);
};
struct Q5_1 : QuantFormat<5, true> {
  static constexpr DTypeInfo kInfo = quant_info<QuantFormat>(DType::q5_1, "q5_1", 7, 9);
};

}  // namespace gptj
