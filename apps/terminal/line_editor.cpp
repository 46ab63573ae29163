#include "terminal/line_editor.h"

#include <fmt/format.h>
#include <histedit.h>
#include <langinfo.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cerrno>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <utility>

#include "gptj/error.h"
#include "terminal/console.h"
#include "terminal/line_history.h"
#include "terminal/style.h"

namespace gptj::apps {
namespace {

std::atomic<bool> g_resized = false;
std::atomic<bool> g_continued = false;

void on_resize(int) {
  g_resized = true;
  wake_input();
}

/// After a stop, in which the shell had the terminal.
void on_continue(int) {
  g_continued = true;
  wake_input();
}

/// libedit shows and counts characters as the locale has them; the program's texts are UTF-8 in any.
void set_up_locale() {
  std::setlocale(LC_CTYPE, "");
  if (std::strcmp(::nl_langinfo(CODESET), "UTF-8") != 0) std::setlocale(LC_CTYPE, "C.UTF-8");
}

/// Bytes of the UTF-8 character that begins with `first`; 1 if none does.
int character_size(unsigned char first) {
  return first < 0xC2 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 1;
}

size_t common_length(const std::string& a, const std::string& b) {
  return static_cast<size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
}

class LineEditor : public Lines {
 public:
  LineEditor(Completions completions, const Log& log)
      : completions_(std::move(completions)),
        style_(error_style()),
        out_(::fdopen(::dup(STDERR_FILENO), "w")),  // buffered: libedit writes single characters
        history_(log) {
    set_up_locale();
    std::signal(SIGWINCH, on_resize);
    std::signal(SIGCONT, on_continue);
    edit_ = out_ == nullptr ? nullptr : ::el_init("gpt-j", stdin, out_, out_);
    if (edit_ == nullptr) throw Error("cannot edit lines on this terminal");
    ::el_set(edit_, EL_CLIENTDATA, this);
    ::el_set(edit_, EL_PROMPT_ESC, prompt_of, kEscape);
    ::el_set(edit_, EL_EDITOR, "emacs");
    ::el_set(edit_, EL_GETCFN, next_character);
    ::el_set(edit_, EL_HIST, ::history, history_.get());
    ::el_wset(edit_, EL_ADDFN, L"complete", L"Complete a command",
              complete);  // el_set() leaks copies of both
    ::el_set(edit_, EL_BIND, "^I", "complete", nullptr);
    ::el_set(edit_, EL_BIND, "^R", "em-inc-search-prev", nullptr);
    ::el_source(edit_, nullptr);  // ~/.editrc
  }

  ~LineEditor() override {
    std::signal(SIGWINCH, SIG_DFL);
    std::signal(SIGCONT, SIG_DFL);
    ::el_end(edit_);
    std::fclose(out_);
  }

  Line read(const std::string& prompt) override {
    prompt_ = coloured(prompt);
    interrupted_ = "";
    ::el_set(edit_, EL_PREP_TERM, 1);  // before the prompt: who sees it may type
    int count = 0;
    const char* const text = ::el_gets(edit_, &count);
    put_error(style_.end);
    if (text == nullptr || count <= 0) {
      put_error("\n");
      if (take_interrupt()) return {Line::What::interrupted, interrupted_};
      return {Line::What::end, ""};
    }
    std::string line(text, static_cast<size_t>(count));
    while (line.ends_with('\n') || line.ends_with('\r')) line.pop_back();
    history_.add(line);
    return {Line::What::text, line};
  }

 private:
  static constexpr char kEscape = '\1';  // before and after what moves no cursor

  static LineEditor& of(EditLine* edit) {
    void* self = nullptr;
    ::el_get(edit, EL_CLIENTDATA, &self);
    return *static_cast<LineEditor*>(self);
  }

  /// What moves no cursor stands before a character: libedit loses it at the end.
  std::string coloured(const std::string& prompt) const {
    if (style_.end.empty()) return prompt;
    const size_t last = prompt.size() - 1;
    return fmt::format("{0}{1}{0}{2}{0}{3}{0}{4}", kEscape, style_.prompt, prompt.substr(0, last),
                       style_.input, prompt.substr(last));
  }

  static char* prompt_of(EditLine* edit) { return of(edit).prompt_.data(); }

  /// As libedit asks: 1, or 0 at the end, or -1. Its own would read on after a signal.
  static int next_character(EditLine* edit, wchar_t* out) {
    unsigned char byte = 0;
    if (const int got = of(edit).next_byte(byte); got <= 0) return got;
    const int size = character_size(byte);
    wchar_t code = size == 1 ? byte : static_cast<wchar_t>(byte & (0x7F >> size));
    for (int i = 1; i < size; ++i) {
      if (of(edit).next_byte(byte) <= 0) return -1;
      code = (code << 6) | (byte & 0x3F);
    }
    *out = size == 1 && byte >= 0x80 ? L'\uFFFD' : code;
    return 1;
  }

  int next_byte(unsigned char& byte) {
    while (!wait_for_input()) {
      if (stop_asked()) {
        const LineInfo* const line = ::el_line(edit_);
        interrupted_.assign(line->buffer, line->lastchar);
        return -1;
      }
      if (g_continued.exchange(false)) {
        ::el_set(edit_, EL_PREP_TERM, 1);
        ::el_set(edit_, EL_REFRESH);
      }
      if (g_resized.exchange(false)) ::el_resize(edit_);
    }
    ssize_t got;
    while ((got = ::read(STDIN_FILENO, &byte, 1)) < 0 && errno == EINTR) {
    }
    return static_cast<int>(got);
  }

  static unsigned char complete(EditLine* edit, int) {
    const LineInfo* const line = ::el_line(edit);
    const std::string begun(line->buffer, line->cursor);
    const std::vector<std::string> all = of(edit).completions_(begun);
    if (all.empty()) return CC_REFRESH_BEEP;
    std::string common = all.front();
    for (const std::string& other : all) common.resize(common_length(common, other));
    if (all.size() == 1) common += ' ';
    if (common.size() > begun.size()) {
      ::el_insertstr(edit, common.c_str() + begun.size());
      return CC_REFRESH;
    }
    std::string list = "\n";
    for (const std::string& one : all) list += one + "\n";
    put_error(list);
    return CC_REDISPLAY;
  }

  const Completions completions_;
  const Style style_;
  std::FILE* const out_;
  LineHistory history_;
  EditLine* edit_ = nullptr;
  std::string prompt_;
  std::string interrupted_;
};

}  // namespace

std::unique_ptr<Lines> open_line_editor(const Completions& completions, const Log& log) {
  return std::make_unique<LineEditor>(completions, log);
}

}  // namespace gptj::apps
