#include "gptj/kl_divergence.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <vector>

#include "gptj/log_softmax.h"
#include "measure/kl_base.h"
#include "measure/mean.h"

namespace gptj {
namespace {

/// The q-quantile of sorted values, interpolated linearly like numpy.percentile.
double quantile(const std::vector<double>& values, double q) {
  const double at = q * static_cast<double>(values.size() - 1);
  const auto below = static_cast<size_t>(at);
  const size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (at - static_cast<double>(below)) * (values[above] - values[below]);
}

/// sum of P ln(P / Q) - P + Q: the divergence, in a form that is never negative although the rounded P does not sum
/// to 1.
double divergence(const Prediction& p, std::span<const float> logits, double sum_of_q) {
  double divergence = 1;  // the sum of Q
  for (size_t i = 0; i < logits.size(); ++i) {
    const double log_p = p.log_probability(i);
    divergence += std::exp(log_p) * (log_p - (logits[i] - sum_of_q) - 1);
  }
  return divergence;
}

}  // namespace

struct KlBaseWriter::Impl {
  Impl(const std::string& path, const ScoredText& text) : layout(text), file(path) {
    check_room(path, layout.file_bytes);
    const std::string header = kl_base_header(text);
    file.write(header.data(), header.size());
  }

  const KlBaseLayout layout;
  OutputFile file;
  int64_t n_written = 0;
};

KlBaseWriter::KlBaseWriter(const std::string& path, const ScoredText& text)
    : impl_(std::make_unique<Impl>(path, text)) {}
KlBaseWriter::KlBaseWriter(KlBaseWriter&&) noexcept = default;
KlBaseWriter& KlBaseWriter::operator=(KlBaseWriter&&) noexcept = default;
KlBaseWriter::~KlBaseWriter() = default;

void KlBaseWriter::add(int id, std::span<const float> logits) {
  const std::string record = kl_base_record(Prediction(id, logits));
  assert(record.size() == impl_->layout.record_bytes);
  impl_->file.write(record.data(), record.size());
  ++impl_->n_written;
}

uint64_t KlBaseWriter::finish() {
  assert(impl_->n_written == impl_->layout.n_scored);
  impl_->file.commit();
  return impl_->layout.file_bytes;
}

struct KlDivergence::Impl {
  Impl(const std::string& path, const ScoredText& text) : base(path, text) {}

  KlBaseReader base;
  std::vector<double> divergences;
  Mean divergence, same_top, delta_p;
  Mean base_nll, more_nll;  // negative log-likelihood of the base, and how much larger the model's is
};

KlDivergence::KlDivergence(const std::string& base, const ScoredText& text)
    : impl_(std::make_unique<Impl>(base, text)) {}
KlDivergence::KlDivergence(KlDivergence&&) noexcept = default;
KlDivergence& KlDivergence::operator=(KlDivergence&&) noexcept = default;
KlDivergence::~KlDivergence() = default;

void KlDivergence::add(int id, std::span<const float> logits) {
  const Prediction p = impl_->base.next();
  const double sum = log_sum_exp(logits);
  const double log_q = logits[static_cast<size_t>(id)] - sum;
  const double kl = divergence(p, logits, sum);
  impl_->divergences.push_back(kl);
  impl_->divergence.add(kl);
  impl_->same_top.add(most_likely(logits) == p.most_likely ? 1 : 0);
  impl_->delta_p.add(std::exp(log_q) - std::exp(p.log_likelihood));
  impl_->base_nll.add(-p.log_likelihood);
  impl_->more_nll.add(p.log_likelihood - log_q);
}

KlResult KlDivergence::result() const {
  const Impl& all = *impl_;
  std::vector<double> sorted = all.divergences;
  assert(!sorted.empty());
  std::sort(sorted.begin(), sorted.end());
  KlResult result;
  result.mean = all.divergence.value();
  result.error = all.divergence.error();
  result.median = quantile(sorted, 0.5);
  result.percentile_90 = quantile(sorted, 0.9);
  result.percentile_99 = quantile(sorted, 0.99);
  result.percentile_99_9 = quantile(sorted, 0.999);
  result.max = sorted.back();
  result.same_top = all.same_top.value();
  result.same_top_error = all.same_top.error();
  result.delta_p = all.delta_p.value();
  result.delta_p_error = all.delta_p.error();
  result.delta_p_rms = all.delta_p.root_mean_square();
  result.base_perplexity = std::exp(all.base_nll.value());
  result.ratio = std::exp(all.more_nll.value());
  result.ratio_error = all.more_nll.error() * result.ratio;  // to first order
  return result;
}

}  // namespace gptj
