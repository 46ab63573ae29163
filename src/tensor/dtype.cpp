#include "tensor/dtype.h"

#include <cassert>

#include "tensor/formats.h"

namespace gptj {
namespace {

struct Table {
  DTypeInfo rows[kNumDTypes];
};

template <class... Format>
constexpr Table make_table(FormatList<Format...>) {
  return {{Format::kInfo...}};
}

constexpr Table kTable = make_table(Formats{});

constexpr bool in_order() {
  for (int i = 0; i < kNumDTypes; ++i) {
    if (kTable.rows[i].dtype != static_cast<DType>(i)) return false;
  }
  return true;
}
static_assert(in_order(), "formats.h must list the formats in the order of DType");

}  // namespace

const DTypeInfo& info(DType dtype) {
  return kTable.rows[static_cast<int>(dtype)];
}

std::optional<DType> dtype_by_name(std::string_view name) {
  for (const DTypeInfo& row : kTable.rows) {
    if (name == row.name) return row.dtype;
  }
  return std::nullopt;
}

std::optional<DType> dtype_from_ggml_type(int type) {
  for (const DTypeInfo& row : kTable.rows) {
    if (row.ggml_type == type && type >= 0) return row.dtype;
  }
  return std::nullopt;
}

size_t row_bytes(DType dtype, int64_t n) {
  const DTypeInfo& format = info(dtype);
  assert(n % format.block == 0);
  return static_cast<size_t>(n / format.block) * format.block_bytes;
}

size_t panel_bytes(DType dtype, int64_t n) {
  return row_bytes(dtype, round_up(n, info(dtype).panel_block)) * kPanelRows;
}

}  // namespace gptj
