#include "base/lock.h"

#include <stdlib.h>

#include <filesystem>
#include <optional>

#include "base/failure.h"
#include "base/temporary_directory.h"

namespace gptj {
namespace {

namespace fs = std::filesystem;

class Lock : public testing::Test {
 protected:
  std::string path() const { return directory_ / "lock"; }

 private:
  test::TemporaryDirectory directory_;
};

void refuse() {
  throw Error("somebody else has it");
}

TEST_F(Lock, BelongsToOneAtATime) {
  {
    const FileLock lock(path(), refuse);
    test::expect_error([&] { FileLock(path(), refuse); }, {"somebody else"});
  }
  const FileLock again(path(), refuse);
}

TEST_F(Lock, IsWaitedFor) {
  std::optional<FileLock> first;
  first.emplace(path(), refuse);
  int n_waits = 0;
  const FileLock second(path(), [&] {
    if (++n_waits == 2) first.reset();
  });
  EXPECT_EQ(n_waits, 2);
}

TEST_F(Lock, OfAFileThatWasRemovedIsNone) {
  std::optional<FileLock> first;
  first.emplace(path(), refuse);
  const FileLock second(path(), [&] {  // who waits for a file that is gone must look for the new one
    fs::remove(path());
    first.reset();
  });
  EXPECT_TRUE(fs::exists(path()));
  test::expect_error([&] { FileLock(path(), refuse); }, {"somebody else"});
}

TEST_F(Lock, ThatCannotBeMadeNamesItsPath) {
  test::expect_error([&] { FileLock(path() + "/in/it", refuse); }, {path() + "/in/it", "No such file"});
}

}  // namespace
}  // namespace gptj
