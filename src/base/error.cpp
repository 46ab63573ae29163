#include "base/error.h"

#include <cerrno>
#include <system_error>

namespace gptj {

void fail_errno(std::string_view what, std::string_view path) {
  const int code = errno;
  fail("{} {}: {}", what, quoted(path), std::system_category().message(code));
}

}  // namespace gptj
