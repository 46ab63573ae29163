#include "base/unfinished.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "base/failure.h"
#include "base/file.h"
#include "base/sanitized.h"
#include "base/temporary_directory.h"

namespace gptj {
namespace {

namespace fs = std::filesystem;

class UnfinishedOutput : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return directory_ / name; }
  std::set<std::string> names() const {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(directory_.path())) names.insert(entry.path().filename());
    return names;
  }
  /// A process that is killed at the end of `work`.
  static void killed(void (*work)(const std::string&), const std::string& path) {
    const pid_t child = ::fork();
    if (child == 0) {
      work(path);
      ::raise(SIGKILL);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
  }

 private:
  test::TemporaryDirectory directory_;
};

TEST_F(UnfinishedOutput, OfAKilledProgramIsRemovedByTheNextOne) {
  killed([](const std::string& path) { new OutputFile(path); }, path("a"));
  ASSERT_EQ(names().size(), 1U);
  EXPECT_TRUE(names().begin()->starts_with("a.unfinished-"));
  OutputFile(path("a")).commit();
  EXPECT_EQ(names(), std::set<std::string>{"a"});
}

TEST_F(UnfinishedOutput, OfDirectoriesIs) {
  const auto work = [](const std::string& path) {
    auto* directory = new OutputDirectory(path);
    new OutputFile(directory->file("a"));
  };
  killed(work, path("d"));
  ASSERT_EQ(names().size(), 1U);
  OutputDirectory(path("d")).commit();
  EXPECT_EQ(names(), std::set<std::string>{"d"});
}

TEST_F(UnfinishedOutput, ThatSomebodyStillWritesStays) {
  OutputFile first(path("a"));
  OutputFile second(path("a"));
  EXPECT_EQ(names().size(), 2U);
  first.write("1", 1);
  first.commit();
  second.write("2", 1);
  second.commit();
  EXPECT_EQ(read_text_file(path("a"), 9), "2");
}

TEST_F(UnfinishedOutput, OfAnotherTargetStaysAndSoDoesWhatOnlyLooksLikeIt) {
  const std::set<std::string> others = {
      "aa.unfinished-01234567", "b.unfinished-01234567", "a.unfinished-0123456", "a.unfinished-012345678",
      "a.unfinished-0123456g",  "a.part-01234567",       ".unfinished-01234567"};
  for (const std::string& name : others) std::ofstream(path(name)) << "kept";
  fs::create_symlink(path("b.unfinished-01234567"), path("a.unfinished-89abcdef"));
  { const OutputFile file(path("a")); }
  std::set<std::string> expected = others;
  expected.insert("a.unfinished-89abcdef");  // a link is nothing that we leave behind
  EXPECT_EQ(names(), expected);
}

/// Lets this process open nothing more.
class NoMoreDescriptors {
 public:
  NoMoreDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit none = {.rlim_cur = 0, .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoMoreDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoMoreDescriptors(const NoMoreDescriptors&) = delete;
  NoMoreDescriptors& operator=(const NoMoreDescriptors&) = delete;

 private:
  rlimit before_{};
};

TEST_F(UnfinishedOutput, IsNotLeftBehindWhereItCannotBeOpened) {
  if (test::kUndefinedSanitized)
    GTEST_SKIP() << "the sanitizer opens a pipe to look whether an object is one";
  std::string of_file, of_directory;
  {
    const NoMoreDescriptors none;
    of_file = test::error_of([&] { OutputFile(path("a"), "shown"); });
    of_directory = test::error_of([&] { OutputDirectory{path("d")}; });
  }
  EXPECT_TRUE(of_file.starts_with("cannot create a file beside 'shown'")) << of_file;
  EXPECT_TRUE(of_directory.starts_with("cannot create a directory beside '" + path("d") + "'"))
      << of_directory;
  EXPECT_EQ(names(), std::set<std::string>{});
}

}  // namespace
}  // namespace gptj
