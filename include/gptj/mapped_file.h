#pragma once

namespace gptj {

/// The file of a mapped model (LoadOptions::map) that lies at `address`, in quotes and safe to show; valid as long as
/// the model. nullptr if there is none, or if many others are mapped. For a handler of SIGBUS, which may call it unless
/// another thread just destroys a model: `address` is then what could not be read.
const char* mapped_file(const void* address) noexcept;

}  // namespace gptj
