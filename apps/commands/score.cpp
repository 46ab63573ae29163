#include "gptj/score.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/command_line.h"
#include "options/common.h"
#include "options/json_lines.h"
#include "options/loading.h"
#include "program.h"
#include "terminal/console.h"
#include "terminal/text_input.h"

namespace gptj::apps {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

struct Options {
  ModelOption model;
  std::optional<std::string> file;
  SessionOptions session;
  MemoryOptions memory;
  LogOptions log;
};

std::string text_of(const json& value, std::string_view key) {
  if (!value.is_string()) throw Error(fmt::format("{}: expected a text, found {}", key, value.type_name()));
  return value.get<std::string>();
}

/// A line of the input.
struct Request {
  explicit Request(std::string_view line) {
    const json object = parse_json_line(line);
    if (!object.contains("context")) throw Error(R"(expected a "context", found none)");
    context = text_of(object["context"], "context");
    is_choice = object.contains("continuations");
    if (is_choice == object.contains("continuation")) {
      throw Error(fmt::format(R"(expected either "continuation" or "continuations", found {})",
                              is_choice ? "both" : "neither"));
    }
    if (!is_choice) {
      continuations = {text_of(object["continuation"], "continuation")};
    } else if (!object["continuations"].is_array() || object["continuations"].empty()) {
      throw Error("continuations: expected a list of at least one text");
    } else {
      for (const json& each : object["continuations"])
        continuations.push_back(text_of(each, "continuations"));
    }
    if (object.contains("id")) id = object["id"];
  }

  std::string context;
  std::vector<std::string> continuations;
  bool is_choice = false;  // "continuations"
  json id;                 // as it was given; null: not at all
};

ordered_json as_json(const Score& score) {
  ordered_json out = {
      {"log_likelihood", score.log_likelihood}, {"is_greedy", score.is_greedy}, {"n_tokens", score.n_tokens}};
  if (score.n_cut > 0) out["n_cut"] = score.n_cut;
  return out;
}

/// Scores the input's lines.
class Scoring {
 public:
  Scoring(const Tokenizer& tokenizer, Session& session) : tokenizer_(tokenizer), session_(session) {}

  /// The lines of the output for one of the input.
  std::string line(std::string_view line) {
    const Request request(line);
    std::vector<EncodedPair> pairs;
    for (const std::string& continuation : request.continuations) {
      pairs.push_back(encode_pair(tokenizer_, request.context, continuation));
    }
    std::string out;
    for (size_t i = 0; i < pairs.size(); ++i) {
      stop_if_asked();
      const Score found = gptj::score(session_, pairs[i]);
      ordered_json result = ordered_json::object();
      if (!request.id.is_null()) result["id"] = request.id;
      if (request.is_choice) result["continuation"] = i;
      result.update(as_json(found));
      out += result.dump() + "\n";
      n_tokens_ += found.n_tokens;
      n_cut_ += found.n_cut > 0 ? 1 : 0;
    }
    n_scored_ += pairs.size();
    return out;
  }

  void report(const Log& log, double ms) const {
    log.line("score: {} continuations, {} tokens in {:.2f} ms", n_scored_, n_tokens_, ms);
    if (n_cut_ > 0) log.line("score: {} contexts were too long: their beginning was cut off (n_cut)", n_cut_);
  }

 private:
  const Tokenizer& tokenizer_;
  Session& session_;
  size_t n_scored_ = 0;
  int64_t n_tokens_ = 0;
  int64_t n_cut_ = 0;
};

}  // namespace

int score_command(const Program& program, const Command& command, std::vector<std::string> args) {
  CommandLine line(program, command);
  Options options;
  options.model.declare(line, program);
  options.model.declare_type(line);
  line.group("Input");
  line.text("-f,--file", options.file, "FILE",
            "JSON lines {\"context\": TEXT, \"continuation\": TEXT} or {\"context\": TEXT, "
            "\"continuations\": [TEXT, ...]}; an \"id\" comes out again [default: -, standard input]");
  declare_session(line, options.session);
  declare_context(line, options.session, "tokens of a context and its continuation (0: the model's)");
  options.memory.declare(line);
  options.log.declare(line);
  if (!line.parse(std::move(args))) return 0;

  const Log log = options.log.log();
  check_out();
  TextInput input(options.file);
  const Model model = load_model(options.model.open(program, log), options.session, options.memory, log);
  Session session(model, options.session);
  tell_if_typed(options.file, log);
  Scoring scoring(model.tokenizer(), session);
  const Stopwatch time;
  for_each_line(input, [&](std::string_view each) { write_out(scoring.line(each)); });
  scoring.report(log, time.ms());
  return 0;
}

}  // namespace gptj::apps
