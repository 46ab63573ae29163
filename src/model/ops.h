#pragma once

#include <initializer_list>
#include <string_view>

#include "model/pass.h"

/// What a forward() is made of. Only these functions call kernels and the thread pool. Each is one parallel loop
/// (none for a single row, which is not worth waking a thread); linear() has one more for each input that it packs.
/// None allocates.
namespace gptj {

/// out[t] = row indices[t] of the table; out[t] += the row of the token's position.
void embed(const Pass& pass, const Matrix& table, std::span<const int> indices, const Rows& out);
void add_positions(const Pass& pass, const Matrix& table, const Rows& out);

struct Norm {
  Vector gain, bias;
};

/// out[t] = the normalised in[t], as Kernels::layer_norm computes it.
void layer_norm(const Pass& pass, const Norm& norm, float eps, const Rows& in, const Rows& out);

/// One output of a pass over weights: y = activation(bias + first.w first.x + second->w second->x), plus what y holds
/// before the activation if `add`.
struct Linear {
  struct Term {
    const Matrix& w;
    const Rows& x;
  };
  Term first;
  Rows y;  // [x.rows, w.rows]
  const Vector* bias = nullptr;
  const Term* second = nullptr;  // whose w has as many rows
  const Activation* activation = nullptr;
  bool add = false;
};

/// Computes all outputs in one parallel loop over their panels. All y have the same number of rows.
void linear(const Pass& pass, std::initializer_list<Linear> outputs);

/// Where a layer's queries, keys and values lie in Scratch::qkv, and how attention treats them.
struct AttentionSpec {
  int layer;
  int n_head;
  int head_dim;
  int64_t step;  // floats from a token's queries to its keys, and from these to its values
  int n_rot;     // dimensions of each head that are rotated in interleaved pairs
  float scale;
};

/// Self-attention: puts the new tokens' keys and values into the cache and leaves in Scratch::mixed, for each token,
/// the weighted values of its text up to its own, or up to the end of its run if the pass is a prefix LM's. One
/// parallel loop over the heads.
void attention(const Pass& pass, const AttentionSpec& spec);

/// In all layers of a sequence: moves the keys and values of tokens [begin, end) `by` positions towards the front,
/// over what was there, and rotates the keys back accordingly. For models whose only positions are rotated keys.
void shift_tokens(const Pass& pass, const Config& config, int sequence, int begin, int end, int by);

/// Fills cos_sin [n_ctx][n_rot / 2][2] with (cos, sin) of position / 10000^(2i / n_rot) (RoPE, arXiv:2104.09864), in
/// F32 as the reference computes it.
void rotary_angles(int n_ctx, int n_rot, float* cos_sin);

/// Shows rows to the probe, if there is one: probe(pass, "h.{}.ln_1", layer, rows) or probe(pass, "embed",
/// rows).
void probe(const Pass& pass, std::string_view name, int layer, const Rows& rows);
inline void probe(const Pass& pass, std::string_view name, const Rows& rows) {
  probe(pass, name, -1, rows);
}

}  // namespace gptj
