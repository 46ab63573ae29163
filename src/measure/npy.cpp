#include "gptj/npy.h"

#include <bit>
#include <cassert>
#include <string_view>

#include "base/error.h"
#include "base/file.h"

namespace gptj {

struct NpyWriter::Impl {
  Impl(const std::string& path, int64_t n_rows, int64_t n_columns, const std::string& shown)
      : file(path, shown), rows_left(n_rows), columns(n_columns) {}

  OutputFile file;
  int64_t rows_left;
  int64_t columns;
};

// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html: magic, version, length of the
// header (u16), the header: a Python dictionary padded with spaces so that the data begin at a multiple
// of 64.
NpyWriter::NpyWriter(const std::string& path, int64_t rows, int64_t columns, const std::string& shown)
    : impl_(std::make_unique<Impl>(path, rows, columns, shown)) {
  static_assert(std::endian::native == std::endian::little, "'<f4' below");
  constexpr size_t kBefore = 10, kAlignment = 64;
  std::string header =
      fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", rows, columns);
  const size_t unpadded = kBefore + header.size() + 1;
  header.append((kAlignment - unpadded % kAlignment) % kAlignment, ' ');
  header += '\n';
  constexpr std::string_view kMagicAndVersion("\x93NUMPY\x01\x00", 8);
  const char length[] = {static_cast<char>(header.size() & 0xff), static_cast<char>(header.size() >> 8)};
  impl_->file.write(kMagicAndVersion.data(), kMagicAndVersion.size());
  impl_->file.write(length, sizeof(length));
  impl_->file.write(header.data(), header.size());
}

NpyWriter::NpyWriter(NpyWriter&&) noexcept = default;
NpyWriter& NpyWriter::operator=(NpyWriter&&) noexcept = default;
NpyWriter::~NpyWriter() = default;

void NpyWriter::row(std::span<const float> values) {
  assert(std::ssize(values) == impl_->columns && impl_->rows_left > 0);
  --impl_->rows_left;
  impl_->file.write(values.data(), values.size_bytes());
}

void NpyWriter::finish() {
  assert(impl_->rows_left == 0);
  impl_->file.commit();
}

}  // namespace gptj
