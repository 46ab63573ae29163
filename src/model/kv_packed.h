#pragma once

#include <cstddef>
#include <cstdint>

#include "gptj/kv_type.h"
#include "model/config.h"
#include "model/kv_sequences.h"

/// Keys and values as files store them: the cache's own numbers, but only those of existing tokens.
namespace gptj {

/// Bytes of one token.
uint64_t packed_kv_bytes(const Config& config, KvType type);

/// The tokens [begin, begin + n) of a sequence, all in one panel: begin is a multiple of 16, and n <= 16. For each
/// layer and head their keys [head_dim][n], values [head_dim / 16, rounded up][n][16 or fewer dimensions], and for
/// int8 the scales of keys, then of values, [head_dim / 64, rounded up][n].
struct PackedKv {
  const KvSequences& kv;
  const Config& config;
  KvType type;
  int sequence;
  int begin;
  int n;

  /// Writes n * packed_kv_bytes() bytes.
  void pack(uint8_t* to) const;
  /// Reads them, into pages that are the sequence's own.
  void unpack(const uint8_t* from) const;

 private:
  template <typename Each>
  void each_run(const Each& each) const;
};

}  // namespace gptj
