#include "terminal/style.h"

#include <cstdlib>

#include "terminal/console.h"

namespace gptj::apps {

Style error_style() {
  const char* const no_colour = std::getenv("NO_COLOR");
  const bool unwanted = no_colour != nullptr && *no_colour != '\0';
  if (unwanted || !errors_are_on_terminal() || !terminal_is_capable()) return {};
  return {.prompt = "\x1b[1;32m",
          .input = "\x1b[0;32m",
          .note = "\x1b[2m",
          .error = "\x1b[31m",
          .end = "\x1b[0m"};
}

}  // namespace gptj::apps
