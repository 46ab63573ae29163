#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "gptj/hub.h"

namespace gptj {

/// Patience with a network: waits after each failure, twice as long each time or as long as the server asks for.
class Retries {
 public:
  /// `check_stop` is called while it waits, and may throw.
  Retries(const HubSettings& hub, std::function<void()> check_stop,
          std::function<void(const std::string&)> notice);

  /// After a failure: waits, or throws Error that `what` failed when patience ends.
  void wait(const std::string& what, int64_t retry_after_seconds = 0);

  /// Something worked: patience begins anew.
  void reset() { n_failures_ = 0; }

 private:
  const HubSettings& hub_;
  std::function<void()> check_stop_;
  std::function<void(const std::string&)> notice_;
  int n_failures_ = 0;
};

}  // namespace gptj
