#include "base/mapping.h"

#include <sys/resource.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/failure.h"
#include "base/temporary_directory.h"
#include "gptj/mapped_file.h"

namespace gptj {
namespace {

constexpr size_t kSize = (1 << 20) + 7;

class Mappings : public testing::Test {
 protected:
  static std::string content() {
    std::string bytes;
    for (size_t i = 0; i < kSize; ++i) bytes.push_back(static_cast<char>(i % 251));
    return bytes;
  }

  const test::TemporaryDirectory directory;
  const std::string path = directory.file("mapped", content());
};

TEST_F(Mappings, HaveTheFilesBytesAndOutliveIt) {
  auto input = std::make_unique<InputFile>(path);
  const Mapping mapping(*input);
  input.reset();
  ASSERT_EQ(mapping.size(), kSize);
  mapping.read_in(0, kSize);
  mapping.read_in(8192, 8193);
  for (size_t i = 0; i < kSize; ++i) ASSERT_EQ(mapping.data()[i], i % 251);
}

TEST_F(Mappings, OfAFileThatChangedItsLengthAreAnError) {
  const InputFile input(path);
  std::filesystem::resize_file(path, 100);
  test::expect_error([&] { Mapping mapping(input); }, {path, "expected 1048583 bytes, found 100"});
}

TEST_F(Mappings, CannotReadInWhatWasCutOff) {
#ifdef GPTJ_EMULATED
  GTEST_SKIP() << "the emulator has no call that reads pages in";
#endif
  const InputFile input(path);
  const Mapping mapping(input);
  std::filesystem::resize_file(path, 100);
  const auto read_in = [&] { mapping.read_in(8192, 16384); };
#ifdef __linux__
  test::expect_error(read_in, {path, "bytes 8192 to 16384"});
#else
  EXPECT_EXIT(read_in(), testing::KilledBySignal(SIGBUS), "");
#endif
}

TEST_F(Mappings, AreKnownByTheirAddresses) {
  const InputFile input(path);
  const InputFile other(directory.file("ot\nher", "x"));
  const uint8_t* gone;
  {
    const Mapping mapping(input), small(other);
    gone = mapping.data();
    EXPECT_EQ(mapped_file(mapping.data()), "'" + path + "'");
    EXPECT_EQ(mapped_file(mapping.data() + kSize - 1), "'" + path + "'");
    EXPECT_EQ(mapped_file(small.data()), "'" + directory / "ot\\nher" + "'");
    EXPECT_EQ(mapped_file(small.data() + 1), nullptr);
    EXPECT_EQ(mapped_file(&mapping), nullptr);
  }
  EXPECT_EQ(mapped_file(gone), nullptr);
}

TEST_F(Mappings, AreKnownAgainAfterThereWereTooMany) {
  const InputFile input(path);
  {
    std::vector<std::unique_ptr<Mapping>> many;
    for (int i = 0; i < 100; ++i) many.push_back(std::make_unique<Mapping>(input));
    EXPECT_EQ(mapped_file(many.back()->data()), nullptr);
    EXPECT_EQ(many.back()->data()[5], 5);
  }
  const Mapping mapping(input);
  EXPECT_NE(mapped_file(mapping.data()), nullptr);
}

/// Without a limit above zero nobody but root may lock, and root may.
TEST_F(Mappings, LockOrNameTheLimit) {
#ifdef GPTJ_EMULATED
  GTEST_SKIP() << "the emulator does not lock";
#endif
  const InputFile input(path);
  const Mapping mapping(input);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_MEMLOCK, &before), 0);
  const rlimit none = {0, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_MEMLOCK, &none), 0);
  const std::string message = test::error_of([&] { mapping.lock(); });
  ::setrlimit(RLIMIT_MEMLOCK, &before);
  if (message.empty()) return;
  for (const std::string word : {"cannot lock 1.0 MB", "may lock 0.0 MB in all", "ulimit -l"}) {
    EXPECT_NE(message.find(word), std::string::npos) << message;
  }
}

}  // namespace
}  // namespace gptj
