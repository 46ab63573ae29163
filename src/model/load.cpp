#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "base/pieces.h"
#include "base/thread_pool.h"
#include "model/binder.h"
#include "tensor/pack.h"
#include "tensor/synthetic.h"

namespace gptj {
namespace {

/// What is read at once: long enough for the disk, short enough that every thread's buffer stays small.
constexpr int64_t kReadBytes = 1 << 20;

/// A run of a file's rows: of whole panels, or of a transposed matrix's source rows.
struct Piece {
  size_t matrix;
  int64_t begin, end;
};

}  // namespace

/// Streams the bound matrices into their panels: threads take pieces in the file's order, so that the file is
/// read from front to back whatever their number.
class Binder::Loader {
 public:
  Loader(const std::vector<MatrixBinding>& matrices, const std::string& path, const Progress& progress)
      : matrices_(matrices), path_(path), progress_(progress) {
    for (size_t i = 0; i < matrices.size(); ++i) {
      const FileTensor& from = *matrices[i].from;
      const int64_t rows = from.panels ? round_up(from.shape[0], kPanelRows) : from.shape[0];
      const int64_t unit = matrices[i].transposed ? info(from.dtype).panel_block : kPanelRows;
      const int64_t step = std::max<int64_t>(unit, kReadBytes / file_row_bytes(matrices[i]) / unit * unit);
      for (int64_t row = 0; row < rows; row += step) pieces_.push_back({i, row, std::min(rows, row + step)});
      total_ += from.bytes;
      if (from.panels) continue;  // needs no buffer
      largest_ = std::max(largest_, std::min(rows, step) * file_row_bytes(matrices[i]));
    }
  }

  void run(ThreadPool& pool) {
    std::vector<std::unique_ptr<uint8_t[]>> buffers(static_cast<size_t>(pool.n_threads()));
    run_pieces(pool, pieces_.size(), [&](size_t piece, int thread) {
      auto& buffer = buffers[static_cast<size_t>(thread)];
      if (!buffer) buffer = std::make_unique_for_overwrite<uint8_t[]>(static_cast<size_t>(largest_));
      read_piece(pieces_[piece], buffer.get());
      // Thread 0 is the caller's; it also reports what the others did.
      if (thread == 0 && progress_ && !progress_(done_, total_))
        fail("{}: loading was stopped", quoted(path_));
    });
  }

 private:
  static int64_t file_row_bytes(const MatrixBinding& matrix) {
    const FileTensor& from = *matrix.from;
    const size_t bytes = from.panels ? panel_bytes(from.dtype, from.shape[1]) / kPanelRows
                                     : row_bytes(from.dtype, from.shape[1]);
    return static_cast<int64_t>(bytes);
  }

  void read_piece(const Piece& piece, uint8_t* buffer) {
    const MatrixBinding& matrix = matrices_[piece.matrix];
    const FileTensor& from = *matrix.from;
    const int64_t stride = file_row_bytes(matrix);
    const auto bytes = static_cast<size_t>((piece.end - piece.begin) * stride);
    auto* panels = const_cast<uint8_t*>(matrix.to->data);
    done_ += bytes;
    if (from.file == nullptr) return make_up_panels(matrix, panels + piece.begin * stride, bytes);
    uint8_t* to = from.panels ? panels + piece.begin * stride : buffer;
    from.file->read_at(from.offset + static_cast<uint64_t>(piece.begin * stride), to, bytes);
    if (from.panels) {
      // They lie where they belong.
    } else if (matrix.transposed) {
      pack_transposed(from.dtype, buffer, piece.begin, piece.end, matrix.to->rows, matrix.to->n, panels);
    } else {
      for (int64_t row = piece.begin; row < piece.end; row += kPanelRows) {
        const uint8_t* rows[kPanelRows] = {};
        for (int64_t r = 0; r < std::min<int64_t>(kPanelRows, piece.end - row); ++r) {
          rows[r] = buffer + (row - piece.begin + r) * stride;
        }
        uint8_t* panel = panels + row / kPanelRows * matrix.to->panel_stride();
        if (!pack_panel(from.dtype, rows, matrix.to->n, panel)) {
          fail("{}: tensor {}: expected finite scales, found NaN or infinity in rows {} to {}", quoted(path_),
               quoted(from.name), row, row + kPanelRows - 1);
        }
      }
    }
  }

  /// The same panel again and again.
  static void make_up_panels(const MatrixBinding& matrix, uint8_t* panels, size_t bytes) {
    const auto size = static_cast<size_t>(matrix.to->panel_stride());
    synthetic_panel(matrix.to->dtype, matrix.to->n, panels);
    for (size_t at = size; at < bytes; at += size) std::memcpy(panels + at, panels, size);
  }

  const std::vector<MatrixBinding>& matrices_;
  const std::string& path_;
  const Progress& progress_;
  std::vector<Piece> pieces_;
  uint64_t total_ = 0;
  int64_t largest_ = 0;
  std::atomic<uint64_t> done_{0};
};

uint64_t Binder::weight_bytes() const {
  uint64_t bytes = 0;
  for (const MatrixBinding& m : matrices_) bytes += static_cast<uint64_t>(round_up(m.to->bytes(), 64));
  for (const VectorBinding& v : vectors_) bytes += static_cast<uint64_t>(v.to->padded()) * sizeof(float);
  return bytes;
}

std::unique_ptr<Arena> Binder::load(ThreadPool& pool, const Progress& progress) {
  auto arena = std::make_unique<Arena>(weight_bytes(), fmt::format("the weights of {}", quoted(file_.path)));
  for (const MatrixBinding& m : matrices_) m.to->data = arena->take<uint8_t>(m.to->bytes());
  for (const auto& [to, from] : shared_) to->data = from->data;
  for (const VectorBinding& v : vectors_) {
    auto* out = arena->take<float>(v.to->padded());
    v.to->data = out;
    if (v.from == nullptr) continue;
    if (v.from->file == nullptr) {
      std::fill_n(out, v.to->n, 1.0f);
      continue;
    }
    const auto raw = std::make_unique_for_overwrite<uint8_t[]>(v.from->bytes);
    v.from->file->read_at(v.from->offset, raw.get(), v.from->bytes);
    to_f32(v.from->dtype, raw.get(), v.to->n, out);
  }
  Loader(matrices_, file_.path, progress).run(pool);
  return arena;
}

}  // namespace gptj
