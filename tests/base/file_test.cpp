#include "base/file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/failure.h"
#include "base/file_size_limit.h"
#include "base/temporary_directory.h"

namespace gptj {
namespace {

namespace fs = std::filesystem;
using test::expect_error;

class File : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return directory_ / name; }

  std::string write(const std::string& name, const std::string& bytes) const {
    return directory_.file(name, bytes);
  }
  std::string read(const std::string& name) const {
    std::ostringstream bytes;
    bytes << std::ifstream(path(name), std::ios::binary).rdbuf();
    return bytes.str();
  }
  ptrdiff_t n_files() const { return std::distance(fs::directory_iterator(directory_.path()), {}); }

 private:
  test::TemporaryDirectory directory_;
};

TEST_F(File, ReadsAnywhere) {
  const InputFile file(write("a", "0123456789"));
  EXPECT_EQ(file.size(), 10U);
  EXPECT_EQ(file.path(), path("a"));
  char three[3];
  for (const uint64_t offset : {7U, 0U, 4U}) {
    file.read_at(offset, three, sizeof three);
    EXPECT_EQ(std::string(three, 3), std::string("0123456789").substr(offset, 3));
  }
  file.read_at(10, three, 0);
}

TEST_F(File, ReadingBeyondTheEndNamesFileAndOffset) {
  const InputFile file(write("a", "0123456789"));
  char out[8];
  expect_error([&] { file.read_at(6, out, 8); }, {path("a"), "expected 4 more bytes at offset 10", "end"});
  expect_error([&] { file.read_at(10, out, 1); }, {path("a"), "expected 1 more bytes at offset 10"});
  expect_error([&] { file.read_at(1ULL << 40, out, 1); }, {path("a"), "at offset 1099511627776"});
}

TEST_F(File, OnlyRegularFilesAreOpened) {
  fs::create_directory(path("directory"));
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  fs::create_symlink(path("nowhere"), path("dangling"));
  const struct {
    std::string path, reason;
  } cases[] = {
      {path("missing"), "No such file"},
      {path("directory"), "expected a regular file, found a directory"},
      {path("fifo"), "expected a regular file, found something else"},
      {"/dev/null", "expected a regular file, found something else"},
      {path("dangling"), "No such file"},
      {path("missing/file"), "No such file"},
      {"", "No such file"},
  };
  for (const auto& [name, reason] : cases) {
    expect_error([&name = name] { InputFile file(name); }, {"'" + name + "'", reason});
  }
}

TEST_F(File, ALinkIsWhatItLeadsTo) {
  write("blob", "bytes");
  fs::create_symlink("blob", path("link"));
  EXPECT_EQ(read_text_file(path("link"), 5), "bytes");
}

TEST_F(File, TextFilesHaveALimit) {
  EXPECT_EQ(read_text_file(write("a", ""), 0), "");
  EXPECT_EQ(read_text_file(write("a", "12345"), 5), "12345");
  expect_error([&] { read_text_file(path("a"), 4); }, {path("a"), "expected at most 4 bytes, found 5"});
}

TEST_F(File, OutputAppearsWhenItIsComplete) {
  write("a", "what was there before");
  {
    OutputFile file(path("a"));
    file.write("one ", 4);
    file.write("two", 3);
    EXPECT_EQ(read("a"), "what was there before");
    file.commit();
    EXPECT_EQ(read("a"), "one two");
    EXPECT_EQ(n_files(), 1);
  }
  EXPECT_EQ(read("a"), "one two");
}

TEST_F(File, UncommittedOutputLeavesNothing) {
  {
    OutputFile file(path("a"));
    file.write("one", 3);
    EXPECT_EQ(n_files(), 1);  // beside its name
  }
  EXPECT_EQ(n_files(), 0);
}

TEST_F(File, OutputHasTheModeOfAnyNewFile) {
  for (const mode_t mask : {0022U, 0077U}) {
    const mode_t before = ::umask(mask);
    OutputFile file(path("a"));
    file.commit();
    EXPECT_EQ(::umask(before), mask) << "the mask was left changed";
    struct stat status {};
    ASSERT_EQ(::stat(path("a").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0666 & ~mask);
  }
}

TEST_F(File, OutputThatCannotBeMadeNamesItsPath) {
  expect_error([&] { OutputFile file(path("missing/a")); }, {path("missing/a"), "No such file"});
  fs::create_directory(path("directory"));
  for (const std::string& name : {path("directory"), std::string("/dev/null")}) {
    expect_error([&] { OutputFile file(name); }, {"cannot write '" + name + "'", "expected a regular file"});
  }
  EXPECT_EQ(n_files(), 1);
}

TEST_F(File, OutputThatDoesNotFitIsAnErrorAndLeavesNothing) {
  const std::string large(1 << 20, 'x'), small(200, 'x');
  std::string while_writing, while_committing;
  {
    const test::FileSizeLimit limit(100);
    OutputFile file(path("a"));
    while_writing = test::error_of([&] { file.write(large.data(), large.size()); });
    OutputFile buffered(path("b"));
    buffered.write(small.data(), small.size());
    while_committing = test::error_of([&] { buffered.commit(); });
  }
  EXPECT_EQ(while_writing, "cannot write '" + path("a") + "': File too large");
  EXPECT_EQ(while_committing, "cannot write '" + path("b") + "': File too large");
  EXPECT_EQ(n_files(), 0);
}

/// A directory with one file in it.
void write_directory(const std::string& path, bool commit) {
  OutputDirectory directory(path);
  OutputFile file(directory.file("a"));
  file.write("one", 3);
  file.commit();
  if (commit) directory.commit();
}

TEST_F(File, ADirectoryAppearsWhenItIsComplete) {
  write_directory(path("d/"), false);
  EXPECT_EQ(n_files(), 0);
  write_directory(path("d/"), true);
  EXPECT_EQ(read("d/a"), "one");
  fs::create_directory(path("empty"));
  write_directory(path("empty/."), true);  // an empty one may be there
  EXPECT_EQ(read("empty/a"), "one");
  EXPECT_EQ(n_files(), 2);
}

TEST_F(File, ADirectoryReplacesNothing) {
  write_directory(path("d"), true);
  expect_error([&] { OutputDirectory directory(path("d")); }, {path("d"), "directory with something in it"});
  expect_error([&] { OutputDirectory directory(path("d/a")); }, {path("d/a"), "something else"});
  expect_error([&] { OutputDirectory directory(path("no/where")); }, {path("no/where"), "No such file"});
  EXPECT_EQ(n_files(), 1);
}

TEST_F(File, RoomIsChecked) {
  EXPECT_NO_THROW(check_room(path("a"), 1));
  expect_error([&] { check_room(path("a"), uint64_t{1} << 60); }, {path("a"), "free disk space"});
}

}  // namespace
}  // namespace gptj
