#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "base/pieces.h"
#include "base/thread_pool.h"
#include "model/row_converter.h"
#include "tensor/pack.h"
#include "tensor/synthetic.h"

namespace gptj {
namespace {

/// What is read at once: long enough for the disk, short enough that every thread's buffers stay small. Rows of a
/// transposed matrix come in as many short runs as they have values, so of these more at once.
constexpr int64_t kReadBytes = 1 << 20, kTransposedBytes = 8 << 20;

/// A run of rows.
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
      const Matrix& to = *matrices[i].to;
      const int64_t panel = to.panel_stride(),
                    read_bytes = matrices[i].transposed ? kTransposedBytes : kReadBytes;
      const int64_t step = std::max<int64_t>(1, read_bytes / panel) * kPanelRows;
      for (int64_t row = 0; row < to.rows; row += step)
        pieces_.push_back({i, row, std::min<int64_t>(to.rows, row + step)});
      total_ += static_cast<uint64_t>(to.bytes());
    }
  }

  void run(ThreadPool& pool) {
    std::vector<RowConverter> readers(static_cast<size_t>(pool.n_threads()), RowConverter(path_));
    run_pieces(pool, pieces_.size(), [&](size_t piece, int thread) {
      read_piece(pieces_[piece], readers[static_cast<size_t>(thread)]);
      // Thread 0 is the caller's; it also reports what the others did.
      if (thread == 0 && progress_ && !progress_(done_, total_))
        fail("{}: loading was stopped", quoted(path_));
    });
  }

 private:
  void read_piece(const Piece& piece, RowConverter& reader) {
    const MatrixBinding& matrix = matrices_[piece.matrix];
    const FileTensor& from = *matrix.from;
    const int64_t begin = piece.begin / kPanelRows * matrix.to->panel_stride();
    const int64_t end = round_up(piece.end, kPanelRows) / kPanelRows * matrix.to->panel_stride();
    auto* panels = const_cast<uint8_t*>(matrix.to->data) + begin;
    const auto bytes = static_cast<size_t>(end - begin);
    done_ += bytes;
    if (from.file == nullptr) {
      make_up_panels(matrix, panels, bytes);
    } else if (from.panels && from.dtype == matrix.to->dtype) {
      from.file->read_at(from.offset + static_cast<uint64_t>(begin), panels, bytes);
    } else {
      pack(matrix, reader.read(matrix, piece.begin, piece.end, matrix.to->dtype), piece, panels);
    }
  }

  void pack(const MatrixBinding& matrix, const uint8_t* row, const Piece& piece, uint8_t* panel) const {
    const DType dtype = matrix.to->dtype;
    const size_t stride = row_bytes(dtype, matrix.to->n);
    for (int64_t first = piece.begin; first < piece.end;
         first += kPanelRows, panel += matrix.to->panel_stride()) {
      const uint8_t* rows[kPanelRows] = {};
      for (int64_t r = 0; r < std::min<int64_t>(kPanelRows, piece.end - first); ++r, row += stride)
        rows[r] = row;
      if (!pack_panel(dtype, rows, matrix.to->n, panel)) {
        fail("{}: tensor {}: expected finite scales, found NaN or infinity in rows {} to {}", quoted(path_),
             quoted(matrix.from->name), first, first + kPanelRows - 1);
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
  RowReader reader(file_.path);
  for (const VectorBinding& v : vectors_) {
    auto* out = arena->take<float>(v.to->padded());
    v.to->data = out;
    if (v.from == nullptr) continue;
    if (v.from->file == nullptr) {
      std::fill_n(out, v.to->n, 1.0f);
      continue;
    }
    std::copy_n(reader.read(v), v.to->padded(), out);
  }
  Loader(matrices_, file_.path, progress).run(pool);
  return arena;
}

}  // namespace gptj
