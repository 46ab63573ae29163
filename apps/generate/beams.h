#pragma once

#include <string>
#include <vector>

#include "cli/command_line.h"
#include "gptj/beams.h"
#include "terminal/log.h"

namespace gptj::apps {

/// Beam search, if the user wants it.
class BeamSearchOptions {
 public:
  void declare(CommandLine& line);
  /// `n_best` texts are to be written.
  void check(const CommandLine& line, int n_best);

  bool wanted() const { return options_.n_beams > 1; }

  /// Before the model is loaded: how the text is to end, which fits the context, and a session for it.
  void prepare(const OpenedModel& model, size_t n_prompt, const GenerateOptions& generate,
               SessionOptions& session);

  /// Searches and writes the best. `ids` are the prompt's.
  GenerateResult write(const Model& model, Session& session, const std::string& prompt,
                       const std::vector<int>& ids, bool json, const Log& log) const;

 private:
  BeamOptions options_ = {.n_beams = 1};
};

}  // namespace gptj::apps
