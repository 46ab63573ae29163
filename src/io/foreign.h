#pragma once

#include <string>

#include "base/file.h"

namespace gptj {

/// The first bytes of a file, up to 32, by which its kind is recognised.
std::string first_bytes(const InputFile& file);

/// Throws Error if the file is of a known kind that this program does not read (another model format, an archive, a
/// web page, ...), saying what it is and what to do.
void refuse_foreign(const InputFile& file);

}  // namespace gptj
