#pragma once

#include <cstdint>
#include <string>

#include "terminal/log.h"

namespace gptj::apps {

/// What stands beside a bar of bytes: "1.2 of 12.1 GB, 35.2 MB/s, 5:10 left". The rate is that of the last seconds.
class TransferNote {
 public:
  std::string update(uint64_t done, uint64_t total);

 private:
  Stopwatch since_start_;
  double begin_ms_ = -1;  // of what the rate is measured over
  uint64_t begin_done_ = 0;
  double rate_ = 0;  // bytes per second
};

/// "12.10 GB", in powers of 1000 as hubs and disks count.
std::string bytes_text(uint64_t bytes);

/// "1:02:03", "2:03".
std::string clock_text(double seconds);

}  // namespace gptj::apps
