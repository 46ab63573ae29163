#include "model/row_converter.h"

#include <algorithm>

#include "base/error.h"
#include "tensor/pack.h"
#include "tensor/quantize.h"

namespace gptj {

void Loss::add(const float* x, const float* stored, int64_t n) {
  for (int64_t k = 0; k < n; ++k) {
    const double difference = double{x[k]} - double{stored[k]};
    squares += double{x[k]} * double{x[k]};
    lost += difference * difference;
  }
}

void Loss::add(const Loss& other) {
  squares += other.squares;
  lost += other.lost;
}

const uint8_t* RowConverter::read(const MatrixBinding& matrix, int64_t begin, int64_t end, DType dtype,
                                  const float* importance, Loss* loss) {
  const DType from = RowReader::least_rounded(*matrix.from);
  const int64_t n = matrix.to->n;
  if (dtype == matrix.from->dtype) {
    if (loss != nullptr && from != dtype) add_rounding(matrix, begin, end, *loss);
    return reader_.read(matrix, begin, end);
  }
  const uint8_t* in = reader_.read_least_rounded(matrix, begin, end);
  const size_t stride = row_bytes(dtype, n);
  rows_.resize(static_cast<size_t>(end - begin) * stride);
  values_.resize(static_cast<size_t>(n));
  stored_.resize(static_cast<size_t>(n));
  uint8_t* out = rows_.data();
  for (int64_t row = begin; row < end; ++row, in += row_bytes(from, n), out += stride) {
    to_f32(from, in, n, values_.data());
    if (!quantize_row(dtype, values_.data(), n, importance, out)) {
      fail(
          "{}: tensor {}: expected numbers that {} can hold, found NaN, infinity or too large a number in "
          "row {}",
          quoted(path_), quoted(matrix.from->name), info(dtype).name, row);
    }
    if (loss == nullptr) continue;
    to_f32(dtype, out, n, stored_.data());
    loss->add(values_.data(), stored_.data(), n);
  }
  return rows_.data();
}

void RowConverter::add_rounding(const MatrixBinding& matrix, int64_t begin, int64_t end, Loss& loss) {
  const int64_t n = matrix.to->n, count = (end - begin) * n;
  const auto to_values = [&](DType dtype, const uint8_t* rows, std::vector<float>& values) {
    values.resize(static_cast<size_t>(count));
    to_f32(dtype, rows, count, values.data());
  };
  to_values(RowReader::least_rounded(*matrix.from), reader_.read_least_rounded(matrix, begin, end), values_);
  to_values(matrix.from->dtype, reader_.read(matrix, begin, end), stored_);
  loss.add(values_.data(), stored_.data(), count);
}

void pack_rows(const std::string& path, const MatrixBinding& matrix, DType dtype, int64_t begin, int64_t end,
               const uint8_t* row, uint8_t* panels) {
  const int64_t n = matrix.to->n;
  const size_t stride = row_bytes(dtype, n), panel_stride = panel_bytes(dtype, n);
  for (int64_t first = begin; first < end; first += kPanelRows, panels += panel_stride) {
    const uint8_t* rows[kPanelRows] = {};
    for (int64_t r = 0; r < std::min<int64_t>(kPanelRows, end - first); ++r, row += stride) rows[r] = row;
    if (pack_panel(dtype, rows, n, panels)) continue;
    fail("{}: tensor {}: expected finite scales, found NaN or infinity in rows {} to {}", quoted(path),
         quoted(matrix.from->name), first, first + kPanelRows - 1);
  }
}

}  // namespace gptj
