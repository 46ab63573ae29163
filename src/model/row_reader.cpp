#include "model/row_reader.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "tensor/pack.h"

namespace gptj {
namespace {

/// The distance, in values, of neighbours in one dimension of a tensor.
int64_t step_of(const FileTensor& tensor, size_t dimension) {
  if (!tensor.strides.empty()) return tensor.strides[dimension];
  return dimension + 1 == tensor.shape.size() ? 1 : tensor.shape.back();
}

}  // namespace

DType RowReader::least_rounded(const FileTensor& tensor) {
  return tensor.encoding != nullptr && tensor.encoding->decode_f32 != nullptr ? DType::f32 : tensor.dtype;
}

const uint8_t* RowReader::read(const MatrixBinding& matrix, int64_t begin, int64_t end, DType dtype) {
  const FileTensor& from = *matrix.from;
  const int64_t n = matrix.to->n;
  const Layout layout{n, step_of(from, matrix.transposed ? 1 : 0), step_of(from, matrix.transposed ? 0 : 1)};
  const size_t stride = row_bytes(dtype, n);
  rows_.resize(static_cast<size_t>(end - begin) * stride);
  if (from.panels) {
    read_panels(from, n, begin, end);
    return rows_.data();
  }
  for (int64_t row = begin; row < end;) {
    int64_t next = row + 1;  // of the first row that does not follow the one before it in the file
    while (next < end && matrix.rows.row(next) == matrix.rows.row(next - 1) + 1) ++next;
    read_run(from, layout, matrix.rows.row(row), next - row, dtype,
             rows_.data() + static_cast<size_t>(row - begin) * stride);
    row = next;
  }
  return rows_.data();
}

const float* RowReader::read(const VectorBinding& vector) {
  const FileTensor& from = *vector.from;
  const int64_t n = vector.to->n;
  rows_.resize(row_bytes(from.dtype, n));
  read_run(from, {n, n, step_of(from, from.shape.size() - 1)}, 0, 1, from.dtype, rows_.data());
  values_.assign(static_cast<size_t>(vector.to->padded()), 0.0f);
  to_f32(from.dtype, rows_.data(), n, values_.data());
  return values_.data();
}

void RowReader::read_panels(const FileTensor& from, int64_t n, int64_t begin, int64_t end) {
  const size_t stride = row_bytes(from.dtype, n), panel = panel_bytes(from.dtype, n);
  raw_.resize(static_cast<size_t>(round_up(end - begin, kPanelRows) / kPanelRows) * panel);
  from.file->read_at(from.offset + static_cast<uint64_t>(begin / kPanelRows) * panel, raw_.data(),
                     raw_.size());
  rows_.resize(static_cast<size_t>(round_up(end - begin, kPanelRows)) * stride);  // those of a whole panel
  uint8_t* row = rows_.data();
  for (size_t at = 0; at < raw_.size(); at += panel) {
    uint8_t* to[kPanelRows];
    for (uint8_t*& each : to) {
      each = row;
      row += stride;
    }
    unpack_panel(from.dtype, raw_.data() + at, n, to);
  }
}

void RowReader::read_run(const FileTensor& from, const Layout& layout, int64_t row, int64_t count,
                         DType dtype, uint8_t* out) {
  if (from.encoding != nullptr) return read_encoded(from, layout.n, row, count, dtype, out);
  if (layout.value_step == 1 && (layout.row_step == layout.n || count == 1)) {
    const size_t stride = row_bytes(from.dtype, layout.n);
    const size_t step = layout.row_step == layout.n
                            ? stride
                            : static_cast<size_t>(layout.row_step) * info(from.dtype).block_bytes;
    from.file->read_at(from.offset + static_cast<uint64_t>(row) * step, out,
                       static_cast<size_t>(count) * stride);
  } else if (layout.row_step == 1) {
    read_transposed(from, layout, row, count, out);
  } else {
    read_strided(from, layout, row, count, out);
  }
}

void RowReader::read_encoded(const FileTensor& from, int64_t n, int64_t row, int64_t count, DType dtype,
                             uint8_t* out) {
  const auto decode = dtype == from.dtype ? from.encoding->decode : from.encoding->decode_f32;
  const size_t stride = from.encoding->row_bytes(n);
  raw_.resize(static_cast<size_t>(count) * stride);
  from.file->read_at(from.offset + static_cast<uint64_t>(row) * stride, raw_.data(), raw_.size());
  for (int64_t r = 0; r < count; ++r, out += row_bytes(dtype, n)) {
    if (decode(raw_.data() + static_cast<size_t>(r) * stride, n, out)) continue;
    fail("{}: tensor {}: expected finite scales, found NaN or infinity in row {}", quoted(path_),
         quoted(from.name), row + r);
  }
}

void RowReader::read_transposed(const FileTensor& from, const Layout& layout, int64_t row, int64_t count,
                                uint8_t* out) {
  const size_t size = info(from.dtype).block_bytes, run = static_cast<size_t>(count) * size;
  raw_.resize(static_cast<size_t>(layout.n) * run);
  for (int64_t k = 0; k < layout.n; ++k) {
    from.file->read_at(from.offset + static_cast<uint64_t>(k * layout.value_step + row) * size,
                       raw_.data() + static_cast<size_t>(k) * run, run);
  }
  transpose(raw_.data(), static_cast<size_t>(layout.n), static_cast<size_t>(count), size, out);
}

void RowReader::read_strided(const FileTensor& from, const Layout& layout, int64_t row, int64_t count,
                             uint8_t* out) {
  const size_t size = info(from.dtype).block_bytes;
  // Values are read together with what lies between them, but only so much at once: that may be gigabytes.
  constexpr int64_t kPartBytes = 1 << 20;
  const int64_t step_bytes = std::max<int64_t>(1, layout.value_step) * static_cast<int64_t>(size);
  const int64_t part = std::max<int64_t>(1, kPartBytes / step_bytes);
  for (int64_t r = row; r < row + count; ++r) {
    for (int64_t begin = 0; begin < layout.n; begin += part) {
      const int64_t values = std::min(part, layout.n - begin);
      raw_.resize(static_cast<size_t>((values - 1) * layout.value_step + 1) * size);
      from.file->read_at(
          from.offset + static_cast<uint64_t>(r * layout.row_step + begin * layout.value_step) * size,
          raw_.data(), raw_.size());
      for (int64_t k = 0; k < values; ++k, out += size) {
        std::memcpy(out, raw_.data() + static_cast<size_t>(k * layout.value_step) * size, size);
      }
    }
  }
}

}  // namespace gptj
