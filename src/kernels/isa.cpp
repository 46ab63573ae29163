// Compiled once for each instruction set, with its flags: GPTJ_ISA_HEADER holds its Simd in the namespace
// GPTJ_ISA_NAMESPACE. Nothing here may leave code that other files could share, since it may hold
// instructions that the CPU lacks: only templates on Simd, and no headers of the standard library with inline
// functions.

#include <math.h>

#include <initializer_list>
#include <type_traits>

#include GPTJ_ISA_HEADER
#include "kernels/attention.h"
#include "kernels/attention_prefill.h"
#include "kernels/matmul.h"
#include "kernels/matmul_packed.h"
#include "kernels/matmul_quantized.h"
#include "kernels/matmul_tiled.h"
#include "kernels/roof.h"
#include "kernels/vector.h"

namespace gptj::GPTJ_ISA_NAMESPACE {
namespace {

/// What is multiplied in packed form where there are many tokens; F32 stays F32.
template <class Format>
constexpr bool kPrefillsPacked =
    kIsQuantized<Format> ? Simd::kByteDot : Simd::kBf16Dot&& Format::kInfo.dtype != DType::f32;

template <class Format>
constexpr FormatKernels format_kernels() {
  const Product exact{Operand::f32, FloatMatmul<Simd, Format>::run, Simd::kPanels};
  Product decode = exact;
  if constexpr (kIsQuantized<Format>)
    decode = {Operand::blocks, QuantMatmul<Simd, Format>::run, Simd::kPanels};
  Product prefill = decode;
  if constexpr (kPrefillsPacked<Format>) {
    using Matmul = std::conditional_t<kTiled<Simd>, TiledMatmul<Simd, Format>, PackedMatmul<Simd, Format>>;
    prefill = {Matmul::kOperand, Matmul::run, Matmul::kPanels};
  }
  return {{exact, decode, prefill}, unpack<Simd, Format>};
}

template <class Kv>
constexpr KvKernels kv_kernels() {
  auto* prefill = attention<Simd, Kv>;
  if constexpr (Simd::kBf16Dot) prefill = attention_prefill<Simd, Kv>;
  return {store_kv<Simd, Kv>, load_kv<Simd, Kv>, {attention<Simd, Kv>, attention<Simd, Kv>, prefill}};
}

template <class... Format>
constexpr Kernels make_kernels(FormatList<Format...>) {
  Kernels table{GPTJ_ISA_NAME,
                {format_kernels<Format>()...},
                {kv_kernels<KvF16>(), kv_kernels<KvF32>(), kv_kernels<KvInt8>()},
                layer_norm<Simd>,
                {nullptr, pack_blocks<Simd>, nullptr, nullptr},
                rotate<Simd>,
                {apply_in_place<Simd, GeluNew>, apply_in_place<Simd, Gelu>, apply_in_place<Simd, Relu>},
                read_roof<Simd>,
                f32_roof<Simd>,
                int8_roof<Simd>,
                nullptr};
  if constexpr (Simd::kByteDot) table.pack[static_cast<int>(Operand::slabs)] = pack_slabs<Simd>;
  if constexpr (Simd::kBf16Dot) {
    table.pack[static_cast<int>(Operand::bf16)] = pack_bf16<Simd>;
    table.bf16_roof = bf16_roof<Simd>;
  }
  return table;
}

constexpr Kernels kKernels = make_kernels(Formats{});

}  // namespace

const Kernels& kernel_table();
const Kernels& kernel_table() {
  return kKernels;
}

}  // namespace gptj::GPTJ_ISA_NAMESPACE
