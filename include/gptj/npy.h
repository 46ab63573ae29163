#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace gptj {

/// Writes a two-dimensional array of float32 as a NumPy file (format version 1.0, C order), row by row. The
/// file appears under its name only when it is complete. Throws Error when it cannot be written.
class NpyWriter {
 public:
  /// `shown`: the path in messages, if that is another.
  NpyWriter(const std::string& path, int64_t rows, int64_t columns, const std::string& shown = {});
  NpyWriter(NpyWriter&&) noexcept;
  NpyWriter& operator=(NpyWriter&&) noexcept;
  ~NpyWriter();  // without finish(): leaves no file

  /// Writes the next row [columns].
  void row(std::span<const float> values);

  /// To be called after the last row.
  void finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gptj
