#include "kernels/cpu.h"

#include <cstdlib>
#include <string>
#include <string_view>

#include "base/error.h"

#if defined(__x86_64__) && !defined(GPTJ_SCALAR_ONLY)
#define GPTJ_X86 1
#elif defined(__aarch64__) && !defined(GPTJ_SCALAR_ONLY)
#define GPTJ_ARM 1
#endif

#if GPTJ_X86
#include <cpuid.h>
#ifdef __linux__
#include <sys/syscall.h>
#include <unistd.h>
#endif
#elif GPTJ_ARM && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace gptj {

namespace scalar {
const Kernels& kernel_table();
}
#if GPTJ_X86
namespace avx2 {
const Kernels& kernel_table();
}
namespace avx2_vnni {
const Kernels& kernel_table();
}
namespace avx512 {
const Kernels& kernel_table();
}
namespace avx512_vnni {
const Kernels& kernel_table();
}
namespace avx512_bf16 {
const Kernels& kernel_table();
}
namespace avx512_amx {
const Kernels& kernel_table();
}
#elif GPTJ_ARM
namespace neon {
const Kernels& kernel_table();
}
namespace neon_dotprod {
const Kernels& kernel_table();
}
#endif

namespace {

bool always() {
  return true;
}

#if GPTJ_X86

bool has_f16c() {  // clang 14 has no builtin for it
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_F16C) != 0;
}

// These builtins also ask whether the system saves the registers.
bool has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
}
bool has_avx2_vnni() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  constexpr unsigned kAvxVnni = 1u << 4;
  return has_avx2() && __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0 && (eax & kAvxVnni) != 0;
}
bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
bool has_avx512_vnni() {
  return has_avx512() && __builtin_cpu_supports("avx512vnni");
}

bool has_avx512_bf16() {
  return has_avx512_vnni() && __builtin_cpu_supports("avx512bf16");
}

// Linux gives the room that a thread's tiles are saved in to a process that asks for it.
bool has_avx512_amx() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  constexpr unsigned kBf16 = 1u << 22, kTile = 1u << 24, kInt8 = 1u << 25;
  if (!has_avx512_bf16() || __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0) return false;
  if ((edx & kBf16) == 0 || (edx & kTile) == 0 || (edx & kInt8) == 0) return false;
#ifdef __linux__
  constexpr long kAskForRoom = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return ::syscall(SYS_arch_prctl, kAskForRoom, kTileData) == 0;
#else
  return false;
#endif
}

constexpr InstructionSet kInstructionSets[] = {
    {"avx512-amx", has_avx512_amx, avx512_amx::kernel_table},
    {"avx512-bf16", has_avx512_bf16, avx512_bf16::kernel_table},
    {"avx512-vnni", has_avx512_vnni, avx512_vnni::kernel_table},
    {"avx512", has_avx512, avx512::kernel_table},
    {"avx2-vnni", has_avx2_vnni, avx2_vnni::kernel_table},
    {"avx2", has_avx2, avx2::kernel_table},
    {"scalar", always, scalar::kernel_table},
};

#elif GPTJ_ARM

#ifdef __linux__
bool has_dotprod() {
  return (::getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
}
#else  // every Apple CPU that runs macOS has it
bool has_dotprod() {
  return true;
}
#endif

constexpr InstructionSet kInstructionSets[] = {
    {"neon-dotprod", has_dotprod, neon_dotprod::kernel_table},
    {"neon", always, neon::kernel_table},
    {"scalar", always, scalar::kernel_table},
};

#else

constexpr InstructionSet kInstructionSets[] = {{"scalar", always, scalar::kernel_table}};

#endif

std::string names(bool only_supported) {
  std::string list;
  for (const InstructionSet& set : kInstructionSets) {
    if (only_supported && !set.supported()) continue;
    if (!list.empty()) list += ", ";
    list += set.name;
  }
  return list;
}

const Kernels& choose() {
  const char* forced = std::getenv("GPTJ_ISA");
  const std::string_view wanted = forced != nullptr ? forced : "";
  for (const InstructionSet& set : kInstructionSets) {
    if (wanted.empty() ? set.supported() : wanted == set.name) {
      if (set.supported()) return set.kernels();
      fail("GPTJ_ISA={}: this CPU does not have it; it has {}", wanted, names(true));
    }
  }
  fail("GPTJ_ISA={}: no such instruction set; expected one of {}", quoted(wanted), names(false));
}

}  // namespace

std::span<const InstructionSet> instruction_sets() {
  return kInstructionSets;
}

const Kernels& kernels() {
  static const Kernels& chosen = choose();
  return chosen;
}

}  // namespace gptj
