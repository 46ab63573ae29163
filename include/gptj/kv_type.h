#pragma once

namespace gptj {

/// How keys and values of past tokens are stored. int8: 8 bits and a scale for each 64 values.
enum class KvType { f16, f32, int8 };

inline constexpr const char* kKvTypeNames[] = {"f16", "f32", "int8"};  // index: KvType
inline constexpr int kNumKvTypes = 3;

}  // namespace gptj
