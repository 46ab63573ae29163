#pragma once

#include <vector>

#include "model/binder.h"

namespace gptj {

/// Reads weights from where the binder found them, whatever the file's encoding and order. It keeps its buffers: one
/// for each thread.
class RowReader {
 public:
  explicit RowReader(const std::string& path) : path_(path) {}

  /// Rows [begin, end) of a matrix, one after the other as `from->dtype` stores them; of a file in panels, `begin` is
  /// a multiple of 16. Valid until the next call. Throws Error if the file cannot be read, or if the scale of an
  /// encoding's block is NaN or infinite.
  const uint8_t* read(const MatrixBinding& matrix, int64_t begin, int64_t end) {
    return read(matrix, begin, end, matrix.from->dtype);
  }

  /// The same rows as the type of least_rounded() stores them.
  const uint8_t* read_least_rounded(const MatrixBinding& matrix, int64_t begin, int64_t end) {
    return read(matrix, begin, end, least_rounded(*matrix.from));
  }

  /// F32 for encodings whose numbers `dtype` would round, else `dtype`.
  static DType least_rounded(const FileTensor& tensor);

  /// A vector whose tensor is there, completed with zeros to [padded()]. Valid until the next call. Throws Error if
  /// the file cannot be read.
  const float* read(const VectorBinding& vector);

 private:
  /// How the values of a matrix lie in its tensor: n in a row, and steps in values from row to row and from value to
  /// value.
  struct Layout {
    int64_t n;
    int64_t row_step, value_step;
  };

  const uint8_t* read(const MatrixBinding& matrix, int64_t begin, int64_t end, DType dtype);
  void read_panels(const FileTensor& from, int64_t n, int64_t begin, int64_t end);
  void read_run(const FileTensor& from, const Layout& layout, int64_t row, int64_t count, DType dtype,
                uint8_t* out);
  void read_encoded(const FileTensor& from, int64_t n, int64_t row, int64_t count, DType dtype, uint8_t* out);
  void read_transposed(const FileTensor& from, const Layout& layout, int64_t row, int64_t count,
                       uint8_t* out);
  void read_strided(const FileTensor& from, const Layout& layout, int64_t row, int64_t count, uint8_t* out);

  const std::string& path_;
  std::vector<uint8_t> rows_, raw_;
  std::vector<float> values_;
};

}  // namespace gptj
