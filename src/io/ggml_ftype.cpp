#include "io/ggml_ftype.h"

#include <string_view>

#include "base/error.h"

namespace gptj {
namespace {

constexpr int32_t kVersionFactor = 1000;
constexpr int32_t kVersion = 2;

constexpr std::string_view kAdvice = "make it again from the F16 file with a quantizer of June 2023 or later";

struct ForeignType {
  int32_t ftype;
  std::string_view name;
};

// Types that other programs write, or once wrote.
constexpr ForeignType kForeignTypes[] = {
    {4, "q4_1 with some f16"},
    {5, "q4_2"},
    {6, "q4_3"},
    {10, "q2_K"},
    {11, "q3_K"},
    {12, "q4_K"},
    {13, "q5_K"},
    {14, "q6_K"},
};

const DTypeInfo* find_dtype(int32_t type) {
  for (int i = 0; i < kNumDTypes; ++i) {
    const DTypeInfo& row = info(static_cast<DType>(i));
    if (type >= 0 && row.ggml_ftype == type) return &row;
  }
  return nullptr;
}

std::string known_types() {
  std::string list;
  for (int i = 0; i < kNumDTypes; ++i) {
    const DTypeInfo& row = info(static_cast<DType>(i));
    if (row.ggml_ftype < 0) continue;
    list += fmt::format("{}{} ({})", list.empty() ? "" : ", ", ggml_ftype(row.dtype), row.name);
  }
  return list;
}

}  // namespace

void check_ggml_ftype(int32_t ftype, const std::string& path) {
  const int32_t version = ftype / kVersionFactor;
  const int32_t type = ftype % kVersionFactor;
  if (ftype >= 0 && version <= kVersion) {
    if (const DTypeInfo* row = find_dtype(type)) {
      if (row->block == 1 || version == kVersion) return;
      fail(
          "{}: header: ftype: expected quantization version {}, found {} with version {} (May 2023 or "
          "earlier), which this program does not read; {}",
          quoted(path), kVersion, row->name, version, kAdvice);
    }
    for (const ForeignType& foreign : kForeignTypes) {
      if (foreign.ftype != type) continue;
      fail("{}: header: ftype: expected one of {}, found {} ({}), which this version does not read; {}",
           quoted(path), known_types(), ftype, foreign.name, kAdvice);
    }
  }
  fail("{}: header: ftype: expected one of {}, found {}", quoted(path), known_types(), ftype);
}

int32_t ggml_ftype(DType dtype) {
  const int32_t version = info(dtype).block > 1 ? kVersion : 0;
  return version * kVersionFactor + info(dtype).ggml_ftype;
}

bool is_quantized_ggml_ftype(int32_t ftype) {
  const DTypeInfo* row = find_dtype(ftype % kVersionFactor);
  return row != nullptr && row->block > 1;
}

}  // namespace gptj
