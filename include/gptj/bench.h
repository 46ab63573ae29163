#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "gptj/session.h"

/// The limits of a machine and the work of a model, to compare measured speeds with.
namespace gptj {

/// What limits an evaluation: how fast memory is read, or how fast an instruction set multiplies and adds.
enum class Roof { read, f32, int8, bf16 };
inline constexpr const char* kRoofNames[] = {"read", "f32", "int8", "bf16"};  // index: Roof
inline constexpr int kNumRoofs = 4;

/// Measures the roofs of this machine, with the instruction set whose kernels run.
class RoofMeter {
 public:
  /// Takes `read_bytes` of memory, which measuring reads: as much as what stands beside it, since caches may serve a
  /// part of both. Throws Error if there is not so much, or if threads cannot be started.
  RoofMeter(int n_threads, uint64_t read_bytes);
  RoofMeter(RoofMeter&&) noexcept;
  RoofMeter& operator=(RoofMeter&&) noexcept;
  ~RoofMeter();

  /// Bytes per second, or operations per second (two for each multiply-add), of all threads together; 0 if the
  /// instruction set has no such operation. Takes a tenth of a second.
  double measure(Roof roof);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The roof that limits prompts: that of the arithmetic in which the model's weights are multiplied.
Roof prompt_roof(const ModelInfo& model, bool exact);

/// Operations of a prompt of `n_tokens` at the beginning of a text, two for each multiply-add: every weight of the
/// layers times every token, causal attention, and the logits after the last token.
double prompt_operations(const ModelInfo& model, int n_tokens);

/// Bytes that decoding one token reads when `n_past` are in the KV cache: weights, keys and values. Throws Error as
/// session_memory() does.
double decode_bytes(const ModelInfo& model, const SessionOptions& session, int n_past);

/// The largest resident size of this process in bytes, since its start or the last reset_peak_memory() (which does
/// nothing where the system cannot do it).
uint64_t peak_memory();
void reset_peak_memory();

/// Asks the system to drop what it has cached of a model's file, or of all files of its directory, so that loading must
/// read them from the disk. False: it cannot be asked.
bool forget_cached_files(const std::string& path);

}  // namespace gptj
