#include "terminal/log.h"

#include <algorithm>

#include "terminal/console.h"

namespace gptj::apps {
namespace {

constexpr int kDots = 40;
constexpr int kBar = 24;  // with prefix and note within 80 columns: a line that wraps cannot be redrawn
constexpr double kPatienceMs = 500;  // a bar for less would only flicker
constexpr double kRedrawMs = 100;

}  // namespace

double Stopwatch::ms() const {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start_).count();
}

ProgressLine::ProgressLine(std::string prefix, const Log& log)
    : prefix_(std::move(prefix)), shown_(!log.quiet()), bar_(errors_are_on_terminal()) {}

ProgressLine::~ProgressLine() {
  interrupt();
}

void ProgressLine::update(uint64_t done, uint64_t total, std::string_view note) {
  if (!shown_) return;
  const double fraction = total == 0 ? 1 : static_cast<double>(done) / static_cast<double>(total);
  if (bar_) {
    draw_bar(fraction, note);
  } else {
    draw_dots(static_cast<int>(fraction * kDots));
  }
}

void ProgressLine::done() {
  if (!shown_) return;
  if (bar_drawn_) clear_error_line();
  draw_dots(kDots);
  put_error(" done\n");
  bar_drawn_ = false;
  dots_ = -1;
}

void ProgressLine::interrupt() {
  if (bar_drawn_ || dots_ >= 0) put_error("\n");
  bar_drawn_ = false;
  dots_ = -1;
}

void ProgressLine::draw_bar(double fraction, std::string_view note) {
  const double now = since_start_.ms();
  if (now < kPatienceMs || now - last_draw_ms_ < kRedrawMs) return;
  last_draw_ms_ = now;
  bar_drawn_ = true;
  const auto filled = static_cast<int>(fraction * kBar);
  put_error(fmt::format("\r{}: [{:#<{}}{:<{}}] {:3.0f} %{}{}\x1b[K", prefix_, "", filled, "", kBar - filled,
                        100 * fraction, note.empty() ? "" : ", ", note));
}

void ProgressLine::draw_dots(int wanted) {
  if (dots_ < 0) {
    put_error(prefix_ + ": ");
    dots_ = 0;
  }
  for (; dots_ < std::min(wanted, kDots); ++dots_) put_error(".");
}

}  // namespace gptj::apps
