#pragma once

#include <span>
#include <string>
#include <string_view>

namespace gptj {

/// Passes a text on up to the first stop text, whatever pieces it comes in: what may be the beginning of a stop text
/// is held back until it turns out not to be one.
class StopTexts {
 public:
  /// `stops`, none of them empty, must outlive it.
  explicit StopTexts(std::span<const std::string> stops) : stops_(stops) {}

  /// What can be shown now; valid until the next call.
  std::string_view push(std::string_view bytes);

  /// When the text has ended without one: what was held back.
  std::string_view finish();

  /// The index of the stop text that was met; -1: none so far.
  int met() const { return met_; }

 private:
  std::span<const std::string> stops_;
  std::string waiting_;
  std::string ready_;
  int met_ = -1;
};

}  // namespace gptj
