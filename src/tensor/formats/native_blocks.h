#pragma once

#include "tensor/formats/quantized.h"

/// Our own block formats: fewer bytes for scales where many bits make them matter less, and 4 bits whose
/// levels lie where the weights are.
namespace gptj {

/// Levels that minimise the squared error of normally distributed weights when each block's scale is searched
/// (tools/fit_grid.py): dense around zero, as far as products still add up in 16 bits.
inline constexpr Grid kQ4Grid{{1, 8, 13, 17, 21, 24, 27, 30, 32, 35, 38, 41, 44, 48, 52, 58}};

struct Q8 : QuantFormat<8, false, 4> {  // 8.125 bits
  static constexpr DTypeInfo kInfo = quant_info<QuantFormat>(DType::q8, "q8");
};
struct Q6 : QuantFormat<6, false, 2> {  // 6.25 bits
  static constexpr DTypeInfo kInfo = quant_info<QuantFormat>(DType::q6, "q6");
};
struct Q5 : QuantFormat<5, false, 2> {  // 5.25 bits
  static constexpr DTypeInfo kInfo = quant_info<QuantFormat>(DType::q5, "q5");
};
struct Q4 : QuantFormat<4, false, 1, kQ4Grid> {  // 4.5 bits
  static constexpr DTypeInfo kInfo = quant_info<QuantFormat>(DType::q4, "q4");
};

}  // namespace gptj
