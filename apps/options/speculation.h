#pragma once

#include <memory>
#include <optional>
#include <string>

#include "gptj/drafter.h"
#include "options/loading.h"

namespace gptj::apps {

/// A drafter and what it needs, if the user wants one.
class Speculation {
 public:
  void declare(CommandLine& line);
  static void check(const CommandLine& line);

  /// Before the text's model is loaded, which may take long: opens the draft. Throws Error if it cannot serve.
  void open(const OpenedModel& model);
  /// Afterwards.
  void load(const Model& model, const SessionOptions& session, const SamplerOptions& sampling,
            const MemoryOptions& memory, const Log& log);

  /// Between the two: throws Error if the file `output` is a part of the draft.
  void check_output(const std::string& output) const;

  Drafter* drafter() { return drafter_.get(); }

  /// How many guesses were right.
  void report(const GenerateResult& result, const Log& log) const;

 private:
  std::optional<std::string> draft_path_;
  bool lookup_ = false;
  std::optional<OpenedModel> opened_draft_;
  std::optional<Model> draft_;
  std::unique_ptr<Drafter> drafter_;
};

}  // namespace gptj::apps
