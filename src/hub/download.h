#pragma once

#include <functional>

#include "hub/hub_api.h"
#include "hub/partial_file.h"

namespace gptj {

/// Fetches the bytes that `file` still lacks, with several connections if they are many and the server supports
/// ranges. After a failure it waits and asks `find_again` where the file is, because addresses expire. `on_bytes` is
/// told how much has been written. Throws Error if it gives up; what has been written stays.
void download(HubApi& api, const std::function<HubFile()>& find_again, HubFile source, PartialFile& file,
              const std::function<void(uint64_t written)>& on_bytes);

}  // namespace gptj
