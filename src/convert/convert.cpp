#include "gptj/convert.h"

#include <algorithm>
#include <atomic>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"
#include "base/pieces.h"
#include "base/thread_count.h"
#include "base/thread_pool.h"
#include "convert/importance_file.h"
#include "convert/output_plan.h"
#include "convert/verify.h"
#include "model/row_converter.h"
#include "model/stored_type.h"
#include "tensor/pack.h"
#include "tensor/quantize.h"
#include "text/vocab_files.h"

namespace gptj {
namespace {

/// Values that a thread converts at once. Matrices that are transposed in either file are read or written in as many
/// short runs as a row has values, so more of them are taken at once.
constexpr int64_t kPieceValues = 1 << 18, kTransposedValues = 1 << 21;

/// Rows of one matrix on their way into the file.
struct Piece {
  size_t matrix;
  int64_t begin, end;
};

class Converter {
 public:
  Converter(const ModelFile& file, const OutputPlan& plan, const Importance& importance,
            const OutputForm& form, ModelWriter& writer)
      : file_(file), plan_(plan), form_(form), writer_(writer) {
    for (size_t i = 0; i < plan.matrices.size(); ++i) {
      const PlannedMatrix& matrix = plan.matrices[i];
      importance_.push_back(importance.of(matrix.from->name));
      const bool transposed = matrix.transposed || matrix.from->transposed;
      const int64_t values = transposed ? kTransposedValues : kPieceValues, rows = matrix.from->to->rows;
      const int64_t step = std::max<int64_t>(1, values / matrix.from->to->n / kPanelRows) * kPanelRows;
      for (int64_t row = 0; row < rows; row += step) {
        pieces_.push_back({i, row, std::min<int64_t>(rows, row + step)});
      }
      total_ += matrix.from->from->bytes;
    }
    losses_.resize(pieces_.size());
  }

  void run(ThreadPool& pool, const Progress& progress) {
    write_vectors();
    std::vector<Worker> workers(static_cast<size_t>(pool.n_threads()), Worker(file_.path));
    std::atomic<uint64_t> done{0};
    run_pieces(pool, pieces_.size(), [&](size_t i, int thread) {
      const Piece& piece = pieces_[i];
      losses_[i] = convert(piece, workers[static_cast<size_t>(thread)]);
      const MatrixBinding& from = *plan_.matrices[piece.matrix].from;
      done += from.from->bytes * static_cast<uint64_t>(piece.end - piece.begin) /
              static_cast<uint64_t>(from.to->rows);
      if (thread == 0 && progress && !progress(done, total_)) fail("converting was stopped");
    });
    writer_.finish();
  }

  /// What each matrix has lost.
  std::vector<Loss> losses() const {
    std::vector<Loss> out(plan_.matrices.size());
    for (size_t i = 0; i < pieces_.size(); ++i) out[pieces_[i].matrix].add(losses_[i]);
    return out;
  }

 private:
  struct Worker {
    explicit Worker(const std::string& path) : rows(path) {}

    RowConverter rows;
    std::vector<uint8_t> placed;  // rows as the form stores them
  };

  void write_vectors() {
    RowReader reader(file_.path);
    std::vector<uint8_t> stored;
    for (size_t i = 0; i < plan_.vectors.size(); ++i) {
      const VectorBinding& vector = *plan_.vectors[i].from;
      const std::vector<float> zeros(static_cast<size_t>(vector.to->padded()));
      const float* values = vector.from != nullptr ? reader.read(vector) : zeros.data();
      const int64_t n = form_.panels ? vector.to->padded() : vector.to->n;
      const DType dtype = plan_.vectors[i].to.dtype;
      stored.resize(row_bytes(dtype, n));
      if (!quantize_row(dtype, values, n, nullptr, stored.data())) {
        fail("{}: tensor {}: expected numbers that {} can hold, found NaN, infinity or too large a number",
             quoted(file_.path), quoted(vector.name), info(dtype).name);
      }
      writer_.write(plan_.matrices.size() + i, 0, stored.data(), stored.size());
    }
  }

  Loss convert(const Piece& piece, Worker& worker) {
    const PlannedMatrix& matrix = plan_.matrices[piece.matrix];
    const DType dtype = matrix.to.dtype;
    const int64_t n = matrix.from->to->n;
    Loss loss;
    const uint8_t* rows =
        worker.rows.read(*matrix.from, piece.begin, piece.end, dtype, importance_[piece.matrix], &loss);
    // Packing also finds scales that are not finite.
    if (form_.panels || info(dtype).block > 1) {
      const int64_t panels = round_up(piece.end - piece.begin, kPanelRows) / kPanelRows;
      worker.placed.resize(static_cast<size_t>(panels) * panel_bytes(dtype, n));
      pack_rows(file_.path, *matrix.from, dtype, piece.begin, piece.end, rows, worker.placed.data());
    }
    if (form_.panels) {
      writer_.write(piece.matrix, static_cast<uint64_t>(piece.begin / kPanelRows) * panel_bytes(dtype, n),
                    worker.placed.data(), worker.placed.size());
    } else if (matrix.transposed) {
      write_transposed(piece, rows, worker.placed);
    } else {
      const size_t stride = row_bytes(dtype, n);
      writer_.write(piece.matrix, static_cast<uint64_t>(piece.begin) * stride, rows,
                    static_cast<size_t>(piece.end - piece.begin) * stride);
    }
    return loss;
  }

  /// Writes rows as columns, a short run of each.
  void write_transposed(const Piece& piece, const uint8_t* rows, std::vector<uint8_t>& columns) {
    const PlannedMatrix& matrix = plan_.matrices[piece.matrix];
    const size_t size = info(matrix.to.dtype).block_bytes;
    const auto n = static_cast<size_t>(matrix.from->to->n),
               count = static_cast<size_t>(piece.end - piece.begin);
    columns.resize(n * count * size);
    transpose(rows, count, n, size, columns.data());
    for (size_t k = 0; k < n; ++k) {
      const uint64_t value =
          k * static_cast<uint64_t>(matrix.from->to->rows) + static_cast<uint64_t>(piece.begin);
      writer_.write(piece.matrix, value * size, columns.data() + k * count * size, count * size);
    }
  }

  const ModelFile& file_;
  const OutputPlan& plan_;
  const OutputForm& form_;
  ModelWriter& writer_;
  std::vector<const float*> importance_;  // of each matrix, or nullptr
  std::vector<Piece> pieces_;
  std::vector<Loss> losses_;  // of each piece
  uint64_t total_ = 0;        // bytes to be read
};

ConvertResult describe(const ModelFile& file, const OutputPlan& plan, const ModelWriter& writer,
                       const std::vector<Loss>& losses, std::optional<DType> wanted) {
  ConvertResult out;
  for (const FileTensor& tensor : file.tensors) out.bytes_before += tensor.bytes;
  out.bytes = writer.file_bytes();
  Loss all;
  uint64_t matrix_bytes = 0, n_values = 0;
  for (size_t i = 0; i < plan.matrices.size(); ++i) {
    const OutputTensor& tensor = writer.tensors()[i];
    ConvertedMatrix& to = out.matrices.emplace_back();
    to.name = tensor.name;
    to.type = info(tensor.dtype).name;
    to.n_values = static_cast<uint64_t>(tensor.shape[0]) * static_cast<uint64_t>(tensor.shape[1]);
    to.bytes = row_major_bytes(tensor);
    to.error = losses[i].relative();
    to.by_length = wanted && tensor.shape[1] % info(*wanted).block != 0;
    matrix_bytes += to.bytes;
    n_values += to.n_values;
    all.add(losses[i]);
  }
  out.bits = 8.0 * static_cast<double>(matrix_bytes) / static_cast<double>(n_values);
  out.error = all.relative();
  return out;
}

/// A line for each thing that had been lost before, or will be.
std::vector<std::string> warnings_of(const OutputForm& form, const Vocab& vocab, const OutputPlan& plan) {
  std::vector<std::string> out;
  const auto again =
      std::find_if(plan.matrices.begin(), plan.matrices.end(), [](const PlannedMatrix& matrix) {
        const FileTensor& from = *matrix.from->from;
        const bool quantized = from.encoding != nullptr || info(from.dtype).block > 1;
        return quantized && info(matrix.to.dtype).block > 1 && from.dtype != matrix.to.dtype;
      });
  if (again != plan.matrices.end()) {
    out.push_back(
        fmt::format("the weights are quantized already ({}) and will be again ({}): what was lost once is "
                    "lost, and the original would give a better file",
                    again->from->from->type(), info(again->to.dtype).name));
  }
  if (form.naming == Naming::ggml && vocab_from_ggml_tokens(vocab.tokens).merges != vocab.merges) {
    out.emplace_back(
        "legacy ggml files have no merges, and this vocabulary's are not in the order of its tokens: some "
        "texts will be cut into other tokens");
  }
  const bool special = std::any_of(vocab.added.begin(), vocab.added.end(), [](const AddedToken& token) {
    return token.lstrip || token.rstrip || token.single_word;
  });
  if (special && (form.naming == Naming::ggml || form.naming == Naming::gguf)) {
    out.push_back(
        fmt::format("{} cannot say which added tokens swallow the spaces beside them", form.description));
  }
  return out;
}

/// Throws Error if a checksum is wrong: a copy of damaged weights would get checksums that are right.
void check_checksums(const BoundModel& model, ThreadPool& pool, const Progress& progress) {
  const std::vector<FileTensor>& tensors = model.file.tensors;
  const bool any = std::any_of(tensors.begin(), tensors.end(),
                               [](const FileTensor& tensor) { return tensor.checksum.has_value(); });
  if (!any) return;
  const VerifyResult result =
      verify(model, pool, [&](uint64_t, uint64_t) { return !progress || progress(0, 1); });
  if (!result.damaged.empty()) fail("{}", result.damaged.front());
}

void check_importance(const ConvertOptions& options, std::optional<DType> wanted) {
  if (options.importance.empty() || (wanted && info(*wanted).block > 1)) return;
  fail("{}: expected a quantized type for it to matter, found {}", quoted(options.importance),
       wanted ? info(*wanted).name : "none (--type)");
}

/// Removes padding, with which some forms fill up the vocabulary to the rows of the embedding: empty tokens that
/// nothing names.
void drop_padding(Vocab& vocab) {
  int last = std::max(vocab.bos.value_or(-1), vocab.eos.value_or(-1));
  for (const AddedToken& token : vocab.added) last = std::max(last, token.id);
  for (const auto& [left, right] : vocab.merges) last = std::max({last, left, right});
  while (std::cmp_greater(vocab.tokens.size(), last + 1) && vocab.tokens.back().empty())
    vocab.tokens.pop_back();
}

}  // namespace

std::vector<std::string> weight_types() {
  std::vector<std::string> names;
  for (const DType dtype : types_by_size()) names.emplace_back(info(dtype).name);
  return names;
}

std::vector<WrittenForm> written_forms() {
  std::vector<WrittenForm> forms;
  for (const OutputForm& form : output_forms()) {
    forms.push_back({std::string(form.name), std::string(form.description), std::string(form.extension)});
  }
  return forms;
}

ConvertResult convert_model(const std::string& in, const std::string& out, const ConvertOptions& options) {
  const OutputForm& form = output_form(options.form, out);
  const std::optional<DType> wanted =
      options.type.empty() ? std::nullopt : std::optional(parse_dtype(options.type));
  if (out.empty()) fail("OUT: expected a name, found nothing");
  check_importance(options, wanted);
  ModelFile opened = open_model_file(in);
  expect_other_file(out, opened.sources());
  expect_other_file(out, {options.importance});
  drop_padding(opened.vocab);
  const BoundModel model(std::move(opened));
  const ModelFile& file = model.file;
  const Config& config = model.architecture->config();
  const Importance importance =
      options.importance.empty() ? Importance{} : Importance(options.importance, model.binder);

  const OutputPlan plan(form, file, config, model.binder, wanted);
  const nlohmann::json complete = complete_config(file, config, model.binder);
  const std::unique_ptr<ModelWriter> writer = form.make(out, {complete, file.vocab, plan.tensors()});
  ThreadPool pool(thread_count(options.n_threads));
  check_checksums(model, pool, options.progress);  // the last check, for it reads all of IN
  Converter converter(file, plan, importance, form, *writer);
  converter.run(pool, options.progress);
  ConvertResult result = describe(file, plan, *writer, converter.losses(), wanted);
  result.form = form.description;
  result.warnings = warnings_of(form, file.vocab, plan);
  return result;
}

}  // namespace gptj
