#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "cli/declared.h"
#include "program.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace gptj::apps {

/// A command line that cannot be understood; what() names the option, what was expected and what was found.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The options of one command: each is declared once, with its target, range and help, and parsing, defaults,
/// messages and --help follow from that. Targets keep their values as defaults and must outlive parse().
class CommandLine {
 public:
  CommandLine(const Program& program, const Command& command);
  ~CommandLine();

  /// A heading of the help for the options that are declared next.
  void group(std::string_view name);

  /// `names` as for CLI11: "-n,--n_predict". `help` may say what the bounds do not.
  void number(std::string_view names, int& target, int low, int high, std::string_view help);
  void number(std::string_view names, int64_t& target, int64_t low, int64_t high, std::string_view help);
  void number(std::string_view names, double& target, double low, double high, std::string_view help);
  void flag(std::string_view names, bool& target, std::string_view help);
  void flag(std::string_view names, const std::function<void()>& set, std::string_view help);

  /// `value` is what --help calls the value; shells complete a FILE, DIR or MODEL, which may not be empty. Else any text is
  /// fine, also one that begins with a dash. Here and below, `names` may also be a word such as "IN": a positional argument.
  void text(std::string_view names, std::optional<std::string>& target, std::string_view value,
            std::string_view help);

  /// The same, as often as it is given, and not empty.
  void texts(std::string_view names, std::vector<std::string>& target, std::string_view value,
             std::string_view help);

  /// A value of another kind: `problem` says what is wrong with a text ("expected ..., found ..."; empty:
  /// nothing), `set` takes one that is right. Repeated: each that is given, not only the last.
  struct Value {
    std::string names, value, help;
    std::function<std::string(const std::string&)> problem;
    std::function<void(const std::string&)> set;
    bool repeated = false;
    std::vector<std::string> choices = {};  // that shells offer
  };
  void value(const Value& value);

  /// A text that is one of `choices`.
  void word(std::string_view names, std::optional<std::string>& target, std::string_view value,
            const std::vector<std::string>& choices, std::string_view help);

  /// One of `choices`: the names of an enumeration's values, from the first on.
  template <typename Enum>
  void choice(std::string_view names, Enum& target, const std::vector<std::string>& choices,
              std::string_view help) {
    const auto set = [&target](size_t index) { target = static_cast<Enum>(index); };
    add_choice(names, static_cast<size_t>(target), set, choices, help);
  }

  /// An option or argument that was declared cannot be left out.
  void require(std::string_view name);

  /// The option was given; `name` is one of its names.
  bool given(std::string_view name) const;

  /// Throws UsageError if more than one of these options was given.
  void at_most_one(const std::vector<std::string_view>& names) const;

  /// Throws UsageError if more than one of these options, which name what is to be written, was given the same path.
  void different_paths(const std::vector<std::string_view>& names) const;

  /// Whether the option `name` is among `args`, which parse() need not understand.
  bool mentioned(std::string_view name, const std::vector<std::string>& args) const;

  /// To be called before anything else is done. False: nothing else is to be done, for help was asked for and is written,
  /// or only the declarations were wanted (declared_options()). Throws UsageError.
  bool parse(std::vector<std::string> args);

 private:
  template <typename Number>
  void add_number(std::string_view names, Number& target, Number low, Number high, std::string_view help);
  void add_choice(std::string_view names, size_t current, const std::function<void(size_t)>& set,
                  const std::vector<std::string>& choices, std::string_view help);
  void add_word(std::string_view names, std::string_view value, const std::function<void(size_t)>& set,
                const std::vector<std::string>& choices, std::string_view help);
  std::vector<DeclaredOption> declared() const;
  void check_required() const;
  std::string hint() const;
  [[noreturn]] void refuse(const std::string& argument, bool is_first) const;
  [[noreturn]] void refuse_option(const std::string& argument) const;

  const Command command_;
  std::unique_ptr<CLI::App> app_;
  std::map<const CLI::Option*, std::vector<std::string>> choices_;
};

}  // namespace gptj::apps
