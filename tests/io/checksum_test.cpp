#include "io/checksum.h"

#include <gtest/gtest.h>

namespace gptj {
namespace {

TEST(Checksum, OfPartsIsThatOfAll) {
  constexpr std::string_view kAll = "123456789";
  EXPECT_EQ(crc32_of(kAll), 0xcbf43926);  // the check value of CRC-32
  for (size_t n = 0; n <= kAll.size(); ++n) {
    EXPECT_EQ(crc32_of(kAll.substr(n), crc32_of(kAll.substr(0, n))), crc32_of(kAll)) << n;
  }
  EXPECT_EQ(crc32_of({}, crc32_of(kAll)), crc32_of(kAll));  // without an address
}

}  // namespace
}  // namespace gptj
