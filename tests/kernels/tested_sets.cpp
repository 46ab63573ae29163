#include "kernels/tested_sets.h"

namespace gptj {

#ifdef GPTJ_EMULATE_AVX512
namespace avx2_vnni_emulated {
const Kernels& kernel_table();
}
namespace avx512_emulated {
const Kernels& kernel_table();
}
namespace avx512_bf16_emulated {
const Kernels& kernel_table();
}
namespace avx512_amx_emulated {
const Kernels& kernel_table();
}
#endif

std::vector<const Kernels*> real_sets() {
  std::vector<const Kernels*> sets;
  for (const InstructionSet& set : instruction_sets()) {
    if (set.supported()) sets.push_back(&set.kernels());
  }
  return sets;
}

std::vector<const Kernels*> emulated_sets() {
#ifdef GPTJ_EMULATE_AVX512
  if (kernels().name != std::string("scalar")) {  // emulated with AVX2
    return {&avx2_vnni_emulated::kernel_table(), &avx512_emulated::kernel_table(),
            &avx512_bf16_emulated::kernel_table(), &avx512_amx_emulated::kernel_table()};
  }
#endif
  return {};
}

std::vector<const Kernels*> tested_sets() {
  std::vector<const Kernels*> sets = real_sets();
#ifdef GPTJ_EMULATED
  sets.pop_back();  // the portable one, which the tests of the host have run
#endif
  for (const Kernels* set : emulated_sets()) sets.push_back(set);
  return sets;
}

std::string set_name(const testing::TestParamInfo<const Kernels*>& info) {
  std::string name = info.param->name;
  for (char& c : name) c = c == '-' ? '_' : c;
  return name;
}

TEST(InstructionSets, TheBestSupportedOneIsChosenAndTheLastRunsEverywhere) {
  for (const InstructionSet& set : instruction_sets()) {
    EXPECT_STREQ(set.name, set.kernels().name);
  }
  EXPECT_TRUE(instruction_sets().back().supported());
  if (std::getenv("GPTJ_ISA") != nullptr) GTEST_SKIP() << "an instruction set is forced";
  for (const InstructionSet& set : instruction_sets()) {
    if (!set.supported()) continue;
    EXPECT_STREQ(kernels().name, set.name);
    break;
  }
}

}  // namespace gptj
