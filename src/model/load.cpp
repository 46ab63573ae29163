#include "model/load.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <map>
#include <vector>

#include "base/error.h"
#include "base/pieces.h"
#include "model/row_converter.h"
#include "tensor/synthetic.h"

namespace gptj {
namespace {

/// Bytes that are read at once: enough for the disk, few enough that every thread's buffers stay small. Rows of a
/// transposed matrix come in as many short runs as they have values, so more of them are read at once.
constexpr int64_t kReadBytes = 1 << 20, kTransposedBytes = 8 << 20;

/// Bytes of a mapped file that are read in at once: several huge pages.
constexpr int64_t kMappedBytes = 8 << 20;

/// Rows of a matrix that are to be packed, or bytes of a mapped file that are to be read in.
struct Piece {
  const MatrixBinding* matrix;
  const Mapping* mapping;
  int64_t begin, end;
};

/// Tensors that are used where they lie in their files.
class InPlace {
 public:
  explicit InPlace(Weights& weights) : weights_(weights) {}

  /// The tensor's data, in the mapping of its file.
  const uint8_t* data(const FileTensor& tensor) {
    const Mapping*& mapping = by_file_[tensor.file];
    if (mapping == nullptr) {
      mapping = weights_.mappings.emplace_back(std::make_unique<Mapping>(*tensor.file)).get();
    }
    weights_.mapped_bytes += tensor.bytes;
    return mapping->data() + tensor.offset;
  }

 private:
  Weights& weights_;
  std::map<const InputFile*, const Mapping*> by_file_;
};

bool fits_in_place(const FileTensor* tensor, DType dtype) {
  return tensor != nullptr && tensor->file != nullptr && tensor->panels && tensor->dtype == dtype;
}

uint64_t bytes_of(const Matrix& matrix) {
  return static_cast<uint64_t>(round_up(matrix.bytes(), 64));
}

uint64_t bytes_of(const Vector& vector) {
  return static_cast<uint64_t>(vector.padded()) * sizeof(float);
}

void load_vector(const VectorBinding& vector, RowReader& reader, float* out) {
  if (vector.from == nullptr) return;
  if (vector.from->file == nullptr) {
    std::fill_n(out, vector.to->n, 1.0f);
  } else {
    std::copy_n(reader.read(vector), vector.to->padded(), out);
  }
}

/// Reads matrices into their panels, and mapped files into memory. Threads take pieces in the order in which the
/// weights were named, which is that of most files, so that files are read from front to back whatever the number of
/// threads.
class Loader {
 public:
  Loader(const std::string& path, const Progress& progress) : path_(path), progress_(progress) {}

  void pack(const MatrixBinding& matrix) {
    const Matrix& to = *matrix.to;
    const int64_t read_bytes = matrix.transposed ? kTransposedBytes : kReadBytes;
    const int64_t step = std::max<int64_t>(1, read_bytes / to.panel_stride()) * kPanelRows;
    for (int64_t row = 0; row < to.rows; row += step) {
      pieces_.push_back({&matrix, nullptr, row, std::min<int64_t>(to.rows, row + step)});
    }
    total_ += static_cast<uint64_t>(to.bytes());
  }

  void read_in(const Mapping& mapping) {
    const auto size = static_cast<int64_t>(mapping.size());
    for (int64_t at = 0; at < size; at += kMappedBytes) {
      pieces_.push_back({nullptr, &mapping, at, std::min(size, at + kMappedBytes)});
    }
    total_ += mapping.size();
  }

  void run(ThreadPool& pool) {
    std::vector<RowConverter> readers(static_cast<size_t>(pool.n_threads()), RowConverter(path_));
    run_pieces(pool, pieces_.size(), [&](size_t i, int thread) {
      const Piece& piece = pieces_[i];
      if (piece.mapping != nullptr) {
        piece.mapping->read_in(static_cast<uint64_t>(piece.begin), static_cast<uint64_t>(piece.end));
        done_ += static_cast<uint64_t>(piece.end - piece.begin);
      } else {
        read_piece(piece, readers[static_cast<size_t>(thread)]);
      }
      // Thread 0 is the caller's; it also reports what the others did.
      if (thread == 0 && progress_ && !progress_(done_, total_))
        fail("{}: loading was stopped", quoted(path_));
    });
  }

 private:
  void read_piece(const Piece& piece, RowConverter& reader) {
    const MatrixBinding& matrix = *piece.matrix;
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
      const DType dtype = matrix.to->dtype;
      const uint8_t* rows = reader.read(matrix, piece.begin, piece.end, dtype);
      pack_rows(path_, matrix, dtype, piece.begin, piece.end, rows, panels);
    }
  }

  /// The same panel again and again.
  static void make_up_panels(const MatrixBinding& matrix, uint8_t* panels, size_t bytes) {
    const auto size = static_cast<size_t>(matrix.to->panel_stride());
    synthetic_panel(matrix.to->dtype, matrix.to->n, panels);
    for (size_t at = size; at < bytes; at += size) std::memcpy(panels + at, panels, size);
  }

  const std::string& path_;
  const Progress& progress_;
  std::vector<Piece> pieces_;
  uint64_t total_ = 0;
  std::atomic<uint64_t> done_{0};
};

}  // namespace

uint64_t loaded_bytes(const Binder& binder) {
  uint64_t bytes = 0;
  for (const MatrixBinding& m : binder.matrices()) bytes += bytes_of(*m.to);
  for (const VectorBinding& v : binder.vectors()) bytes += bytes_of(*v.to);
  return bytes;
}

Weights load_weights(const Binder& binder, ThreadPool& pool, const LoadOptions& options) {
  Weights weights;
  InPlace in_place(weights);
  const auto use_in_place = [&](const FileTensor* from, DType dtype) {
    return options.map && fits_in_place(from, dtype) ? in_place.data(*from) : nullptr;
  };
  uint64_t bytes = 0;  // of what is not used in place
  for (const MatrixBinding& m : binder.matrices()) {
    m.to->data = use_in_place(m.from, m.to->dtype);
    if (m.to->data == nullptr) bytes += bytes_of(*m.to);
  }
  for (const VectorBinding& v : binder.vectors()) {
    v.to->data = reinterpret_cast<const float*>(use_in_place(v.from, DType::f32));
    if (v.to->data == nullptr) bytes += bytes_of(*v.to);
  }
  if (bytes > 0) {
    const std::string what = fmt::format("the weights of {}", quoted(binder.path()));
    weights.arena = std::make_unique<Arena>(bytes, what);
    if (options.lock) weights.arena->lock(what);
  }

  Loader loader(binder.path(), options.progress);
  for (const MatrixBinding& m : binder.matrices()) {
    if (m.to->data != nullptr) continue;
    m.to->data = weights.arena->take<uint8_t>(m.to->bytes());
    loader.pack(m);
  }
  for (const auto& [to, from] : binder.shared()) to->data = from->data;
  RowReader reader(binder.path());
  for (const VectorBinding& v : binder.vectors()) {
    if (v.to->data != nullptr) continue;
    auto* out = weights.arena->take<float>(v.to->padded());
    v.to->data = out;
    load_vector(v, reader, out);
  }
  for (const auto& mapping : weights.mappings) {
    if (options.lock) mapping->lock();
    if (options.lock || options.prefetch) loader.read_in(*mapping);
  }
  loader.run(pool);
  return weights;
}

}  // namespace gptj
