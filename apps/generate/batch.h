#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "generate/batch_file.h"
#include "terminal/log.h"

namespace gptj::apps {

/// Several texts at once, if the user wants them: answers to one prompt, or those of a file.
class BatchOptions {
 public:
  void declare(CommandLine& line);
  static void check(const CommandLine& line);

  bool wanted() const { return n_parallel_ > 1 || json_ || file_; }
  const std::optional<std::string>& file() const { return file_; }
  int n_parallel() const { return n_parallel_; }
  bool json() const { return json_; }

  /// Before the model is loaded: takes the prompt, or reads the file, in which `defaults` holds where a line says nothing
  /// else, and fits the session to the texts. Throws Error for a file that cannot be used.
  void prepare(const OpenedModel& model, const std::string& prompt, const BatchText& defaults,
               SessionOptions& session);

  /// Makes the texts, and writes each as soon as all before it are written. Returns the sums over all. Throws Error at the
  /// end if some could not be made. `n_logprobs`: as in LogprobLines, or -1: none.
  GenerateResult write(const Model& model, Session& session, int n_logprobs, const Log& log) const;

 private:
  int n_parallel_ = 1;
  std::optional<std::string> file_;
  bool json_ = false;
  std::vector<TextRequest> requests_;
};

}  // namespace gptj::apps
