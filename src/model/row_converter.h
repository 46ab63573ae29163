#pragma once

#include <vector>

#include "model/row_reader.h"

namespace gptj {

/// Sums of the squares of values, and of the squares of what storing them loses.
struct Loss {
  double squares = 0, lost = 0;

  void add(const float* x, const float* stored, int64_t n);
  void add(const Loss& other);
  double relative() const { return squares > 0 ? lost / squares : 0; }
};

/// Reads rows of matrices as they will be stored, whatever the file's type. It keeps its buffers: one for each thread.
class RowConverter {
 public:
  explicit RowConverter(const std::string& path) : path_(path), reader_(path) {}

  RowReader& reader() { return reader_; }

  /// Rows [begin, end) of a matrix, one after the other as `dtype` stores them: unchanged if the file has that type,
  /// decoded if the file's encoding becomes it, else quantized, with `importance` as in quantize_row(). What is lost
  /// is added to `loss` unless that is null. Valid until the next call. Throws Error as RowReader::read() does, and
  /// for numbers that `dtype` cannot hold.
  const uint8_t* read(const MatrixBinding& matrix, int64_t begin, int64_t end, DType dtype,
                      const float* importance = nullptr, Loss* loss = nullptr);

 private:
  /// Adds what is lost between the numbers of an encoding and those that its rows become.
  void add_rounding(const MatrixBinding& matrix, int64_t begin, int64_t end, Loss& loss);

  const std::string& path_;
  RowReader reader_;
  std::vector<uint8_t> rows_;
  std::vector<float> values_, stored_;
};

/// Packs rows [begin, end) of a matrix, which follow each other at `row` as `dtype` stores them, into panels; `begin`
/// is a multiple of 16. Throws Error, naming `path`, if the scale of a block is NaN or infinite.
void pack_rows(const std::string& path, const MatrixBinding& matrix, DType dtype, int64_t begin, int64_t end,
               const uint8_t* row, uint8_t* panels);

}  // namespace gptj
