#include "bench/measure.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "bench/allocations.h"
#include "terminal/console.h"

namespace gptj::apps {
namespace {

constexpr int kPassesPerSample = 4;

std::vector<int> some_ids(int n) {
  std::vector<int> ids;
  for (int i = 0; i < n; ++i) ids.push_back(i * 37 % 251);
  return ids;
}

/// What the roof reads: as much as decoding reads for a token, so that the last cache, which may hold a good part of
/// it, serves both alike; not less than what takes a while to read, not more than what shows how fast memory is.
uint64_t roof_bytes(const ModelInfo& model) {
  return std::clamp(model.read_bytes, uint64_t{64} << 20, uint64_t{2} << 30);
}

class Bench {
 public:
  Bench(const BenchModel& model, const SessionOptions& session, const BenchPlan& plan, const Log& log)
      : model_(model), plan_(plan), progress_("bench", log) {
    report_.session = session;
    report_.repeats = plan.repeats;
    const size_t n =
        plan.prompts.size() + plan.contexts.size() + plan.passes.size() + plan.texts.size() + kNumRoofs;
    n_steps_ = static_cast<uint64_t>(plan.repeats) * (n + (model.path.empty() ? 0 : 2));
  }

  BenchReport run() {
    report_.model = open().info();  // what is wrong with it is said at once
    const uint64_t read_bytes = roof_bytes(report_.model);
    meter_.emplace(report_.session.n_threads, read_bytes);
    for (int i = 0; i < plan_.repeats; ++i) {
      for (int r = 0; r < kNumRoofs; ++r) timed("roofs", [&] { roof(static_cast<Roof>(r)); });
    }
    reset_peak_memory();
    load();
    evaluate();
    report_.peak_memory =
        peak_memory() - std::min(peak_memory(), read_bytes);  // the meter's is not the model's
    progress_.done();
    return std::move(report_);
  }

 private:
  /// Milliseconds of work().
  template <typename Work>
  double timed(const std::string& what, const Work& work) {
    stop_if_asked();
    progress_.update(n_done_++, n_steps_, what);
    const Stopwatch time;
    work();
    stop_if_asked();  // what was stopped was not measured
    return time.ms();
  }

  double roof(Roof which) {
    const double rate = meter_->measure(which);
    report_.roofs[static_cast<int>(which)].values.push_back(rate);
    return rate;
  }

  /// Fills row.ms, each of `units` units, and beside it the row's roof as it was before and after: how fast a shared
  /// machine is changes from second to second.
  template <typename Work>
  void sample(BenchRow& row, double units, const Work& work) {
    for (int i = 0; i < plan_.repeats; ++i) {
      const double before = roof(*row.roof);
      row.ms.values.push_back(timed(row.name, work) / units);
      row.roofs.push_back((before + roof(*row.roof)) / 2);
    }
  }

  OpenedModel open() const {
    if (model_.path.empty()) return OpenedModel(model_.synthetic);
    OpenedModel opened(model_.path);
    if (!model_.type.empty()) opened.store_as(model_.type);
    return opened;
  }

  void load() {
    LoadOptions options;
    options.n_threads = report_.session.n_threads;
    options.prefetch = true;  // a model is loaded when its weights are there
    options.progress = [](uint64_t, uint64_t) { return !stop_asked(); };
    if (model_.path.empty()) {
      loaded_.emplace(open(), options);
    } else {
      load_times(options);
    }
  }

  void load_times(const LoadOptions& options) {
    for (const bool cold : {true, false}) {
      if (cold && !forget_cached_files(model_.path)) continue;
      const std::string name = cold ? "load cold" : "load warm";
      Samples ms;
      for (int i = 0; i < plan_.repeats; ++i) {
        loaded_.reset();
        if (cold) forget_cached_files(model_.path);
        ms.values.push_back(timed(name, [&] { loaded_.emplace(open(), options); }));
      }
      uint64_t bytes = 0;
      for (const TensorInfo& tensor : report_.model.tensors) bytes += tensor.bytes;
      report_.rows.push_back({.name = name,
                              .unit = "load",
                              .ms = std::move(ms),
                              .tokens = 0,
                              .work = static_cast<double>(bytes)});
    }
  }

  void evaluate() {
    const ModelInfo& info = report_.model;
    const int wanted = std::max(plan_.prompts.back(), plan_.contexts.back()) + plan_.decoded;
    report_.session.n_ctx = std::min(info.n_ctx, wanted);
    report_.memory = session_memory(info, report_.session);
    one_text();
    texts();
  }

  void one_text() {
    Session session(*loaded_, report_.session);
    report_.n_threads = session.n_threads();
    decode(session, 0);
    for (const int length : plan_.prompts) {
      if (length > session.n_ctx()) continue;
      prompt(session, length);
      decode(session, length);
    }
    passes(session);
  }

  void prompt(Session& session, int length) {
    const std::vector<int> ids = some_ids(length);
    const ModelInfo& info = report_.model;
    BenchRow row{.name = "prompt of " + std::to_string(length),
                 .unit = "token",
                 .tokens = 1,
                 .work = prompt_operations(info, length) / length,
                 .roof = prompt_roof(info, report_.session.exact)};
    sample(row, length, [&] {
      session.truncate(0);
      session.prefill(ids, stop_asked);
    });
    report_.rows.push_back(std::move(row));
  }

  /// With the `context` tokens that the session has evaluated last.
  void decode(Session& session, int context) {
    const auto& wanted = plan_.contexts;
    if (std::find(wanted.begin(), wanted.end(), context) == wanted.end()) return;
    if (context + plan_.decoded > session.n_ctx()) return;
    if (context == 0) session.decode(0);  // memory is touched the first time
    BenchRow row{.name = "decode at " + std::to_string(context),
                 .unit = "token",
                 .tokens = 1,
                 .work = decode_bytes(report_.model, report_.session, context + plan_.decoded / 2),
                 .roof = Roof::read};
    int64_t allocated = 0;
    sample(row, plan_.decoded, [&] {
      session.truncate(context);
      const int64_t at_start = n_allocations();
      for (int i = 0; i < plan_.decoded && !stop_asked(); ++i) session.decode(i);
      allocated += n_allocations() - at_start;
    });
    report_.allocations_per_token =
        std::max(report_.allocations_per_token,
                 static_cast<double>(allocated) / (plan_.decoded * static_cast<double>(plan_.repeats)));
    report_.rows.push_back(std::move(row));
  }

  /// Milliseconds of work(size) for each of some sizes. All sizes in turn, again and again, so that they meet the same machine.
  template <typename Work>
  std::vector<Samples> in_turn(const std::vector<int>& sizes, const std::string& what, const Work& work) {
    std::vector<Samples> ms(sizes.size());
    for (int i = 0; i < plan_.repeats; ++i) {
      for (size_t s = 0; s < sizes.size(); ++s) {
        const double total = timed(fmt::format("{} of {}", what, sizes[s]), [&] {
          for (int pass = 0; pass < kPassesPerSample && !stop_asked(); ++pass) work(sizes[s]);
        });
        ms[s].values.push_back(total / kPassesPerSample);
      }
    }
    return ms;
  }

  void add_passes(const std::vector<int>& sizes, std::vector<Samples> ms, const auto& name_of) {
    for (size_t s = 0; s < sizes.size(); ++s) {
      report_.rows.push_back({.name = name_of(sizes[s]),
                              .unit = "pass",
                              .ms = std::move(ms[s]),
                              .tokens = static_cast<double>(sizes[s]),
                              .beside = name_of(sizes[0])});
    }
  }

  void passes(Session& session) {
    const auto pass = [&](int n) {
      session.truncate(0);
      session.decode_each(some_ids(n), [](int, auto) {});
    };
    add_passes(plan_.passes, in_turn(plan_.passes, "pass", pass),
               [](int n) { return fmt::format("pass of {}", n); });
  }

  /// A token for each of several texts, which share nothing.
  void texts() {
    const int context = plan_.texts_context;
    SessionOptions options = report_.session;
    options.n_sequences = plan_.texts.back();
    options.n_ctx = context + 1;
    if (options.n_ctx > report_.model.n_ctx) return;
    Session session(*loaded_, options);
    for (int i = 0; i < options.n_sequences; ++i) session.prefill(some_ids(context), stop_asked, i);
    const auto pass = [&](int n) {
      std::vector<Session::Token> tokens;
      for (int i = 0; i < n; ++i) {
        session.truncate(context, i);
        tokens.push_back({i, i});
      }
      session.decode_each(tokens, [](int, auto) {});
    };
    add_passes(plan_.texts, in_turn(plan_.texts, "texts", pass),
               [&](int n) { return fmt::format("{} text{} at {}", n, n == 1 ? "" : "s", context); });
  }

  const BenchModel& model_;
  const BenchPlan& plan_;
  ProgressLine progress_;
  uint64_t n_steps_ = 0, n_done_ = 0;
  std::optional<RoofMeter> meter_;
  std::optional<Model> loaded_;
  BenchReport report_;
};

}  // namespace

BenchPlan BenchPlan::full(int repeats) {
  return {{128, 512, 2000}, {0, 512, 2000}, {1, 2, 4, 8, 16, 32}, {1, 2, 4, 8}, 128, 16, repeats};
}

BenchPlan BenchPlan::quick(int repeats) {
  return {{32, 128}, {0, 128}, {1, 2, 4}, {1, 2, 4, 8}, 32, 4, repeats};
}

double Samples::median() const {
  std::vector<double> sorted = values;
  std::sort(sorted.begin(), sorted.end());
  const size_t middle = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
double Samples::min() const {
  return *std::min_element(values.begin(), values.end());
}
double Samples::max() const {
  return *std::max_element(values.begin(), values.end());
}

BenchReport run_bench(const BenchModel& model, const SessionOptions& session, const BenchPlan& plan,
                      const Log& log) {
  return Bench(model, session, plan, log).run();
}

}  // namespace gptj::apps
