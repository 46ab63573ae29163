#pragma once

#include <cstdint>

#include "base/arena.h"
#include "gptj/kv_type.h"
#include "model/config.h"
#include "tensor/kv_head.h"
#include "tensor/panel.h"

namespace gptj {

/// Keys and values of the tokens so far: [layer][head][keys, values, their scales]. A head's tokens lie
/// together, so that attention reads long streams.
class KvCache {
 public:
  KvCache() = default;

  /// Takes its memory from the arena (which may only be counting).
  KvCache(Arena& arena, const Config& config, int n_ctx, KvType type)
      : n_ctx_(round_up(n_ctx, kPanelRows)), n_head_(config.n_head) {
    const int64_t number = type == KvType::f32 ? 4 : type == KvType::f16 ? 2 : 1;
    key_bytes_ = n_ctx_ * config.head_dim() * number;
    value_bytes_ = n_ctx_ * round_up(config.head_dim(), kPanelRows) * number;
    if (type == KvType::int8) n_scales_ = n_ctx_ * (round_up(config.head_dim(), kKvBlock) / kKvBlock);
    const int64_t bytes = int64_t{config.n_layer} * n_head_ * head_bytes();
    data_ = arena.take<uint8_t>(bytes);
    if (data_ != nullptr) platform::prefer_small_pages(data_, static_cast<size_t>(bytes));
  }

  KvHead head(int layer, int head) const {
    uint8_t* keys = data_ + (int64_t{layer} * n_head_ + head) * head_bytes();
    uint8_t* values = keys + key_bytes_;
    auto* scales = reinterpret_cast<float*>(values + value_bytes_);
    return {keys, values, scales, scales + n_scales_, n_ctx_};
  }

 private:
  int64_t head_bytes() const {
    return key_bytes_ + value_bytes_ + 2 * n_scales_ * static_cast<int64_t>(sizeof(float));
  }

  int64_t n_ctx_ = 0;
  int n_head_ = 0;
  int64_t key_bytes_ = 0;  // of one head in one layer
  int64_t value_bytes_ = 0;
  int64_t n_scales_ = 0;  // of its keys, and as many of its values
  uint8_t* data_ = nullptr;
};

}  // namespace gptj
