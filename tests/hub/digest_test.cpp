#include "hub/digest.h"

#include <gtest/gtest.h>

namespace gptj::test {
namespace {

const std::string kSha1(40, 'a'), kSha256(64, 'a');

std::string hash(const std::string& etag, const std::vector<std::string>& pieces) {
  uint64_t size = 0;
  for (const std::string& piece : pieces) size += piece.size();
  const auto digest = Digest::of_etag(etag, size);
  for (const std::string& piece : pieces) digest->add(piece);
  return digest->finish();
}

// FIPS 180-2's examples.
TEST(Digest, IsSha256ForLargeFiles) {
  EXPECT_EQ(hash(kSha256, {"abc"}), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hash(kSha256, {"abcdbcdecdefdefgefghfghighij", "", "hijkijkljklmklmnlmnomnopnopq"}),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(hash(kSha256, {}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

// As 'git hash-object' prints them.
TEST(Digest, IsGitsForSmallOnes) {
  EXPECT_EQ(hash(kSha1, {"hello\n"}), "ce013625030ba8dba906f756967f9e9ca394464a");
  EXPECT_EQ(hash(kSha1, {"hel", "lo\n"}), "ce013625030ba8dba906f756967f9e9ca394464a");
  EXPECT_EQ(hash(kSha1, {}), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
}

TEST(Digest, OtherETagsAreNone) {
  for (const std::string etag : {"", "abc", "5d41402abc4b2a76b9719d911017c592-3"}) {
    EXPECT_EQ(Digest::of_etag(etag, 0), nullptr) << etag;
  }
  EXPECT_EQ(Digest::of_etag(std::string(40, 'g'), 0), nullptr);
  EXPECT_EQ(Digest::of_etag(std::string(64, 'A'), 0), nullptr);
}

}  // namespace
}  // namespace gptj::test
