#include "options/loading.h"

#include <map>
#include <utility>

#include "base/quoted.h"
#include "terminal/console.h"

namespace gptj::apps {
namespace {

/// ggml's word for F16 and F32 files, the type's own name for others.
std::string type_line(const ModelInfo& info) {
  if (info.type == "f16") return "f16     = 1";
  if (info.type == "f32") return "f16     = 0";
  const std::string line = "type    = " + info.type;
  return info.memory_type == info.type ? line : fmt::format("{} ({} in memory)", line, info.memory_type);
}

void describe_details(const ModelInfo& info, const SessionOptions& session, const SessionMemory& memory,
                      const std::string& me, const Log& log) {
  std::map<std::string, int> types;
  for (const TensorInfo& tensor : info.tensors) ++types[tensor.type];
  for (const auto& [type, count] : types) log.line("{}: {:<4} tensors = {}", me, type, count);
  log.line("{}: file format = {}, activation = {}, n_inner = {}", me, info.file_format, info.activation,
           info.n_inner);
  log.line("{}: weights = {:.2f} MB, KV cache ({}) = {:.2f} MB, scratch = {:.2f} MB", me,
           megabytes(info.weight_bytes), kKvTypeNames[static_cast<int>(session.kv_type)],
           megabytes(memory.kv_cache), megabytes(memory.scratch));
}

}  // namespace

double megabytes(uint64_t bytes) {
  return static_cast<double>(bytes) / (1024.0 * 1024.0);
}

Model load_model(OpenedModel opened, const SessionOptions& session, const MemoryOptions& in_memory,
                 const Log& log) {
  const ModelInfo& info = opened.info();
  const std::string me = info.architecture + "_model_load";
  const SessionMemory memory = session_memory(info, session);
  const int n_ctx = session.n_ctx == 0 ? info.n_ctx : session.n_ctx;

  log.line("{}: loading model from '{}' - please wait ...", me, escaped(info.path));
  log.line("{}: n_vocab = {}", me, info.n_vocab);
  log.line("{}: n_ctx   = {}", me, info.n_ctx);
  log.line("{}: n_embd  = {}", me, info.n_embd);
  log.line("{}: n_head  = {}", me, info.n_head);
  log.line("{}: n_layer = {}", me, info.n_layer);
  if (info.n_rot > 0) log.line("{}: n_rot   = {}", me, info.n_rot);
  log.line("{}: {}", me, type_line(info));
  if (log.verbose()) describe_details(info, session, memory, me, log);
  log.line("{}: ggml ctx size = {:.2f} MB", me,
           megabytes(info.weight_bytes + memory.kv_cache + memory.scratch));
  log.line("{}: memory_size = {:8.2f} MB, n_mem = {}", me, megabytes(memory.kv_cache),
           int64_t{info.n_layer} * n_ctx);

  ProgressLine progress(me, log);
  LoadOptions options;
  options.n_threads = session.n_threads;
  options.map = !in_memory.no_mmap;
  options.prefetch = in_memory.prefetch;
  options.lock = in_memory.lock;
  options.progress = [&](uint64_t done, uint64_t total) {
    progress.update(done, total, fmt::format("{:.0f} of {:.0f} MB", megabytes(done), megabytes(total)));
    return !stop_asked();
  };
  Model model(std::move(opened), options);
  progress.done();
  log.line("{}: model size = {:8.2f} MB / num tensors = {}", me, megabytes(model.info().weight_bytes),
           model.info().tensors.size());
  if (log.verbose() && model.info().mapped_bytes > 0) {
    log.line("{}: {:.2f} MB of weights are used where they lie in the file", me,
             megabytes(model.info().mapped_bytes));
  }
  return model;
}

}  // namespace gptj::apps
