// Compiled once for each instruction set, with its flags: GPTJ_ISA_HEADER holds its Simd in the namespace
// GPTJ_ISA_NAMESPACE. Nothing here may leave code that other files could share, since it may hold
// instructions that the CPU lacks: only templates on Simd, and no headers of the standard library with inline
// functions.

#include <math.h>

#include <initializer_list>

#include GPTJ_ISA_HEADER
#include "kernels/attention.h"
#include "kernels/matmul.h"
#include "kernels/matmul_quantized.h"
#include "kernels/roof.h"
#include "kernels/vector.h"

namespace gptj::GPTJ_ISA_NAMESPACE {
namespace {

template <class Format>
constexpr FormatKernels format_kernels() {
  if constexpr (kIsQuantized<Format>) {
    return {FloatMatmul<Simd, Format>::run, QuantMatmul<Simd, Format>::run, unpack<Simd, Format>};
  } else {
    return {FloatMatmul<Simd, Format>::run, nullptr, unpack<Simd, Format>};
  }
}

template <class Kv>
constexpr KvKernels kv_kernels() {
  return {store_kv<Simd, Kv>, attention<Simd, Kv>};
}

template <class... Format>
constexpr Kernels make_kernels(FormatList<Format...>) {
  return {GPTJ_ISA_NAME,
          {format_kernels<Format>()...},
          {kv_kernels<KvF16>(), kv_kernels<KvF32>(), kv_kernels<KvInt8>()},
          layer_norm<Simd>,
          quantize<Simd>,
          rotate<Simd>,
          {apply_in_place<Simd, GeluNew>, apply_in_place<Simd, Gelu>, apply_in_place<Simd, Relu>},
          f32_roof<Simd>,
          int8_roof<Simd>};
}

constexpr Kernels kKernels = make_kernels(Formats{});

}  // namespace

const Kernels& kernel_table();
const Kernels& kernel_table() {
  return kKernels;
}

}  // namespace gptj::GPTJ_ISA_NAMESPACE
