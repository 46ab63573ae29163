#pragma once

#include <span>

#include "kernels/kernels.h"

namespace gptj {

/// One of the instruction sets that this program was built with.
struct InstructionSet {
  const char* name;
  bool (*supported)();  // by the CPU and the system it runs on
  const Kernels& (*kernels)();
};

/// All of them, best first; the last one runs everywhere.
std::span<const InstructionSet> instruction_sets();

/// The best one that is supported, or the one that GPTJ_ISA names. Chosen once. Throws Error if GPTJ_ISA
/// names one that does not exist here or that the CPU lacks.
const Kernels& kernels();

}  // namespace gptj
