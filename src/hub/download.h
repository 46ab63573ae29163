#pragma once

#include <functional>

#include "hub/hub_api.h"
#include "hub/partial_file.h"

namespace gptj {

/// Fetches the bytes that `file` still lacks, with several connections if they are many and the server has ranges.
/// After a failure it waits and asks `find_again` where the file is, for addresses expire. `on_bytes` is told how
/// much is written. Throws Error; what has been written stays.
void download(HubApi& api, const std::function<HubFile()>& find_again, HubFile source, PartialFile& file,
              const std::function<void(uint64_t written)>& on_bytes);

}  // namespace gptj
