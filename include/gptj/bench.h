#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "gptj/session.h"

/// What a measured speed is compared with: the limits of the machine.
namespace gptj {

/// What limits an evaluation: how fast memory is read, or how fast an instruction set multiplies and adds.
enum class Roof { read, f32, int8, bf16 };
inline constexpr const char* kRoofNames[] = {"read", "f32", "int8", "bf16"};  // index: Roof
inline constexpr int kNumRoofs = 4;

/// Measures the roofs of this machine, with the instruction set whose kernels run.
class RoofMeter {
 public:
  /// Takes `read_bytes` of memory to read: should be far more than the caches hold. Throws Error.
  RoofMeter(int n_threads, uint64_t read_bytes);
  RoofMeter(RoofMeter&&) noexcept;
  RoofMeter& operator=(RoofMeter&&) noexcept;
  ~RoofMeter();

  /// Bytes, or operations (two for each multiply-add), per second of all threads; 0 where the instruction set has no
  /// such operation. Takes some milliseconds.
  double measure(Roof roof);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The roof that limits a prompt: that of the arithmetic in which the model's weights are multiplied.
Roof prompt_roof(const ModelInfo& model, bool exact);

/// Operations of a prompt that begins a text, two for each multiply-add: every weight of the layers with every
/// token, causal attention, and the logits after the last token.
double prompt_operations(const ModelInfo& model, int n_tokens);

/// Bytes that decoding one token reads when `n_past` are in the KV cache: weights, keys and values.
double decode_bytes(const ModelInfo& model, const SessionOptions& session, int n_past);

/// Largest resident size of this process in bytes, ever or since the last reset_peak_memory(), which does
/// nothing where the system cannot.
uint64_t peak_memory();
void reset_peak_memory();

/// Asks the system to forget what it holds of a model's files in memory, so that loading must read them from
/// the disk. False: it cannot be asked here.
bool forget_cached_files(const std::string& path);

}  // namespace gptj
