#include "bench/report.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/quoted.h"
#include "options/loading.h"

namespace gptj::apps {
namespace {

const char* rate_unit(Roof roof) {
  return roof == Roof::read ? "GB/s" : roof == Roof::int8 ? "GOP/s" : "GFLOP/s";
}

/// What is derived from a row's median.
struct Derived {
  double tokens_per_second;
  double rate;          // GB/s, GFLOP/s or GOP/s; 0: none
  double of_roof;       // 0 to 1, the median of what was reached beside each; 0: it stands beside none
  double of_one_token;  // a pass beside that of one token; 0: no pass
};

double of_roof(const BenchRow& row) {
  if (!row.roof) return 0;
  Samples parts;
  for (size_t i = 0; i < row.roofs.size(); ++i) {
    parts.values.push_back(row.work / (row.ms.values[i] / 1000) / row.roofs[i]);
  }
  return parts.median();
}

Derived derive(const BenchReport& report, const BenchRow& row) {
  const double seconds = row.ms.median() / 1000;
  const auto one = std::find_if(report.rows.begin(), report.rows.end(),
                                [&](const BenchRow& other) { return other.name == row.beside; });
  return {.tokens_per_second = row.tokens / seconds,
          .rate = row.work / seconds / 1e9,
          .of_roof = of_roof(row),
          .of_one_token = one == report.rows.end() ? 0 : row.ms.median() / one->ms.median()};
}

/// A string of JSON, readable whatever the bytes of `text`.
std::string json_text(const std::string& text) {
  std::string out = "\"";
  for (const char c : escaped(text)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string json_samples(const Samples& samples, double scale) {
  return fmt::format(R"({{"median":{:.6g},"min":{:.6g},"max":{:.6g}}})", samples.median() * scale,
                     samples.min() * scale, samples.max() * scale);
}

std::string json_row(const BenchReport& report, const BenchRow& row) {
  const Derived derived = derive(report, row);
  std::string out =
      fmt::format(R"({{"name":"{}","unit":"{}","ms":{})", row.name, row.unit, json_samples(row.ms, 1));
  if (row.tokens > 0) out += fmt::format(R"(,"tokens_per_second":{:.6g})", derived.tokens_per_second);
  if (row.work > 0) out += fmt::format(R"(,"rate":{:.6g})", derived.rate);
  if (row.roof) {
    out += fmt::format(R"(,"roof":"{}","of_roof":{:.4f})", kRoofNames[static_cast<int>(*row.roof)],
                       derived.of_roof);
  }
  if (!row.beside.empty()) out += fmt::format(R"(,"of_one_token":{:.4f})", derived.of_one_token);
  return out + "}";
}

std::string table_head(const BenchReport& r) {
  return fmt::format(
      "model     {}: {}, {} layer{}, {}, {:.0f} million parameters\n"
      "running   {}, {} threads, batches of {} tokens, KV cache {}{}, medians of {} (least .. most)\n\n",
      escaped(r.model.path), r.model.architecture, r.model.n_layer, r.model.n_layer == 1 ? "" : "s",
      r.model.type, static_cast<double>(r.model.n_params) / 1e6, instruction_set(), r.n_threads,
      r.session.n_batch, kKvTypeNames[static_cast<int>(r.session.kv_type)], r.session.exact ? ", exact" : "",
      r.repeats);
}

std::string table_row(const BenchReport& report, const BenchRow& row) {
  const Derived derived = derive(report, row);
  const std::string tokens = row.tokens > 0 ? fmt::format("{:.2f} tokens/s", derived.tokens_per_second) : "";
  const std::string rate =
      row.work > 0 ? fmt::format("{:.1f} {}", derived.rate, rate_unit(row.roof.value_or(Roof::read))) : "";
  std::string beside;
  if (row.roof) {
    beside = fmt::format("{:.1f} % of {}", 100 * derived.of_roof, kRoofNames[static_cast<int>(*row.roof)]);
  } else if (!row.beside.empty()) {
    beside = fmt::format("{:.2f} x one token", derived.of_one_token);
  }
  return fmt::format("{:<20} {:>10.3f} {:>10.3f} .. {:<10.3f} ms a {:<5} {:>18} {:>15}   {}\n", row.name,
                     row.ms.median(), row.ms.min(), row.ms.max(), row.unit, tokens, rate, beside);
}

}  // namespace

std::string bench_table(const BenchReport& report) {
  std::string out = table_head(report);
  for (int r = 0; r < kNumRoofs; ++r) {
    const Samples& roof = report.roofs[r];
    if (roof.median() == 0) continue;
    out +=
        fmt::format("{:<20} {:>10.1f} {:>10.1f} .. {:<10.1f} {}\n", fmt::format("roof {}", kRoofNames[r]),
                    roof.median() / 1e9, roof.min() / 1e9, roof.max() / 1e9, rate_unit(static_cast<Roof>(r)));
  }
  out += "\n";
  for (const BenchRow& row : report.rows) out += table_row(report, row);
  out += fmt::format(
      "\n{:<20} {:>10.1f} MB: weights {:.1f}, KV cache {:.1f}, scratch {:.1f}\n"
      "{:<20} {:>10.1f} a token\n",
      "peak memory", megabytes(report.peak_memory), megabytes(report.model.weight_bytes),
      megabytes(report.memory.kv_cache), megabytes(report.memory.scratch), "allocations",
      report.allocations_per_token);
  return out;
}

std::string bench_json(const BenchReport& r) {
  std::string roofs, rows;
  for (int i = 0; i < kNumRoofs; ++i) {
    if (r.roofs[i].median() == 0) continue;
    roofs += fmt::format(R"({}"{}":{{"unit":"{}","rate":{}}})", roofs.empty() ? "" : ",", kRoofNames[i],
                         rate_unit(static_cast<Roof>(i)), json_samples(r.roofs[i], 1e-9));
  }
  for (const BenchRow& row : r.rows) rows += (rows.empty() ? "" : ",") + json_row(r, row);
  return fmt::format(
             R"({{"model":{},"architecture":"{}","type":"{}","n_layer":{},"n_params":{},)"
             R"("instruction_set":"{}","threads":{},"batch":{},"kv_type":"{}","exact":{},"repeats":{},)",
             json_text(r.model.path), r.model.architecture, r.model.type, r.model.n_layer, r.model.n_params,
             instruction_set(), r.n_threads, r.session.n_batch,
             kKvTypeNames[static_cast<int>(r.session.kv_type)], r.session.exact, r.repeats) +
         fmt::format(R"("roofs":{{{}}},"rows":[{}],"weight_bytes":{},"kv_bytes":{},"scratch_bytes":{},)"
                     R"("peak_bytes":{},"allocations_per_token":{:.6g}}})"
                     "\n",
                     roofs, rows, r.model.weight_bytes, r.memory.kv_cache, r.memory.scratch, r.peak_memory,
                     r.allocations_per_token);
}

std::string bench_csv(const BenchReport& r) {
  std::string out = "name,unit,median,min,max,tokens_per_second,rate,roof,of_roof,of_one_token\n";
  for (int i = 0; i < kNumRoofs; ++i) {
    const Samples& roof = r.roofs[i];
    if (roof.median() == 0) continue;
    out +=
        fmt::format("roof {},{},{:.6g},{:.6g},{:.6g},,,,,\n", kRoofNames[i], rate_unit(static_cast<Roof>(i)),
                    roof.median() / 1e9, roof.min() / 1e9, roof.max() / 1e9);
  }
  for (const BenchRow& row : r.rows) {
    const Derived d = derive(r, row);
    const auto number = [](bool applies, double value) {
      return applies ? fmt::format("{:.6g}", value) : std::string();
    };
    out +=
        fmt::format("{},ms a {},{:.6g},{:.6g},{:.6g},{},{},{},{},{}\n", row.name, row.unit, row.ms.median(),
                    row.ms.min(), row.ms.max(), number(row.tokens > 0, d.tokens_per_second),
                    number(row.work > 0, d.rate), row.roof ? kRoofNames[static_cast<int>(*row.roof)] : "",
                    number(row.roof.has_value(), d.of_roof), number(!row.beside.empty(), d.of_one_token));
  }
  out += fmt::format("peak memory,bytes,{},,,,,,,\nallocations,a token,{:.6g},,,,,,,\n", r.peak_memory,
                     r.allocations_per_token);
  return out;
}

}  // namespace gptj::apps
