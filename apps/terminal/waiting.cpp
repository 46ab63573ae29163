#include "terminal/waiting.h"

#include "terminal/rate.h"

namespace gptj::apps {

bool Waiting::stop_asked() {
  constexpr double kRedrawMs = 1000;
  const double now = since_start_.ms();
  if (shown_ && now - last_draw_ms_ >= kRedrawMs) {
    put_error(fmt::format("\rmain: working for {}, Ctrl-C ends it\x1b[K", clock_text(now / 1000)));
    last_draw_ms_ = now;
    drawn_ = true;
  }
  return apps::stop_asked();
}

void Waiting::make_way() {
  if (drawn_) clear_error_line();
  drawn_ = false;
}

}  // namespace gptj::apps
