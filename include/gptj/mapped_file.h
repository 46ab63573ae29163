#pragma once

namespace gptj {

/// The file of a mapped model (LoadOptions::map) that lies at `address`, in quotes and safe to show; nullptr if there is
/// none. For a handler of SIGBUS, which may call it: `address` is then what could not be read.
const char* mapped_file(const void* address) noexcept;

}  // namespace gptj
