#include "base/mapping.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/failure.h"
#include "base/platform.h"

namespace gptj {
namespace {

/// A file of `bytes` bytes, gone with the object.
class SomeFile {
 public:
  explicit SomeFile(size_t bytes) : path_(std::filesystem::temp_directory_path() / "gptj-test-XXXXXX") {
    ::close(::mkstemp(path_.data()));
    std::ofstream out(path_, std::ios::binary);
    for (size_t i = 0; i < bytes; ++i) out.put(static_cast<char>(i % 251));
  }
  ~SomeFile() { std::filesystem::remove(path_); }

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

constexpr size_t kSize = (1 << 20) + 7;

TEST(Mapping, HasTheFilesBytesAndOutlivesIt) {
  const SomeFile file(kSize);
  auto input = std::make_unique<InputFile>(file.path());
  const Mapping mapping(*input);
  input.reset();
  ASSERT_EQ(mapping.size(), kSize);
  mapping.read_in(0, kSize);
  mapping.read_in(8192, 8193);
  for (size_t i = 0; i < kSize; ++i) ASSERT_EQ(mapping.data()[i], i % 251);
}

TEST(Mapping, AFileThatChangedItsLengthIsAnError) {
  const SomeFile file(kSize);
  const InputFile input(file.path());
  std::filesystem::resize_file(file.path(), 100);
  test::expect_error([&] { Mapping mapping(input); }, {file.path(), "expected 1048583 bytes, found 100"});
}

TEST(Mapping, WhatWasCutOffCannotBeReadIn) {
#ifdef GPTJ_EMULATED
  GTEST_SKIP() << "the emulator has no call that reads pages in";
#endif
  const SomeFile file(kSize);
  const InputFile input(file.path());
  const Mapping mapping(input);
  std::filesystem::resize_file(file.path(), 100);
  const auto read_in = [&] { mapping.read_in(8192, 16384); };
#ifdef __linux__
  test::expect_error(read_in, {file.path(), "bytes 8192 to 16384"});
#else
  EXPECT_EXIT(read_in(), testing::KilledBySignal(SIGBUS), "");
#endif
}

/// Without a limit above zero nobody but root may lock, and root may.
TEST(Mapping, LocksOrNamesTheLimit) {
#ifdef GPTJ_EMULATED
  GTEST_SKIP() << "the emulator does not lock";
#endif
  const SomeFile file(kSize);
  const InputFile input(file.path());
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
