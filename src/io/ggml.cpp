#include "io/ggml.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <unordered_set>
#include <utility>

#include "base/error.h"
#include "io/byte_reader.h"
#include "io/ggml_ftype.h"
#include "text/vocab_files.h"

namespace gptj {
namespace {

// Sane limits, far above any model: what a lying field can cost.
constexpr int32_t kMaxVocab = 1 << 22;
constexpr int32_t kMaxContext = 1 << 20;
constexpr int32_t kMaxWidth = 1 << 20;
constexpr int32_t kMaxLayers = 1 << 12;
constexpr int32_t kMaxNameBytes = 256;
constexpr uint32_t kMaxTokenBytes = 1 << 16;
constexpr size_t kMaxTensors = 32 * kMaxLayers;

/// GPT-J and GPT-2 files have one magic number, and no field of the header says which it is: GPT-J's has one
/// field more, and the tensors have other names.
struct Layout {
  std::string_view model_type;  // in the words of config.json
  bool has_n_rot;
  std::string_view embedding;      // a tensor that every model of this kind has, and no other
  std::string_view optional_head;  // a tensor that the embedding replaces if it is missing; "": none is
};

constexpr Layout kLayouts[] = {
    {"gptj", true, "transformer.wte.weight", ""},
    {"gpt2", false, "model/wte", "model/lm_head"},
};

struct Header {
  int32_t n_vocab, n_ctx, n_embd, n_head, n_layer, n_rot, ftype;
};

constexpr uint64_t header_bytes(const Layout& layout) {
  return layout.has_n_rot ? 32 : 28;
}

// The number of tokens that the vocabulary would have in this layout; it must repeat the header's n_vocab.
int32_t vocab_count(const InputFile& file, const Layout& layout) {
  ByteReader reader(file);
  reader.skip(header_bytes(layout), "header");
  return reader.i32("number of tokens");
}

Header read_header(ByteReader& reader, const Layout& layout) {
  const auto field = [&](std::string_view name, int32_t limit) {
    const int32_t value = reader.i32(name);
    if (value < 1 || value > limit) {
      fail("{}: header: {}: expected 1 to {}, found {}", quoted(reader.path()), name, limit, value);
    }
    return value;
  };
  reader.skip(kGgmlMagic.size(), "magic");
  Header header{};
  header.n_vocab = field("n_vocab", kMaxVocab);
  header.n_ctx = field("n_ctx", kMaxContext);
  header.n_embd = field("n_embd", kMaxWidth);
  header.n_head = field("n_head", header.n_embd);
  header.n_layer = field("n_layer", kMaxLayers);
  if (layout.has_n_rot) header.n_rot = field("n_rot", header.n_embd);
  header.ftype = reader.i32("ftype");
  check_ggml_ftype(header.ftype, reader.path());
  return header;
}

std::vector<std::string> read_tokens(ByteReader& reader, int32_t n_vocab) {
  reader.skip(sizeof(int32_t), "number of tokens");  // n_vocab, as vocab_count() was asked before
  std::vector<std::string> tokens;
  for (int32_t id = 0; id < n_vocab; ++id) {
    const uint32_t length = reader.u32("length of a token");
    if (length > kMaxTokenBytes) {
      fail("{}: vocabulary: length of token {}: expected at most {}, found {}", quoted(reader.path()), id,
           kMaxTokenBytes, length);
    }
    tokens.push_back(reader.text(length, "token"));
  }
  return tokens;
}

// The name comes after the numbers: until it is read, messages can only say where the tensor begins.
FileTensor read_tensor(ByteReader& reader, bool may_be_quantized) {
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

  const std::optional<DType> dtype = dtype_from_ggml_type(type);
  const int block = dtype ? info(*dtype).block : 0;
  if (!dtype || (block > 1 && !may_be_quantized)) {
    fail("{}: tensor {}: type: expected {}, found {}", quoted(reader.path()), quoted(name),
         may_be_quantized ? "0 (f32), 1 (f16) or that of a quantized format"
                          : "0 (f32) or 1 (f16), as ftype says",
         type);
  }
  if (width % block != 0) {
    fail("{}: tensor {}: first dimension: expected a multiple of {} for {}, found {}", quoted(reader.path()),
         quoted(name), block, info(*dtype).name, width);
  }
  const uint64_t stride = row_bytes(*dtype, width);
  if (static_cast<uint64_t>(rows) > reader.remaining() / stride) {
    fail("{}: truncated or damaged: tensor {}: expected {} rows of {} bytes, found {} bytes to the end",
         quoted(reader.path()), quoted(name), rows, stride, reader.remaining());
  }
  const uint64_t bytes = stride * static_cast<uint64_t>(rows);
  std::vector<int64_t> shape = n_dims == 2 ? std::vector{rows, width} : std::vector{width};
  FileTensor tensor{std::move(name), *dtype, std::move(shape), &reader.file(), reader.offset(), bytes};
  reader.skip(bytes, "data");
  return tensor;
}

std::vector<FileTensor> read_tensors(ByteReader& reader, int32_t ftype) {
  std::vector<FileTensor> tensors;
  std::unordered_set<std::string> names;
  while (reader.remaining() > 0) {
    tensors.push_back(read_tensor(reader, is_quantized_ggml_ftype(ftype)));
    if (!names.insert(tensors.back().name).second) {
      fail("{}: tensor {}: found twice", quoted(reader.path()), quoted(tensors.back().name));
    }
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

// Converters of 2021 and 2022 wrote some GPT-J matrices as [in][out]. Most are square; this one shows it.
void refuse_transposed(const ModelFile& model, const Header& header) {
  const FileTensor* fc_in = find(model.tensors, "transformer.h.0.mlp.fc_in.weight");
  if (fc_in == nullptr || fc_in->shape.size() != 2) return;
  if (fc_in->shape[0] == header.n_embd && fc_in->shape[1] != header.n_embd) {
    fail(
        "{}: an old GPT-J file, which this version does not read; convert the original model again: "
        "tensor {}: expected shape [{}, {}], found it transposed",
        quoted(model.path), quoted(fc_in->name), fc_in->shape[1], fc_in->shape[0]);
  }
}

nlohmann::json make_config(const Header& header, const Layout& layout, bool tied) {
  nlohmann::json config = {
      {"model_type", layout.model_type},   {"vocab_size", header.n_vocab}, {"n_positions", header.n_ctx},
      {"n_embd", header.n_embd},           {"n_head", header.n_head},      {"n_layer", header.n_layer},
      {"activation_function", "gelu_new"}, {"layer_norm_epsilon", 1e-5},   {"tie_word_embeddings", tied},
  };
  if (layout.has_n_rot) config["rotary_dim"] = header.n_rot;
  return config;
}

void read_model(ByteReader& reader, const Layout& layout, ModelFile& model) {
  const Header header = read_header(reader, layout);
  model.vocab = vocab_from_ggml_tokens(read_tokens(reader, header.n_vocab), model.path);
  model.tensors = read_tensors(reader, header.ftype);
  if (find(model.tensors, layout.embedding) == nullptr) {
    fail("{}: expected the tensor {} of a {} model, found none of that name among {}", quoted(model.path),
         quoted(layout.embedding), layout.model_type, model.tensors.size());
  }
  refuse_transposed(model, header);
  const bool tied = !layout.optional_head.empty() && find(model.tensors, layout.optional_head) == nullptr;
  model.config = std::make_shared<const nlohmann::json>(make_config(header, layout, tied));
}

// "50400 (gptj) or 0 (gpt2)"
std::string describe_counts(const InputFile& file) {
  std::string text;
  for (const Layout& layout : kLayouts) {
    text +=
        fmt::format("{}{} ({})", text.empty() ? "" : " or ", vocab_count(file, layout), layout.model_type);
  }
  return text;
}

}  // namespace

ModelFile open_ggml(const std::string& path) {
  ModelFile model;
  model.path = path;
  model.format = "ggml";
  model.naming = Naming::ggml;
  model.files.push_back(std::make_unique<InputFile>(path));

  ByteReader header(*model.files.front());
  header.skip(kGgmlMagic.size(), "magic");
  const int32_t n_vocab = header.i32("n_vocab");

  // Should the numbers allow both layouts, the names decide. Of two failures, that of the layout which made
  // sense of more bytes is the true one.
  std::optional<Error> failure;
  uint64_t furthest = 0;
  for (const Layout& layout : kLayouts) {
    if (vocab_count(*model.files.front(), layout) != n_vocab) continue;
    ByteReader reader(*model.files.front());
    try {
      read_model(reader, layout, model);
      return model;
    } catch (const Error& error) {
      if (reader.offset() >= furthest) failure = error;
      furthest = std::max(furthest, reader.offset());
    }
  }
  if (failure) throw *failure;
  fail("{}: header: n_vocab: expected the vocabulary to begin with the same number {}, found {}",
       quoted(path), n_vocab, describe_counts(*model.files.front()));
}

}  // namespace gptj
