#include "tensor/synthetic.h"

#include <algorithm>
#include <random>
#include <vector>

#include "tensor/pack.h"
#include "tensor/panel.h"
#include "tensor/quantize.h"

namespace gptj {
namespace {

/// A row's values repeat after so many: searching scales for all of them would take longer than reading a
/// file. A multiple of every format's block.
constexpr int64_t kPeriod = 512;

}  // namespace

void synthetic_panel(DType dtype, int64_t n, uint8_t* panel) {
  const size_t bytes = row_bytes(dtype, n), period = row_bytes(dtype, kPeriod);
  std::vector<uint8_t> rows(bytes * kPanelRows);
  const uint8_t* row_starts[kPanelRows];
  std::mt19937 random(1);
  for (int r = 0; r < kPanelRows; ++r) {
    float values[kPeriod];
    for (float& value : values) value = 0.04f * (static_cast<float>(random()) / 0x1p32f - 0.5f);
    std::vector<uint8_t> stored(period);
    quantize_row(dtype, values, kPeriod, nullptr, stored.data());
    uint8_t* row = rows.data() + static_cast<size_t>(r) * bytes;
    for (size_t at = 0; at < bytes; at += period) {
      std::copy_n(stored.begin(), std::min(period, bytes - at), row + at);
    }
    row_starts[r] = row;
  }
  pack_panel(dtype, row_starts, n, panel);
}

}  // namespace gptj
