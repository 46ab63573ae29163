#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "base/arena.h"
#include "gptj/kv_type.h"
#include "model/config.h"
#include "tensor/kv_head.h"
#include "tensor/panel.h"

namespace gptj {

constexpr int64_t kv_number_bytes(KvType type) {
  return type == KvType::f32 ? 4 : type == KvType::f16 ? 2 : 1;
}

/// The memory of keys and values, in pages: [page][layer][head][keys, values, their scales]. A page is one piece of
/// memory, so that the system's huge pages, which are cleared as a whole, belong to one page of a text and are soon
/// full.
class KvCache {
 public:
  KvCache() = default;

  /// Takes room for n_sequences of n_ctx tokens each from the arena, which may only be counting. What is never
  /// written takes no memory.
  KvCache(Arena& arena, const Config& config, int n_ctx, int n_sequences, KvType type)
      : page_tokens_(std::min<int64_t>(kKvPage, round_up(n_ctx, kPanelRows))),
        n_layer_(config.n_layer),
        n_head_(config.n_head),
        n_pages_(static_cast<int>(round_up(n_ctx, kKvPage) / kKvPage) * n_sequences) {
    const int64_t number = kv_number_bytes(type);
    key_bytes_ = page_tokens_ * config.head_dim() * number;
    value_bytes_ = page_tokens_ * round_up(config.head_dim(), kPanelRows) * number;
    if (type == KvType::int8) n_scales_ = page_tokens_ * (round_up(config.head_dim(), kKvBlock) / kKvBlock);
    data_ = arena.take<uint8_t>(n_pages_ * page_bytes());
  }

  int n_pages() const { return n_pages_; }

  /// A head of the text that lies in these pages.
  KvHead head(int layer, int head, const int* pages) const {
    uint8_t* keys = data_ + (int64_t{layer} * n_head_ + head) * head_bytes();
    uint8_t* values = keys + key_bytes_;
    auto* scales = reinterpret_cast<float*>(values + value_bytes_);
    return {{keys, values, scales, scales + n_scales_, page_tokens_}, page_bytes(), head_bytes(), pages};
  }

  void copy_page(int from, int to) const {
    std::memcpy(data_ + to * page_bytes(), data_ + from * page_bytes(), static_cast<size_t>(page_bytes()));
  }

 private:
  int64_t head_bytes() const {  // of a page's head in one layer
    return key_bytes_ + value_bytes_ + 2 * n_scales_ * static_cast<int64_t>(sizeof(float));
  }
  int64_t page_bytes() const { return int64_t{n_layer_} * n_head_ * head_bytes(); }

  int64_t page_tokens_ = 0;
  int n_layer_ = 0;
  int n_head_ = 0;
  int n_pages_ = 0;
  int64_t key_bytes_ = 0;  // of a page
  int64_t value_bytes_ = 0;
  int64_t n_scales_ = 0;  // of its keys, and as many of its values
  uint8_t* data_ = nullptr;
};

}  // namespace gptj
