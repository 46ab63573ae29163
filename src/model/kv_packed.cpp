#include "model/kv_packed.h"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace gptj {
namespace {

int64_t n_scales(const Config& config, KvType type) {
  return type == KvType::int8 ? round_up(config.head_dim(), kKvBlock) / kKvBlock : 0;
}

}  // namespace

uint64_t packed_kv_bytes(const Config& config, KvType type) {
  const int64_t head = config.head_dim() * kv_number_bytes(type) +
                       n_scales(config, type) * static_cast<int64_t>(sizeof(float));
  return static_cast<uint64_t>(2 * head * config.n_head * config.n_layer);
}

/// Calls each(at, bytes) for all runs of bytes in the cache, in the order in which they are packed.
template <typename Each>
void PackedKv::each_run(const Each& each) const {
  assert(begin % kPanelRows == 0 && n <= kPanelRows);
  const int64_t number = kv_number_bytes(type), head_dim = config.head_dim();
  const int row = begin % kKvPage;
  for (int i = 0; i < config.n_layer * config.n_head; ++i) {
    const KvPage page = page_of<PackedKv>(kv.head(i / config.n_head, i % config.n_head, sequence), begin);
    uint8_t* const keys = static_cast<uint8_t*>(page.keys) + row * head_dim * number;
    for (int64_t d = 0; d < head_dim; ++d) each(keys + d * kPanelRows * number, n * number);
    for (int64_t d = 0; d < head_dim; d += kPanelRows) {
      uint8_t* const values =
          static_cast<uint8_t*>(page.values) + (d * page.n_tokens + row * kPanelRows) * number;
      const int64_t bytes = std::min<int64_t>(head_dim - d, kPanelRows) * number;
      for (int token = 0; token < n; ++token) each(values + token * kPanelRows * number, bytes);
    }
    for (float* const scales : {page.key_scales, page.value_scales}) {
      for (int64_t block = 0; block < n_scales(config, type); ++block) {
        each(reinterpret_cast<uint8_t*>(scales + block * page.n_tokens + row),
             n * static_cast<int64_t>(sizeof(float)));
      }
    }
  }
}

void PackedKv::pack(uint8_t* to) const {
  each_run([&to](const uint8_t* at, int64_t bytes) {
    std::memcpy(to, at, static_cast<size_t>(bytes));
    to += bytes;
  });
}

void PackedKv::unpack(const uint8_t* from) const {
  each_run([&from](uint8_t* at, int64_t bytes) {
    std::memcpy(at, from, static_cast<size_t>(bytes));
    from += bytes;
  });
}

}  // namespace gptj
