#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gptj/error.h"
#include "gptj/tokenizer.h"

namespace gptj {

class GrammarVocabulary;

struct TensorInfo {
  std::string name;            // as the file names it
  std::string type;            // in the file: "f16", "q4_K", ...
  std::vector<int64_t> shape;  // outermost dimension first
  uint64_t bytes;              // in the file
};

struct ModelInfo {
  std::string path;
  std::vector<std::string> sources;  // the path, and files in or beside it that may have been read
  std::string file_format;           // "gptj", "ggml", "GGUF", "safetensors", "torch"
  std::string architecture;          // "gptj", "gpt2"
  std::string type;         // that of most bytes of the layers' matrices in the file: "f16", "q4_K", ...
  std::string memory_type;  // the same in memory: "q4_1" for "q4_K", with which no kernel computes
  int n_vocab = 0;          // rows of the logits; may exceed the tokenizer's n_tokens() (padding)
  int n_ctx = 0;            // longest context the model was made for, in tokens
  int n_embd = 0;
  int n_head = 0;
  int n_layer = 0;
  int n_inner = 0;  // width of the feed-forward layer
  int n_rot = 0;    // dimensions of each head that are rotated; 0 for GPT-2
  std::string activation;
  uint64_t n_params = 0;
  uint64_t weight_bytes = 0;  // of all weights in memory, including those in a mapped file
  uint64_t mapped_bytes = 0;  // of these, once loaded, in the pages of their file, which processes share
  uint64_t read_bytes = 0;    // of the weights that decoding one token reads
  std::vector<TensorInfo> tensors;
};

/// Called now and then during long work, from the thread that asked for it; `done` grows to `total`, usually in bytes.
/// Return false to stop: the work then throws Error.
using Progress = std::function<bool(uint64_t done, uint64_t total)>;

struct LoadOptions {
  int n_threads = 0;  // 0: one per physical core; at most 1024
  Progress progress = {};
  /// Use the weights of our own files where they lie, in pages that all processes share: nothing is read before it is
  /// needed, and a disk that fails then ends the process with SIGBUS. False: read them into memory like those of
  /// other files.
  bool map = true;
  bool prefetch = false;  // read mapped files into memory at once
  bool lock = false;      // keep all weights in memory (mlock); reads mapped files at once, too
};

/// The tokenizer of a model, or of a directory that has only tokenizer files. Throws Error: a file that is missing,
/// damaged or no byte-level BPE.
Tokenizer open_tokenizer(const std::string& path);

/// The shapes of known models: "gptj-6b", ...
std::vector<std::string> synthetic_shapes();

/// A model without a file, for measuring speed: the text that it makes means nothing.
struct SyntheticModel {
  std::string shape;  // one of synthetic_shapes(); with only 4 layers if ":4" follows
  std::string type;   // of its matrices: "f16", "q4", ...
};

/// A model of which everything but the weights has been read and checked.
class OpenedModel {
 public:
  /// `path` is a file or a directory. Throws Error if it is missing, damaged or not a model.
  explicit OpenedModel(const std::string& path);
  /// Throws Error for an unknown shape or type.
  explicit OpenedModel(const SyntheticModel& model);
  OpenedModel(OpenedModel&&) noexcept;
  OpenedModel& operator=(OpenedModel&&) noexcept;
  ~OpenedModel();

  const ModelInfo& info() const;
  const Tokenizer& tokenizer() const;

  /// Has the weights quantized while they load, as convert_model() does; info() describes the result. False: they are
  /// of that type already. Throws Error if there is no such type.
  bool store_as(const std::string& type);

 private:
  friend class Model;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// A model in memory: weights and tokenizer. Const once loaded; may be shared by sessions and threads.
class Model {
 public:
  /// Reads the weights. Throws Error for damaged weights, or if there is not enough memory.
  explicit Model(OpenedModel opened, const LoadOptions& options = {});
  /// Opens the model and reads its weights.
  explicit Model(const std::string& path, const LoadOptions& options = {});
  Model(Model&&) noexcept;
  Model& operator=(Model&&) noexcept;
  ~Model();

  const ModelInfo& info() const;
  const Tokenizer& tokenizer() const;
  const GrammarVocabulary& grammar_vocabulary() const;  // made when it is first asked for

 private:
  friend class Session;
  struct Impl;
  std::unique_ptr<const Impl> impl_;
};

}  // namespace gptj
