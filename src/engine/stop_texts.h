#pragma once

#include <span>
#include <string>
#include <string_view>

namespace gptj {

/// Lets a text through up to the first stop text, whatever pieces it comes in: what may be the beginning of a stop text
/// waits until it is known to be none.
class StopTexts {
 public:
  /// `stops`, none of them empty, must outlive it.
  explicit StopTexts(std::span<const std::string> stops) : stops_(stops) {}

  /// What can be shown now; valid until the next call.
  std::string_view push(std::string_view bytes);

  /// What waited in vain when the text has ended otherwise.
  std::string_view finish();

  /// The one that was met, an index; -1: none so far.
  int met() const { return met_; }

 private:
  std::span<const std::string> stops_;
  std::string waiting_;
  std::string ready_;
  int met_ = -1;
};

}  // namespace gptj
