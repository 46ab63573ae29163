#include "io/ggml_ftype.h"

#include <string_view>

#include "base/error.h"
#include "tensor/encodings.h"
#include "tensor/old_encodings.h"

namespace gptj {
namespace {

constexpr int32_t kVersion = 2;

struct FtypeRow {
  int32_t type;
  std::string_view name;
  int first_version, last_version;
};

constexpr FtypeRow kFtypes[] = {
    {0, "f32", 0, 0},   {1, "f16", 0, 0},   {2, "q4_0", 0, 2},  {3, "q4_1", 0, 2},  {5, "q4_2", 0, 0},
    {6, "q4_3", 0, 0},  {7, "q8_0", 0, 2},  {8, "q5_0", 0, 2},  {9, "q5_1", 0, 2},  {10, "q2_K", 2, 2},
    {11, "q3_K", 2, 2}, {12, "q4_K", 2, 2}, {13, "q5_K", 2, 2}, {14, "q6_K", 2, 2},
};

// Files from 22 to 27 April 2023 give tensors the file's type instead of their own.
constexpr int kQ4_2File = 5, kQ4_3File = 6;

/// "f32 (0), f16 (1), q4_0 (2, 1002, 2002), ..."
std::string known_types() {
  std::string list;
  for (const FtypeRow& row : kFtypes) {
    std::string numbers;
    for (int version = row.first_version; version <= row.last_version; ++version) {
      numbers += fmt::format("{}{}", numbers.empty() ? "" : ", ", version * kGgmlVersionFactor + row.type);
    }
    list += fmt::format("{}{} ({})", list.empty() ? "" : ", ", row.name, numbers);
  }
  return list;
}

}  // namespace

GgmlFtype parse_ggml_ftype(int32_t ftype, const std::string& path) {
  const GgmlFtype out{ftype / kGgmlVersionFactor, ftype % kGgmlVersionFactor};
  for (const FtypeRow& row : kFtypes) {
    if (ftype < 0 || out.type != row.type) continue;
    if (out.version >= row.first_version && out.version <= row.last_version) return out;
    if (out.version > kVersion) {
      fail(
          "{}: header: ftype: expected quantization version 0, 1 or 2, found {}: {} of version {}, newer "
          "than "
          "this program",
          quoted(path), ftype, row.name, out.version);
    }
  }
  fail("{}: header: ftype: expected one of {}, found {}", quoted(path), known_types(), ftype);
}

int32_t ggml_ftype(DType dtype) {
  const int32_t version = info(dtype).block > 1 ? kVersion : 0;
  return version * kGgmlVersionFactor + info(dtype).ggml_ftype;
}

std::optional<TensorType> ggml_type(const GgmlFtype& file, int32_t type) {
  if (file.version < kVersion) {
    if (file.version == 0 && type == file.type && (type == kQ4_2File || type == kQ4_3File)) --type;
    if (const Encoding* old = old_encoding_of_ggml_type(file.version, type))
      return TensorType{old->dtype, old};
  }
  if (const std::optional<DType> dtype = dtype_from_ggml_type(type)) return TensorType{*dtype};
  const Encoding* k_type = file.version == kVersion ? encoding_of_ggml_type(type) : nullptr;
  return k_type != nullptr ? std::optional(TensorType{k_type->dtype, k_type}) : std::nullopt;
}

}  // namespace gptj
