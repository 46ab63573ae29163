#include "gptj/verify.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>

#include "base/error.h"
#include "base/pieces.h"
#include "base/thread_count.h"
#include "base/thread_pool.h"
#include "convert/verify.h"
#include "io/checksum.h"
#include "model/row_converter.h"

namespace gptj {
namespace {

/// Bytes that a thread reads at once.
constexpr uint64_t kPieceBytes = 4 << 20;

/// Bytes of a tensor that has a checksum; or else rows of a matrix, or a vector.
struct Piece {
  size_t tensor;
  const MatrixBinding* matrix;
  const VectorBinding* vector;
  uint64_t begin, end;
};

class Verifier {
 public:
  Verifier(const ModelFile& file, const Binder& binder)
      : file_(file),
        checksums_(file.tensors.size()),
        damage_(file.tensors.size()),
        read_(file.tensors.size()) {
    for (size_t i = 0; i < file.tensors.size(); ++i) {
      const FileTensor& tensor = file.tensors[i];
      index_[&tensor] = i;
      if (tensor.checksum) add(i, nullptr, nullptr, tensor.bytes, kPieceBytes);
    }
    for (const MatrixBinding& matrix : binder.matrices()) {
      if (matrix.from->checksum) continue;
      const uint64_t row = std::max<uint64_t>(1, matrix.from->bytes / static_cast<uint64_t>(matrix.to->rows));
      const uint64_t panels = std::max<uint64_t>(1, kPieceBytes / row / kPanelRows);
      add(index_.at(matrix.from), &matrix, nullptr, static_cast<uint64_t>(matrix.to->rows),
          panels * kPanelRows);
    }
    for (const VectorBinding& vector : binder.vectors()) {
      if (vector.from == nullptr || vector.from->checksum) continue;
      add(index_.at(vector.from), nullptr, &vector, 1, 1);
    }
  }

  void run(ThreadPool& pool, const Progress& progress) {
    std::vector<Worker> workers(static_cast<size_t>(pool.n_threads()), Worker{RowReader(file_.path), {}, {}});
    std::atomic<uint64_t> done{0};
    run_pieces(pool, pieces_.size(), [&](size_t i, int thread) {
      check(pieces_[i], workers[static_cast<size_t>(thread)]);
      ++done;
      if (thread == 0 && progress && !progress(done, pieces_.size())) fail("verifying was stopped");
    });
  }

  VerifyResult result() const {
    VerifyResult out;
    out.file_format = file_.format;
    out.checksums = true;
    for (size_t i = 0; i < file_.tensors.size(); ++i) {
      const FileTensor& tensor = file_.tensors[i];
      if (!read_[i]) continue;
      ++out.n_tensors;
      out.bytes += tensor.bytes;
      out.checksums &= tensor.checksum.has_value();
      if (!damage_[i].empty()) {
        out.damaged.push_back(damage_[i]);
      } else if (tensor.checksum && checksums_[i].value() != *tensor.checksum) {
        out.damaged.push_back(fmt::format("{}: tensor {}: checksum: expected {:08x}, found {:08x}",
                                          quoted(file_.path), quoted(tensor.name), *tensor.checksum,
                                          checksums_[i].value()));
      }
    }
    return out;
  }

 private:
  struct Worker {
    RowReader reader;
    std::vector<uint8_t> bytes, panels;
  };

  void add(size_t tensor, const MatrixBinding* matrix, const VectorBinding* vector, uint64_t size,
           uint64_t step) {
    read_[tensor] = true;
    for (uint64_t begin = 0; begin < size; begin += step) {
      pieces_.push_back({tensor, matrix, vector, begin, std::min(size, begin + step)});
    }
  }

  /// Remembers an Error instead of throwing it: one damaged tensor must not hide the next.
  void check(const Piece& piece, Worker& worker) {
    try {
      if (piece.matrix != nullptr) return check_rows(piece, worker);
      if (piece.vector != nullptr) return static_cast<void>(worker.reader.read(*piece.vector));
      const FileTensor& tensor = file_.tensors[piece.tensor];
      worker.bytes.resize(piece.end - piece.begin);
      tensor.file->read_at(tensor.offset + piece.begin, worker.bytes.data(), worker.bytes.size());
      checksums_[piece.tensor].add(piece.begin, worker.bytes.data(), worker.bytes.size());
    } catch (const Error& error) {
      const std::lock_guard lock(mutex_);
      damage_[piece.tensor] = error.what();
    }
  }

  void check_rows(const Piece& piece, Worker& worker) {
    const MatrixBinding& matrix = *piece.matrix;
    const DType dtype = matrix.from->dtype;
    const auto begin = static_cast<int64_t>(piece.begin), end = static_cast<int64_t>(piece.end);
    const uint8_t* rows = worker.reader.read(matrix, begin, end);
    if (info(dtype).block == 1) return;
    const int64_t panels = round_up(end - begin, kPanelRows) / kPanelRows;
    worker.panels.resize(static_cast<size_t>(panels) * panel_bytes(dtype, matrix.to->n));
    pack_rows(file_.path, matrix, dtype, begin, end, rows, worker.panels.data());
  }

  const ModelFile& file_;
  std::map<const FileTensor*, size_t> index_;
  std::vector<Piece> pieces_;
  std::vector<ChecksumOfParts> checksums_;  // of each tensor of the file
  std::mutex mutex_;
  std::vector<std::string> damage_;  // of each that could not be read, or not be used
  std::vector<bool> read_;           // of each
};

}  // namespace

VerifyResult verify(const BoundModel& model, ThreadPool& pool, const Progress& progress) {
  Verifier verifier(model.file, model.binder);
  verifier.run(pool, progress);
  return verifier.result();
}

VerifyResult verify_model(const std::string& path, const VerifyOptions& options) {
  const BoundModel model(open_model_file(path));
  ThreadPool pool(thread_count(options.n_threads));
  return verify(model, pool, options.progress);
}

}  // namespace gptj
