#include "io/ggml.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <utility>

#include "base/error.h"
#include "io/architectures.h"
#include "io/byte_reader.h"
#include "io/ggml_ftype.h"
#include "text/vocab_files.h"

namespace gptj {
namespace {

// Limits far above any model: they bound what a field that lies can cost.
constexpr int32_t kMaxVocab = 1 << 22;
constexpr int32_t kMaxContext = 1 << 20;
constexpr int32_t kMaxWidth = 1 << 20;
constexpr int32_t kMaxLayers = 1 << 12;
constexpr int32_t kMaxNameBytes = 256;
constexpr uint32_t kMaxTokenBytes = 1 << 16;
constexpr size_t kMaxTensors = 32 * kMaxLayers;

/// ggml's own files have no container. rustformers' llm also wrote models in the one that llama.cpp had made for LLaMA.
struct Container {
  std::string_view magic;
  bool is_ggjt;  // has a version, a score after each token, and tensors at multiples of 32

  uint64_t begin() const { return magic.size() + (is_ggjt ? sizeof(int32_t) : 0); }
};

constexpr Container kContainers[] = {{kGgmlMagic, false}, {kGgjtMagic, true}};
constexpr uint64_t kGgjtAlignment = 32;
constexpr int32_t kGgjtVersions = 3;

struct Header {
  int32_t n_vocab, n_ctx, n_embd, n_head, n_layer, n_rot;
  GgmlFtype ftype;
};

// The number of tokens that follows the header if it is this architecture's; it must repeat the header's n_vocab.
int32_t vocab_count(const InputFile& file, const Container& container, const FileArchitecture& architecture) {
  ByteReader reader(file);
  reader.skip(container.begin() + (architecture.rotary ? 28 : 24), "header");
  return reader.i32("number of tokens");
}

// ggjt's version n came with version n - 1 of quantization, and at first only it said so.
int32_t with_version(int32_t ftype, int32_t ggjt_version) {
  const bool is_quantized = ftype > 1 && ftype < kGgmlVersionFactor;
  return is_quantized && ggjt_version > 0 ? ftype + (ggjt_version - 1) * kGgmlVersionFactor : ftype;
}

int32_t read_version(ByteReader& reader, const Container& container) {
  reader.skip(container.magic.size(), "magic");
  if (!container.is_ggjt) return 0;
  const int32_t version = reader.i32("version");
  if (version < 1 || version > kGgjtVersions) {
    fail("{}: header: version of ggjt: expected 1 to {}, found {}", quoted(reader.path()), kGgjtVersions,
         version);
  }
  return version;
}

Header read_header(ByteReader& reader, const Container& container, const FileArchitecture& architecture) {
  const auto field = [&](std::string_view name, int32_t limit) {
    const int32_t value = reader.i32(name);
    if (value < 1 || value > limit) {
      fail("{}: header: {}: expected 1 to {}, found {}", quoted(reader.path()), name, limit, value);
    }
    return value;
  };
  const int32_t ggjt_version = read_version(reader, container);
  Header header{};
  header.n_vocab = field("n_vocab", kMaxVocab);
  header.n_ctx = field("n_ctx", kMaxContext);
  header.n_embd = field("n_embd", kMaxWidth);
  header.n_head = field("n_head", header.n_embd);
  header.n_layer = field("n_layer", kMaxLayers);
  if (architecture.rotary) header.n_rot = field("n_rot", header.n_embd);
  header.ftype = parse_ggml_ftype(with_version(reader.i32("ftype"), ggjt_version), reader.path());
  return header;
}

std::vector<std::string> read_tokens(ByteReader& reader, const Container& container, int32_t n_vocab) {
  reader.skip(sizeof(int32_t), "number of tokens");  // it is n_vocab: vocab_count() has been compared
  std::vector<std::string> tokens;
  for (int32_t id = 0; id < n_vocab; ++id) {
    const uint32_t length = reader.u32("length of a token");
    if (length > kMaxTokenBytes) {
      fail("{}: vocabulary: length of token {}: expected at most {}, found {}", quoted(reader.path()), id,
           kMaxTokenBytes, length);
    }
    tokens.push_back(reader.text(length, "token"));
    if (container.is_ggjt) reader.skip(sizeof(float), "score of a token");
  }
  return tokens;
}

// The name comes after the numbers: until it is read, messages can only say where the tensor begins.
FileTensor read_tensor(ByteReader& reader, const Container& container, const GgmlFtype& ftype) {
  const uint64_t begin = reader.offset();
  const auto field = [&](std::string_view what, int32_t limit) {
    const int32_t value = reader.i32(what);
    if (value < 1 || value > limit) {
      fail(
          "{}: tensor at byte {}: {}: expected 1 to {}, found {} (a damaged file, or more than tensors in "
          "it)",
          quoted(reader.path()), begin, what, limit, value);
    }
    return value;
  };
  const int32_t n_dims = field("number of dimensions", 2);
  const int32_t name_bytes = field("length of name", kMaxNameBytes);
  const int32_t type = reader.i32("type");
  const int64_t width = field("first dimension", std::numeric_limits<int32_t>::max());
  const int64_t rows = n_dims == 2 ? field("second dimension", std::numeric_limits<int32_t>::max()) : 1;
  std::string name = reader.text(static_cast<size_t>(name_bytes), "name of a tensor");

  const std::optional<TensorType> stored = ggml_type(ftype, type);
  if (!stored || (stored->block() > 1 && !ftype.is_quantized())) {
    fail("{}: tensor {}: type: expected {}, found {}", quoted(reader.path()), quoted(name),
         ftype.is_quantized() ? "0 (f32), 1 (f16) or that of a quantized format"
                              : "0 (f32) or 1 (f16), as ftype says",
         type);
  }
  if (width % stored->block() != 0) {
    fail("{}: tensor {}: first dimension: expected a multiple of {} for {}, found {}", quoted(reader.path()),
         quoted(name), stored->block(), stored->name(), width);
  }
  if (container.is_ggjt) {
    reader.skip((kGgjtAlignment - reader.offset() % kGgjtAlignment) % kGgjtAlignment, "padding");
  }
  const uint64_t stride = stored->row_bytes(width);
  if (static_cast<uint64_t>(rows) > reader.remaining() / stride) {
    fail("{}: truncated or damaged: tensor {}: expected {} rows of {} bytes, found {} bytes to the end",
         quoted(reader.path()), quoted(name), rows, stride, reader.remaining());
  }
  const uint64_t bytes = stride * static_cast<uint64_t>(rows);
  FileTensor tensor{.name = std::move(name),
                    .dtype = stored->dtype,
                    .shape = n_dims == 2 ? std::vector{rows, width} : std::vector{width},
                    .file = &reader.file(),
                    .offset = reader.offset(),
                    .bytes = bytes,
                    .encoding = stored->encoding};
  reader.skip(bytes, "data");
  return tensor;
}

std::vector<FileTensor> read_tensors(ByteReader& reader, const Container& container, const GgmlFtype& ftype) {
  std::vector<FileTensor> tensors;
  while (reader.remaining() > 0) {
    tensors.push_back(read_tensor(reader, container, ftype));
    if (tensors.size() > kMaxTensors) {
      fail("{}: expected at most {} tensors, found more", quoted(reader.path()), kMaxTensors);
    }
  }
  return tensors;
}

const FileTensor* find(const std::vector<FileTensor>& tensors, std::string_view name) {
  const auto found =
      std::find_if(tensors.begin(), tensors.end(), [&](const FileTensor& t) { return t.name == name; });
  return found == tensors.end() ? nullptr : &*found;
}

bool is_transposed(const ModelFile& model, const FileArchitecture& architecture, int32_t n_embd) {
  const FileTensor* shows = find(model.tensors, std::string(architecture.ggml.first_layer) +
                                                    std::string(architecture.ggml.once_transposed.front()));
  return shows != nullptr && shows->shape.size() == 2 && shows->shape[0] == n_embd &&
         shows->shape[1] != n_embd;
}

// Makes a tensor [out, in] of one that lies as [in][out], by its strides.
void turn(FileTensor& tensor, const std::string& path) {
  if (info(tensor.dtype).block > 1 || tensor.encoding != nullptr) {
    fail("{}: tensor {}: expected f32 or f16 in a file of the time when matrices were transposed, found {}",
         quoted(path), quoted(tensor.name), tensor.type());
  }
  tensor.strides = {1, tensor.shape[1]};
  std::swap(tensor.shape[0], tensor.shape[1]);
}

void turn_transposed(ModelFile& model, const FileArchitecture& architecture) {
  for (FileTensor& tensor : model.tensors) {
    const bool turned =
        std::any_of(architecture.ggml.once_transposed.begin(), architecture.ggml.once_transposed.end(),
                    [&](std::string_view end) { return tensor.name.ends_with(end); });
    if (turned && tensor.shape.size() == 2) turn(tensor, model.path);
  }
}

nlohmann::json make_config(const Header& header, const FileArchitecture& architecture, bool tied) {
  nlohmann::json config = {
      {"model_type", architecture.model_type},
      {"vocab_size", header.n_vocab},
      {"n_positions", header.n_ctx},
      {"n_embd", header.n_embd},
      {"n_head", header.n_head},
      {"n_layer", header.n_layer},
      {"activation_function", "gelu_new"},
      {"layer_norm_epsilon", 1e-5},
      {"tie_word_embeddings", tied},
  };
  if (architecture.rotary) config["rotary_dim"] = header.n_rot;
  return config;
}

void read_model(ByteReader& reader, const Container& container, const FileArchitecture& architecture,
                ModelFile& model) {
  const Header header = read_header(reader, container, architecture);
  model.vocab = vocab_from_ggml_tokens(read_tokens(reader, container, header.n_vocab), model.path);
  model.tensors = read_tensors(reader, container, header.ftype);
  if (find(model.tensors, architecture.ggml.embedding) == nullptr) {
    fail("{}: expected the tensor {} of a {} model, found none of that name among {}", quoted(model.path),
         quoted(architecture.ggml.embedding), architecture.model_type, model.tensors.size());
  }
  if (is_transposed(model, architecture, header.n_embd)) turn_transposed(model, architecture);
  const bool tied = !architecture.ggml.optional_head.empty() &&
                    find(model.tensors, architecture.ggml.optional_head) == nullptr;
  model.config = std::make_shared<const nlohmann::json>(make_config(header, architecture, tied));
}

// "50400 (gptj) or 0 (gpt2)"
std::string describe_counts(const InputFile& file, const Container& container) {
  std::string text;
  for (const FileArchitecture& architecture : file_architectures()) {
    text += fmt::format("{}{} ({})", text.empty() ? "" : " or ", vocab_count(file, container, architecture),
                        architecture.model_type);
  }
  return text;
}

const Container& find_container(const InputFile& file) {
  const std::string magic = ByteReader(file).text(kGgmlMagic.size(), "magic");
  const auto* found = std::find_if(std::begin(kContainers), std::end(kContainers),
                                   [&](const Container& container) { return magic == container.magic; });
  if (found == std::end(kContainers))
    fail("{}: expected a ggml file, found other first bytes", quoted(file.path()));
  return *found;
}

}  // namespace

ModelFile open_ggml(const std::string& path) {
  ModelFile model;
  model.path = path;
  model.format = "ggml";
  model.naming = Naming::ggml;
  model.files.push_back(std::make_unique<InputFile>(path));
  const InputFile& file = *model.files.front();
  const Container& container = find_container(file);
  ByteReader header(file);
  header.skip(container.begin(), "magic");
  const int32_t n_vocab = header.i32("n_vocab");

  // If the numbers allow both layouts, the names decide. Of two failures, the one that came after more bytes is
  // reported.
  std::optional<Error> failure;
  uint64_t furthest = 0;
  for (const FileArchitecture& architecture : file_architectures()) {
    if (vocab_count(file, container, architecture) != n_vocab) continue;
    ByteReader reader(file);
    try {
      read_model(reader, container, architecture, model);
      return model;
    } catch (const Error& error) {
      if (reader.offset() >= furthest) failure = error;
      furthest = std::max(furthest, reader.offset());
    }
  }
  if (failure) throw Error(*failure);
  fail("{}: header: n_vocab: expected the vocabulary to begin with the same number {}, found {}{}",
       quoted(path), n_vocab, describe_counts(file, container),
       container.is_ggjt ? "; most ggjt files are LLaMA's, another architecture" : "");
}

}  // namespace gptj
