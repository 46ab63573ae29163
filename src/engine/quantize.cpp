#include "gptj/quantize.h"

#include <algorithm>
#include <atomic>

#include "base/error.h"
#include "base/pieces.h"
#include "base/thread_pool.h"
#include "engine/importance_file.h"
#include "engine/thread_count.h"
#include "io/native_writer.h"
#include "model/architecture.h"
#include "model/row_reader.h"
#include "tensor/pack.h"
#include "tensor/quantize.h"

namespace gptj {
namespace {

/// Values that a thread works on at once.
constexpr int64_t kPieceValues = 1 << 18;

DType dtype_of(const std::string& type) {
  for (int i = 0; i < kNumDTypes; ++i) {
    if (type == info(static_cast<DType>(i)).name) return static_cast<DType>(i);
  }
  std::string known;
  for (const std::string& name : quantize_types()) known += (known.empty() ? "" : ", ") + name;
  fail("type: expected one of {}, found {}", known, quoted(type));
}

double bits_of(DType dtype) {
  return 8.0 * static_cast<double>(info(dtype).block_bytes) / info(dtype).block;
}

bool fits_blocks(DType dtype, int64_t n) {
  return n % info(dtype).block == 0;
}

/// What a matrix is stored as.
DType stored_type(DType wanted, const MatrixBinding& matrix) {
  // Every token meets them alone: an error in the embedding is all that the first layer sees, and one in the head
  // is in the logits. llama.cpp keeps more bits there, too. As to the types: ggml's go with ggml's.
  constexpr int kBits = 8;
  if (matrix.layer < 0 && bits_of(wanted) < kBits)
    wanted = info(wanted).ggml_type < 0 ? DType::q8 : DType::q8_0;
  if (fits_blocks(wanted, matrix.to->n)) return wanted;
  return fits_blocks(DType::q8_0, matrix.to->n) ? DType::q8_0 : DType::f16;
}

/// Squares of values and of what quantizing loses of them.
struct Loss {
  double squares = 0, lost = 0;

  void add(const float* x, const float* stored, int64_t n) {
    for (int64_t k = 0; k < n; ++k) {
      const double difference = double{x[k]} - double{stored[k]};
      squares += double{x[k]} * double{x[k]};
      lost += difference * difference;
    }
  }
  void add(const Loss& other) {
    squares += other.squares;
    lost += other.lost;
  }
  double relative() const { return squares > 0 ? lost / squares : 0; }
};

/// Rows of one matrix on their way into the file.
struct Piece {
  size_t matrix;
  int64_t begin, end;
};

class Quantizer {
 public:
  Quantizer(const ModelFile& file, const Binder& binder, const Importance& importance, const std::string& out,
            DType wanted)
      : file_(file),
        matrices_(binder.matrices()),
        writer_(out, *file.config, file.vocab, plan(binder, wanted)) {
    for (size_t i = 0; i < matrices_.size(); ++i) {
      const MatrixBinding& matrix = matrices_[i];
      importance_.push_back(importance.of(matrix.name));
      const int64_t step = std::max<int64_t>(1, kPieceValues / matrix.to->n / kPanelRows) * kPanelRows;
      for (int64_t row = 0; row < matrix.to->rows; row += step) {
        pieces_.push_back({i, row, std::min<int64_t>(matrix.to->rows, row + step)});
      }
      n_values_ += static_cast<uint64_t>(matrix.to->rows) * static_cast<uint64_t>(matrix.to->n);
    }
    losses_.resize(pieces_.size());
    write_vectors(binder.vectors());
  }

  void run(ThreadPool& pool, const Progress& progress) {
    std::vector<Worker> workers(static_cast<size_t>(pool.n_threads()), Worker(file_.path));
    std::atomic<uint64_t> done{0};
    run_pieces(pool, pieces_.size(), [&](size_t i, int thread) {
      losses_[i] = quantize(pieces_[i], workers[static_cast<size_t>(thread)]);
      done += static_cast<uint64_t>(pieces_[i].end - pieces_[i].begin) *
              static_cast<uint64_t>(matrices_[pieces_[i].matrix].to->n);
      if (thread == 0 && progress && !progress(done, n_values_)) fail("quantizing was stopped");
    });
    writer_.finish();
  }

  QuantizeResult result(DType wanted) const {
    QuantizeResult out;
    for (const FileTensor& tensor : file_.tensors) out.bytes_before += tensor.bytes;
    out.bytes = writer_.file_bytes();
    std::vector<Loss> losses(matrices_.size());
    for (size_t i = 0; i < pieces_.size(); ++i) losses[pieces_[i].matrix].add(losses_[i]);
    Loss all;
    uint64_t matrix_bytes = 0;
    for (size_t i = 0; i < matrices_.size(); ++i) {
      const NativeTensor& tensor = writer_.tensors()[i];
      QuantizedTensor& to = out.matrices.emplace_back();
      to.name = tensor.name;
      to.type = info(tensor.dtype).name;
      to.n_values = static_cast<uint64_t>(tensor.shape[0]) * static_cast<uint64_t>(tensor.shape[1]);
      to.bytes = native_bytes(tensor.dtype, tensor.shape);
      to.error = losses[i].relative();
      to.by_length = !fits_blocks(wanted, tensor.shape[1]);
      matrix_bytes += to.bytes;
      all.add(losses[i]);
    }
    out.bits = 8.0 * static_cast<double>(matrix_bytes) / static_cast<double>(n_values_);
    out.error = all.relative();
    return out;
  }

 private:
  struct Worker {
    explicit Worker(const std::string& path) : reader(path) {}

    RowReader reader;
    std::vector<uint8_t> rows, panels;
    std::vector<float> values, stored;
  };

  /// The matrices, then the vectors.
  static std::vector<NativeTensor> plan(const Binder& binder, DType wanted) {
    std::vector<NativeTensor> tensors;
    for (const MatrixBinding& matrix : binder.matrices()) {
      tensors.push_back({matrix.name, stored_type(wanted, matrix), {matrix.to->rows, matrix.to->n}});
    }
    for (const VectorBinding& vector : binder.vectors()) {
      if (vector.from != nullptr) tensors.push_back({vector.name, DType::f32, {vector.to->n}});
    }
    return tensors;
  }

  void write_vectors(const std::vector<VectorBinding>& vectors) {
    RowReader reader(file_.path);
    size_t index = matrices_.size();
    for (const VectorBinding& vector : vectors) {
      if (vector.from == nullptr) continue;
      writer_.write(index++, 0, reader.read(vector),
                    static_cast<size_t>(vector.to->padded()) * sizeof(float));
    }
  }

  Loss quantize(const Piece& piece, Worker& worker) {
    const MatrixBinding& matrix = matrices_[piece.matrix];
    const DType dtype = writer_.tensors()[piece.matrix].dtype;
    const int64_t n = matrix.to->n;
    const size_t stride = row_bytes(dtype, n), panel_stride = panel_bytes(dtype, n);
    worker.values.resize(static_cast<size_t>((piece.end - piece.begin) * n));
    to_f32(matrix.from->dtype, worker.reader.read(matrix, piece.begin, piece.end),
           static_cast<int64_t>(worker.values.size()), worker.values.data());
    const float* x = worker.values.data();
    worker.rows.resize(stride * kPanelRows);
    worker.stored.resize(static_cast<size_t>(n));
    const auto n_panels = static_cast<size_t>((piece.end - piece.begin + kPanelRows - 1) / kPanelRows);
    worker.panels.resize(n_panels * panel_stride);

    Loss loss;
    uint8_t* panel = worker.panels.data();
    for (int64_t first = piece.begin; first < piece.end; first += kPanelRows, panel += panel_stride) {
      const uint8_t* rows[kPanelRows] = {};
      for (int64_t row = first; row < std::min(piece.end, first + kPanelRows); ++row, x += n) {
        uint8_t* to = worker.rows.data() + static_cast<size_t>(row - first) * stride;
        if (!quantize_row(dtype, x, n, importance_[piece.matrix], to)) {
          fail(
              "{}: tensor {}: expected numbers that {} can hold, found NaN, infinity or too large a number "
              "in row {}",
              quoted(file_.path), quoted(matrix.from->name), info(dtype).name, row);
        }
        to_f32(dtype, to, n, worker.stored.data());
        loss.add(x, worker.stored.data(), n);
        rows[row - first] = to;
      }
      pack_panel(dtype, rows, n, panel);
    }
    writer_.write(piece.matrix, static_cast<uint64_t>(piece.begin / kPanelRows) * panel_stride,
                  worker.panels.data(), worker.panels.size());
    return loss;
  }

  const ModelFile& file_;
  const std::vector<MatrixBinding>& matrices_;
  NativeWriter writer_;
  std::vector<const float*> importance_;  // of each matrix, or nullptr
  std::vector<Piece> pieces_;
  std::vector<Loss> losses_;  // of each piece
  uint64_t n_values_ = 0;
};

/// What was lost once is lost.
void check_input(const ModelFile& file, const Binder& binder) {
  for (const MatrixBinding& matrix : binder.matrices()) {
    const FileTensor& from = *matrix.from;
    if (info(from.dtype).block == 1 && !from.panels) continue;
    fail(
        "{}: tensor {}: expected F32, F16 or BF16 as models are published, found {}{}; quantize the original",
        quoted(file.path), quoted(from.name), info(from.dtype).name,
        from.panels ? " that is in panels already" : "");
  }
}

}  // namespace

std::vector<std::string> quantize_types() {
  std::vector<DType> types;
  for (int i = 0; i < kNumDTypes; ++i) types.push_back(static_cast<DType>(i));
  std::stable_sort(types.begin(), types.end(), [](DType a, DType b) { return bits_of(a) < bits_of(b); });
  std::vector<std::string> names;
  for (const DType type : types) names.emplace_back(info(type).name);
  return names;
}

QuantizeResult quantize_model(const std::string& in, const std::string& out, const QuantizeOptions& options) {
  const DType wanted = dtype_of(options.type);
  const ModelFile file = open_model_file(in);
  Binder binder(file);
  const std::unique_ptr<Architecture> architecture = make_architecture(file);
  architecture->bind(binder);
  binder.check_unused(architecture->config().n_layer);
  check_input(file, binder);
  const Importance importance =
      options.importance.empty() ? Importance{} : Importance(options.importance, binder);

  Quantizer quantizer(file, binder, importance, out, wanted);
  ThreadPool pool(thread_count(options.n_threads));
  quantizer.run(pool, options.progress);
  return quantizer.result(wanted);
}

}  // namespace gptj
