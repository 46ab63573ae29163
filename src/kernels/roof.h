#pragma once

#include "kernels/kernels.h"
#include "kernels/packed_product.h"
#include "kernels/prefetch.h"
#include "kernels/unroll.h"

/// How fast this instruction set multiplies and adds when it does nothing else: the limit that products of
/// matrices stand beside. All operands stay in registers, and there are more independent chains than a core
/// has products under way (units x latency: 8 to 12 on x86, up to 16 on ARM).
namespace gptj {

/// In four streams: one alone does not keep the prefetchers of a core busy (measured on Zen 3: 27 GB/s with one, 35
/// with four). Whole lines: with a word of each, Zen 4 reads at 25 GB/s instead of 34.
template <class S>
int32_t read_roof(const uint8_t* data, int64_t bytes) noexcept {
  using I = typename S::I;
  constexpr int kStreams = 4, kLine = 64, kRegister = S::kLanes * 4;
  const int64_t stream = bytes / kStreams;
  I sums[kStreams];
  GPTJ_UNROLL
  for (int s = 0; s < kStreams; ++s) sums[s] = S::set1(int32_t{0});
  for (int64_t at = 0; at < stream; at += kLine) {
    GPTJ_UNROLL
    for (int s = 0; s < kStreams; ++s) {
      if (kPrefetchesAll) __builtin_prefetch(data + s * stream + at + 2048);
      GPTJ_UNROLL
      for (int i = 0; i < kLine; i += kRegister) {
        sums[s] = S::bit_xor(sums[s], S::load_bytes(data + s * stream + at + i));
      }
    }
  }
  I all = sums[0];
  for (int s = 1; s < kStreams; ++s) all = S::bit_xor(all, sums[s]);
  int32_t lanes[S::kLanes], sum = 0;
  S::store_bytes(lanes, all);
  for (const int32_t lane : lanes) sum ^= lane;
  return sum;
}

/// As many as fit beside the factor: AVX2 has 16 registers, the others 32.
template <class S>
inline constexpr int kRoofChains = S::kLanes == 8 ? 12 : 16;

/// Makes `x` a value in a register that the compiler knows nothing of: work on it can be neither left out,
/// nor done once for all repeats, nor done in vectors where the instruction set is the scalar one.
template <class S, class Register>
inline void keep(Register& x) {
  if constexpr (sizeof(x) == 4 && requires { x % 1; }) {
    asm volatile("" : "+r"(x));  // an integer
  } else {
#if defined(__aarch64__)
    asm volatile("" : "+w"(x));
#elif defined(__x86_64__) && !defined(GPTJ_INTRINSICS)
    asm volatile("" : "+v"(x));
#else  // registers that are emulated lie in memory
    asm volatile("" : "+m"(x));
#endif
  }
}

/// Steps of all chains, each from its own sum. Returns their operations, `kPerLane` in each lane.
template <class S, int kPerLane, class Register, class Step>
inline int64_t run_chains(int64_t repeats, Register start, const Step& step) {
  Register sums[kRoofChains<S>];
  GPTJ_UNROLL
  for (int c = 0; c < kRoofChains<S>; ++c) sums[c] = start;
  for (int64_t i = 0; i < repeats; ++i) {
    GPTJ_UNROLL
    for (int c = 0; c < kRoofChains<S>; ++c) {
      keep<S>(sums[c]);
      sums[c] = step(sums[c]);
    }
  }
  return repeats * kRoofChains<S> * S::kLanes * kPerLane;
}

/// The same with tiles, `kPerLane` numbers in 4 bytes. The numbers are as good as random: zeros take less power, and
/// the clock would be faster than with any real product.
template <class S, template <class> class Dot, int kPerLane>
inline int64_t tile_chains(int64_t repeats) {
  using Tiles = typename S::Tiles;
  constexpr int kRows = Tiles::kRows, kRowBytes = 64;
  uint16_t numbers[kRows * kRowBytes / 2];  // as BF16: 1 to 4, with both signs
  uint32_t state = 1;
  for (uint16_t& number : numbers) {
    state = state * 1664525 + 1013904223;
    number = static_cast<uint16_t>((state >> 16 & 0x80ff) | 0x3f80);
  }
  Tiles::open(kRows, kRows);
  Tiles::template load<4>(numbers, kRowBytes);
  Tiles::template load<5>(numbers, kRowBytes);
  Tiles::template load<6>(numbers, kRowBytes);
  Tiles::template load<7>(numbers, kRowBytes);
  for (int64_t i = 0; i < repeats; ++i) {
    Dot<S>::template add_tile<0, 4, 6>();
    Dot<S>::template add_tile<1, 4, 7>();
    Dot<S>::template add_tile<2, 5, 6>();
    Dot<S>::template add_tile<3, 5, 7>();
  }
  Tiles::close();
  return repeats * 4 * kRows * kRows * kRows * 2 * kPerLane;
}

template <class S>
int64_t f32_roof(int64_t repeats) noexcept {
  using F = typename S::F;
  const F factor = S::set1(-1e-9f);  // sums hardly change: never infinite, never subnormal
  return run_chains<S, 2>(repeats, S::set1(1.0f), [=](F sum) { return S::fma(sum, factor, sum); });
}

/// Of bytes, with sums in 32 bits. (Where that takes several instructions, products of few bits with sums in 16 bits
/// may be faster than that.)
template <class S>
int64_t int8_roof(int64_t repeats) noexcept {
  if constexpr (kTiled<S>) return tile_chains<S, ByteDot, 4>(repeats);
  using I = typename S::I;
  const I factor = S::set1_bytes(7);
  return run_chains<S, 2 * 4>(repeats, factor, [=](I sum) { return S::dot_unsigned(sum, factor, sum); });
}

template <class S>
int64_t bf16_roof(int64_t repeats) noexcept {
  if constexpr (kTiled<S>) return tile_chains<S, Bf16Dot, 2>(repeats);
  const typename S::F tiny = S::set1(-1e-9f);
  const typename S::I factor = S::pack_bf16(tiny, tiny);
  return run_chains<S, 2 * 2>(repeats, S::set1(1.0f),
                              [=](typename S::F sum) { return S::dot_bf16(sum, factor, S::as_int(sum)); });
}

}  // namespace gptj
