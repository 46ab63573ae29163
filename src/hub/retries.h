#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "gptj/hub.h"

namespace gptj {

/// Patience with a network: waits after each failure, twice as long each time, or as long as the server asks.
class Retries {
 public:
  /// During waits `check_stop` is called, which may throw. `notice` is told about each of them.
  Retries(const HubSettings& hub, std::function<void()> check_stop,
          std::function<void(const std::string&)> notice);

  /// After the failure `what`: waits, or throws it as an Error when patience has ended.
  void wait(const std::string& what, int64_t retry_after_seconds = 0);

  /// After a success: patience begins anew.
  void reset() { n_failures_ = 0; }

 private:
  const HubSettings& hub_;
  std::function<void()> check_stop_;
  std::function<void(const std::string&)> notice_;
  int n_failures_ = 0;
};

}  // namespace gptj
