#pragma once

#include <string>

namespace gptj {

/// A file or directory beside its target, to be renamed to it when it is complete. It is locked while it is open; so what
/// a killed program left behind is known, and the next one with the same target removes it.
struct Unfinished {
  std::string path;
  int fd;  // open for writing; of a directory, for reading
};

/// These throw Error. `shown`: the target's path in messages.
Unfinished create_unfinished_file(const std::string& target, const std::string& shown);
Unfinished create_unfinished_directory(const std::string& target);

}  // namespace gptj
