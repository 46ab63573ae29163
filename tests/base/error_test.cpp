#include "base/error.h"

#include <cerrno>
#include <iomanip>  // declares std::quoted, which must not get in the way

#include "base/failure.h"

namespace gptj {
namespace {

TEST(Error, FailFormats) {
  test::expect_error([] { fail("{}: expected {} bytes, found {}", quoted("a\tb"), 3, 4); },
                     {R"('a\tb': expected 3 bytes, found 4)"});
}

TEST(Error, FailErrnoGivesTheSystemsReason) {
  test::expect_error(
      [] {
        errno = ENOENT;
        fail_errno("cannot open", "some/file");
      },
      {"cannot open 'some/file': No such file or directory"});
}

}  // namespace
}  // namespace gptj
