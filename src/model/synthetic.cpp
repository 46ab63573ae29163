#include "model/synthetic.h"

#include <fmt/ranges.h>

#include <charconv>
#include <deque>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "gptj/model.h"
#include "model/architecture.h"
#include "model/stored_type.h"

namespace gptj {
namespace {

struct Shape {
  const char* name;
  const char* architecture;
  int n_vocab, n_ctx, n_embd, n_head, n_layer;
  int n_rot;  // 0: none
};

constexpr Shape kShapes[] = {
    {"gptj-6b", "gptj", 50400, 2048, 4096, 16, 28, 64},
    {"gpt2-117m", "gpt2", 50257, 1024, 768, 12, 12, 0},
    {"gpt2-345m", "gpt2", 50257, 1024, 1024, 16, 24, 0},
    {"gpt2-774m", "gpt2", 50257, 1024, 1280, 20, 36, 0},
    {"gpt2-1558m", "gpt2", 50257, 1024, 1600, 25, 48, 0},
    {"codegen-350m", "codegen", 51200, 2048, 1024, 16, 20, 32},
    {"codegen-2b", "codegen", 51200, 2048, 2560, 32, 32, 64},
    {"codegen-6b", "codegen", 51200, 2048, 4096, 16, 33, 64},
    {"codegen-16b", "codegen", 51200, 2048, 6144, 24, 34, 64},
};

/// "gptj-6b" or "gptj-6b:4".
Shape parse_shape(const std::string& text) {
  const size_t colon = text.find(':');
  for (Shape shape : kShapes) {
    if (text.substr(0, colon) != shape.name) continue;
    if (colon == std::string::npos) return shape;
    const int most = shape.n_layer;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, shape.n_layer);
    if (error == std::errc() && stop == end && shape.n_layer >= 1 && shape.n_layer <= most) return shape;
    fail("shape {}: expected 1 to {} layers after the colon", quoted(text), most);
  }
  fail("shape: expected one of {}, as it is or with fewer layers ('gptj-6b:4'), found {}",
       fmt::join(synthetic_shapes(), ", "), quoted(text));
}

nlohmann::json make_config(const Shape& shape) {
  nlohmann::json config = {{"model_type", shape.architecture}, {"vocab_size", shape.n_vocab},
                           {"n_positions", shape.n_ctx},       {"n_embd", shape.n_embd},
                           {"n_head", shape.n_head},           {"n_layer", shape.n_layer}};
  if (shape.n_rot > 0) config["rotary_dim"] = shape.n_rot;
  return config;
}

/// A token for every byte; all other rows of the embedding are padding.
Vocab make_vocab(const std::string& source) {
  Vocab vocab;
  vocab.source = source;
  for (int byte = 0; byte < 256; ++byte) vocab.tokens.emplace_back(1, static_cast<char>(byte));
  return vocab;
}

FileTensor make_tensor(const std::string& name, const std::vector<int64_t>& shape, DType type) {
  if (shape.size() == 1) {
    return {.name = name,
            .dtype = DType::f32,
            .shape = shape,
            .file = nullptr,
            .offset = 0,
            .bytes = static_cast<uint64_t>(shape[0]) * sizeof(float)};
  }
  if (shape[1] % info(type).block != 0) type = DType::f16;
  const auto n_panels = static_cast<uint64_t>(round_up(shape[0], kPanelRows) / kPanelRows);
  return {.name = name,
          .dtype = type,
          .shape = shape,
          .file = nullptr,
          .offset = 0,
          .bytes = n_panels * panel_bytes(type, shape[1]),
          .panels = true};
}

}  // namespace

std::vector<std::string> synthetic_shapes() {
  std::vector<std::string> names;
  for (const Shape& shape : kShapes) names.emplace_back(shape.name);
  return names;
}

ModelFile synthetic_model(const std::string& shape, const std::string& type) {
  const Shape parsed = parse_shape(shape);
  const DType dtype = parse_dtype(type);
  ModelFile file;
  file.path = shape + " " + type;
  file.format = "none";
  file.naming = Naming::ggml;
  file.config = std::make_shared<const nlohmann::json>(make_config(parsed));
  file.vocab = make_vocab(file.path);
  std::deque<FileTensor> tensors;  // a deque does not move its elements
  Binder binder(file, [&](const std::string& name, const std::vector<int64_t>& of) -> const FileTensor& {
    return tensors.emplace_back(make_tensor(name, of, dtype));
  });
  make_architecture(file)->bind(binder);
  file.tensors.assign(tensors.begin(), tensors.end());
  return file;
}

}  // namespace gptj
