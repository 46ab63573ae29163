#pragma once

#include <memory>

#include "terminal/lines.h"

namespace gptj::apps {

/// Lines edited with libedit, on standard input and standard error. There is one at a time.
std::unique_ptr<Lines> open_line_editor(const Completions& completions, const Log& log);

}  // namespace gptj::apps
