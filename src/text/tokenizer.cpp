#include "gptj/tokenizer.h"

#include <limits>
#include <utility>

#include "base/error.h"
#include "text/added_tokens.h"
#include "text/bpe.h"
#include "text/merges.h"
#include "text/pretokenize.h"
#include "text/vocab.h"

namespace gptj {

namespace {

Bpe make_bpe(const Vocab& vocab) {
  const TokenIndex index(vocab.tokens);
  Bpe bpe(index, vocab.source, vocab.merges.size());
  std::string merged;
  for (size_t rank = 0; rank < vocab.merges.size(); ++rank) {
    const auto [left_id, right_id] = vocab.merges[rank];
    const std::string& left = vocab.tokens[static_cast<size_t>(left_id)];
    const std::string& right = vocab.tokens[static_cast<size_t>(right_id)];
    merged.assign(left).append(right);
    bpe.add_merge(left_id, right_id, token_of_merge(index, merged, vocab.source, rank, left, right));
  }
  return bpe;
}

}  // namespace

struct Tokenizer::Impl {
  Vocab vocab;
  Bpe bpe;
  AddedTokens added;
  std::vector<bool> is_added;  // of each id

  void encode_text(std::string_view text, Bpe::Scratch& scratch, std::vector<int>& ids) const {
    while (!text.empty()) {
      const size_t size = first_piece(text);
      bpe.encode(text.substr(0, size), scratch, ids);
      text.remove_prefix(size);
    }
  }
};

Tokenizer::Tokenizer(Vocab vocab) {
  Bpe bpe = make_bpe(vocab);
  AddedTokens added(vocab.added);
  vocab.merges = {};  // the BPE has them
  std::vector<bool> is_added(vocab.tokens.size());
  for (const AddedToken& token : vocab.added) {
    vocab.tokens[static_cast<size_t>(token.id)] = token.text;
    is_added[static_cast<size_t>(token.id)] = true;
  }
  impl_ = std::make_unique<const Impl>(
      Impl{std::move(vocab), std::move(bpe), std::move(added), std::move(is_added)});
}
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

std::vector<int> Tokenizer::encode(std::string_view text) const {
  constexpr size_t kLimit = std::numeric_limits<int32_t>::max();  // positions have 32 bits
  if (text.size() > kLimit) {
    fail("text to encode: expected at most {} bytes, found {}", kLimit, text.size());
  }
  Bpe::Scratch scratch;
  std::vector<int> ids;
  for (const Segment& segment : impl_->added.split(text)) {
    if (segment.id != Segment::kText) {
      ids.push_back(segment.id);
    } else if (impl_->vocab.add_prefix_space && segment.text.front() != ' ') {
      std::string prefixed(1, ' ');
      prefixed += segment.text;
      impl_->encode_text(prefixed, scratch, ids);
    } else {
      impl_->encode_text(segment.text, scratch, ids);
    }
  }
  return ids;
}

std::string_view Tokenizer::decode(int id) const {
  return id >= 0 && id < n_tokens() ? impl_->vocab.tokens[static_cast<size_t>(id)] : std::string_view();
}

std::string Tokenizer::decode(std::span<const int> ids) const {
  std::string text;
  for (const int id : ids) text += decode(id);
  return text;
}

bool Tokenizer::is_added(int id) const {
  return id >= 0 && id < n_tokens() && impl_->is_added[static_cast<size_t>(id)];
}

int Tokenizer::n_tokens() const {
  return static_cast<int>(impl_->vocab.tokens.size());
}

std::optional<int> Tokenizer::bos() const {
  return impl_->vocab.bos;
}

std::optional<int> Tokenizer::eos() const {
  return impl_->vocab.eos;
}

}  // namespace gptj
