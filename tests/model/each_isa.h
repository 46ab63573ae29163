#pragma once

#include <gtest/gtest.h>

#include <string>

#include "gptj/error.h"
#include "kernels/cpu.h"

namespace gptj::test {

/// For suites that run once more on every instruction set, GPTJ_ISA naming one that this CPU may not have:
/// see gptj_test_each_isa() in tests/CMakeLists.txt, which knows the reason.
class EachIsa : public testing::Test {
 protected:
  void SetUp() override {
    try {
      kernels();
    } catch (const Error& error) {
      const std::string reason = error.what();
      if (reason.find("this CPU does not have it") == std::string::npos) throw;
      GTEST_SKIP() << reason;
    }
  }
};

}  // namespace gptj::test
