#pragma once

/// Before a loop of fixed length whose variables are to live in registers.
#if defined(GPTJ_ROLLED)  // a panel is 16 lanes of one value: unrolled, they take minutes to compile
#define GPTJ_UNROLL
#elif defined(__clang__)
#define GPTJ_UNROLL _Pragma("unroll")
#else
#define GPTJ_UNROLL _Pragma("GCC unroll 16")
#endif
