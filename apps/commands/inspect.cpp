#include <fmt/ranges.h>

#include <algorithm>

#include "base/quoted.h"
#include "cli/command_line.h"
#include "options/common.h"
#include "options/loading.h"
#include "program.h"
#include "terminal/console.h"

namespace gptj::apps {
namespace {

std::string sizes(const ModelInfo& info) {
  std::string out;
  const auto row = [&](std::string_view name, const auto& value) {
    out += fmt::format("{:<14} {}\n", name, value);
  };
  row("path", escaped(info.path));
  row("file format", info.file_format);
  row("architecture", info.architecture);
  row("type", info.type);
  if (info.memory_type != info.type) row("in memory", info.memory_type);
  row("parameters", info.n_params);
  row("n_vocab", info.n_vocab);
  row("n_ctx", info.n_ctx);
  row("n_embd", info.n_embd);
  row("n_head", info.n_head);
  row("n_layer", info.n_layer);
  row("n_inner", info.n_inner);
  if (info.n_rot > 0) row("n_rot", info.n_rot);
  row("activation", info.activation);
  return out;
}

std::string memory_needed(const ModelInfo& info, const SessionOptions& session) {
  const SessionMemory memory = session_memory(info, session);
  return fmt::format(
      "\nmemory for a context of {} tokens\n"
      "weights        {:10.2f} MB ({:.2f} MB read for each generated token)\n"
      "KV cache       {:10.2f} MB ({})\n"
      "scratch        {:10.2f} MB (prompts in batches of {} tokens)\n"
      "total          {:10.2f} MB\n",
      session.n_ctx == 0 ? info.n_ctx : session.n_ctx, megabytes(info.weight_bytes),
      megabytes(info.read_bytes), megabytes(memory.kv_cache), kKvTypeNames[static_cast<int>(session.kv_type)],
      megabytes(memory.scratch), session.n_batch,
      megabytes(info.weight_bytes + memory.kv_cache + memory.scratch));
}

/// One line for each tensor, in columns that are as wide as they must be.
std::string tensor_list(const std::vector<TensorInfo>& tensors) {
  size_t name_width = 0, shape_width = 0;
  std::vector<std::pair<std::string, std::string>> texts;
  for (const TensorInfo& tensor : tensors) {
    texts.emplace_back(escaped(tensor.name), fmt::format("[{}]", fmt::join(tensor.shape, ", ")));
    name_width = std::max(name_width, texts.back().first.size());
    shape_width = std::max(shape_width, texts.back().second.size());
  }
  std::string out = fmt::format(
      "\n{} tensors (name, shape with the outermost dimension first, type, bytes)\n", tensors.size());
  for (size_t i = 0; i < tensors.size(); ++i) {
    out += fmt::format("{:<{}}  {:<{}}  {:<5} {:>12}\n", texts[i].first, name_width, texts[i].second,
                       shape_width, tensors[i].type, tensors[i].bytes);
  }
  return out;
}

}  // namespace

int inspect_command(const Program& program, const Command& command, std::vector<std::string> args) {
  CommandLine line(program, command);
  ModelOption model;
  SessionOptions session;
  LogOptions log;
  model.declare(line, program);
  model.declare_type(line);
  line.text("MODEL", model.path, "", "the same as -m");
  declare_session(line, session);
  declare_context(line, session);
  log.declare_quiet(line);
  if (!line.parse(std::move(args))) return 0;
  line.at_most_one({"MODEL", "--model"});

  const OpenedModel opened = model.open(program, log.log());
  const ModelInfo& info = opened.info();
  write_out(sizes(info) + memory_needed(info, session) + tensor_list(info.tensors));
  return 0;
}

}  // namespace gptj::apps
