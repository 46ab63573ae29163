#include "chat/window.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "gptj/error.h"

namespace gptj::apps {

std::vector<int> Window::fit(const Script& script, bool is_running_text, int room, Session& session) {
  const std::vector<int>& ids = script.ids;
  const auto n_ctx = static_cast<size_t>(session.n_ctx());
  kept_ = kept_of(script);
  const size_t last = script.begins.empty() ? kept_ : script.begins.back();
  if (end_ < kept_ || end_ > (is_running_text ? ids.size() : last)) end_ = kept_;  // another conversation
  const auto n_seen = [&](size_t end) { return kept_ + ids.size() - end; };
  const size_t wanted = std::min(static_cast<size_t>(room), (n_ctx - std::min(kept_, n_ctx)) / 4);
  if (n_seen(end_) + std::max<size_t>(wanted, 1) > n_ctx) {
    const size_t end = kept_ < n_ctx ? new_end(script, is_running_text, n_ctx) : last;
    if (n_seen(end) >= n_ctx) {
      throw Error(
          fmt::format("too long: expected at most {} tokens (the context of {} less one for the answer), "
                      "the system text's {} among them, found {}",
                      n_ctx - 1, n_ctx, kept_, n_seen(end)));
    }
    forget(ids, end, session);
    end_ = end;
  }
  return seen(script);
}

size_t Window::kept_of(const Script& script) {
  return script.begins.empty() ? script.ids.size() : script.begins.front();
}

std::vector<int> Window::seen(const Script& script) const {
  const size_t kept = kept_of(script), end = std::clamp(end_, kept, script.ids.size());
  std::vector<int> ids(script.ids.begin(), script.ids.begin() + static_cast<std::ptrdiff_t>(kept));
  ids.insert(ids.end(), script.ids.begin() + static_cast<std::ptrdiff_t>(end), script.ids.end());
  return ids;
}

/// The end of what is left out when half of what may be left out must go.
size_t Window::new_end(const Script& script, bool is_running_text, size_t n_ctx) const {
  const size_t n_rest = (n_ctx - kept_) / 2;
  const size_t least = script.ids.size() - std::min(n_rest, script.ids.size() - kept_);
  if (is_running_text) return std::max(end_, least);
  const auto fitting = std::lower_bound(script.begins.begin(), script.begins.end(), std::max(end_, least));
  return fitting == script.begins.end() ? script.begins.back() : *fitting;
}

/// Takes the tokens from `end_` to `end` from the session where that can move those that follow.
void Window::forget(const std::vector<int>& ids, size_t end, Session& session) const {
  assert(end >= end_);
  const std::span<const int> held = session.tokens();
  const size_t n = end - end_;
  if (!session.can_shift() || held.size() < kept_ + n) return;
  const std::span<const int> all(ids);
  if (!std::ranges::equal(held.first(kept_), all.first(kept_))) return;
  if (!std::ranges::equal(held.subspan(kept_, n), all.subspan(end_, n))) return;
  session.shift(static_cast<int>(kept_), static_cast<int>(kept_ + n));
}

}  // namespace gptj::apps
