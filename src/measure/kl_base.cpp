#include "measure/kl_base.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "gptj/log_softmax.h"
#include "gptj/perplexity.h"
#include "io/byte_reader.h"
#include "io/checksum.h"
#include "io/put_number.h"

namespace gptj {
namespace {

constexpr std::string_view kMagic = "gptj-kl\n";
constexpr uint32_t kVersion = 1;
constexpr size_t kHeaderBytes = 32;
constexpr size_t kFieldBytes = 24;  // of a record, before its levels
constexpr double kLevels = 65535;

uint32_t checksum_of(std::span<const int> ids) {
  static_assert(sizeof(int) == sizeof(int32_t));
  return crc32_of({reinterpret_cast<const char*>(ids.data()), ids.size_bytes()});
}

}  // namespace

Prediction::Prediction(int id, std::span<const float> logits) {
  const double sum = log_sum_exp(logits);
  log_likelihood = logits[static_cast<size_t>(id)] - sum;
  most_likely = gptj::most_likely(logits);
  const double largest = logits[static_cast<size_t>(most_likely)];
  const double least = *std::min_element(logits.begin(), logits.end());
  top = static_cast<float>(largest - sum);
  step = static_cast<float>((largest - least) / kLevels);
  levels.resize(logits.size());
  if (step == 0) return;
  for (size_t i = 0; i < levels.size(); ++i) {
    levels[i] = static_cast<uint16_t>(std::min(kLevels, std::round((largest - logits[i]) / double{step})));
  }
}

KlBaseLayout::KlBaseLayout(const ScoredText& text) {
  const int64_t n_windows = perplexity_windows(text.ids.size(), text.window);
  n_scored = n_windows * (text.window - 1 - text.window / 2);
  record_bytes = kFieldBytes + sizeof(uint16_t) * static_cast<uint64_t>(text.n_vocab);
  file_bytes = kHeaderBytes + static_cast<uint64_t>(n_scored) * record_bytes;
}

std::string kl_base_header(const ScoredText& text) {
  const int n_windows = perplexity_windows(text.ids.size(), text.window);
  const auto n_ids = static_cast<size_t>(n_windows) * static_cast<size_t>(text.window);
  std::string header(kMagic);
  put_number<uint32_t>(header, kVersion);
  put_number<uint32_t>(header, text.n_vocab);
  put_number<uint32_t>(header, text.window);
  put_number<uint32_t>(header, n_windows);
  put_number<uint32_t>(header, checksum_of(text.ids.first(n_ids)));
  put_number<uint32_t>(header, crc32_of(header));
  assert(header.size() == kHeaderBytes);
  return header;
}

std::string kl_base_record(const Prediction& p) {
  std::string fields;
  put_number<double>(fields, p.log_likelihood);
  put_number<uint32_t>(fields, p.most_likely);
  put_number<float>(fields, p.top);
  put_number<float>(fields, p.step);
  fields.append(reinterpret_cast<const char*>(p.levels.data()), p.levels.size() * sizeof(uint16_t));
  std::string record;
  put_number<uint32_t>(record, crc32_of(fields));
  return record + fields;
}

namespace {

void expect(const std::string& path, std::string_view what, uint64_t expected, uint64_t found,
            std::string_view hint) {
  if (found != expected) fail("{}: {}: expected {}, found {}: {}", quoted(path), what, expected, found, hint);
}

/// Throws Error unless the header says that the file is a base of this text.
void check_header(const InputFile& file, const ScoredText& text) {
  const std::string& path = file.path();
  std::string header(std::min<uint64_t>(file.size(), kHeaderBytes), '\0');
  file.read_at(0, header.data(), header.size());
  if (!header.starts_with(kMagic)) {
    fail("{}: expected a base of predictions, found a file that begins with {}", quoted(path),
         quoted(header.substr(0, kMagic.size())));
  }
  ByteReader fields(file);
  fields.skip(kMagic.size(), "magic");
  const uint32_t version = fields.u32("version");
  expect(path, "version of the base", kVersion, version, "written by another version of this program");
  const uint32_t n_vocab = fields.u32("vocabulary");
  const uint32_t window = fields.u32("window");
  const uint32_t n_windows = fields.u32("windows");
  const uint32_t ids = fields.u32("checksum of the tokens");
  const uint32_t checksum = crc32_of(std::string_view(header).substr(0, fields.offset()));
  expect(path, "checksum of the header", checksum, fields.u32("checksum of the header"),
         "the file is damaged");
  expect(path, "tokens in the vocabulary", static_cast<uint64_t>(text.n_vocab), n_vocab,
         "a base of a model with another vocabulary");
  expect(path, "tokens of a window", static_cast<uint64_t>(text.window), window,
         "a base measured with another context size");
  const auto n_expected = static_cast<uint32_t>(perplexity_windows(text.ids.size(), text.window));
  expect(path, "windows of the text", n_expected, n_windows, "a base of another text");
  const size_t n_ids = size_t{n_windows} * window;
  expect(path, "checksum of the text's tokens", checksum_of(text.ids.first(n_ids)), ids,
         "a base of another text");
}

template <typename Number>
Number take(const char*& from) {
  Number number;
  std::memcpy(&number, from, sizeof number);
  from += sizeof number;
  return number;
}

}  // namespace

KlBaseReader::KlBaseReader(const std::string& path, const ScoredText& text)
    : file_(path), layout_(text), n_vocab_(text.n_vocab) {
  check_header(file_, text);
  expect(path, "bytes", layout_.file_bytes, file_.size(), "the file is cut off, or something was appended");
}

Prediction KlBaseReader::next() {
  assert(n_read_ < layout_.n_scored);
  std::string record(layout_.record_bytes, '\0');
  file_.read_at(kHeaderBytes + static_cast<uint64_t>(n_read_) * layout_.record_bytes, record.data(),
                record.size());
  const char* from = record.data();
  const auto checksum = take<uint32_t>(from);
  expect(file_.path(), fmt::format("checksum of prediction {}", n_read_),
         crc32_of(std::string_view(record).substr(sizeof checksum)), checksum, "the file is damaged");
  ++n_read_;
  Prediction p;
  p.log_likelihood = take<double>(from);
  p.most_likely = take<int32_t>(from);
  p.top = take<float>(from);
  p.step = take<float>(from);
  p.levels.resize(static_cast<size_t>(n_vocab_));
  std::memcpy(p.levels.data(), from, p.levels.size() * sizeof(uint16_t));
  return p;
}

}  // namespace gptj
