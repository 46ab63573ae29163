"""GPT-J, CodeGen and GPT-2 in float64 NumPy, written from their definitions: a second opinion beside transformers.

`forward(config, weights, ids)` takes a config.json as a dictionary and the weights under the names that
Hugging Face gives them, and returns every intermediate under the names of the goldens.
"""

from math import erf, pi, sqrt

import numpy as np

ACTIVATIONS = {
    "gelu_new": lambda x: 0.5 * x * (1 + np.tanh(sqrt(2 / pi) * (x + 0.044715 * x**3))),
    "gelu": lambda x: 0.5 * x * (1 + np.vectorize(erf)(x / sqrt(2))),
    "relu": lambda x: np.maximum(x, 0),
}


def rotate_pairs(x: np.ndarray, rotary_dim: int) -> np.ndarray:
    """x [n_tokens, n_head, head_dim]: turns neighbours (2i, 2i + 1) by position / 10000^(2i / rotary_dim)."""
    angle = np.arange(len(x))[:, None] / 10000 ** (np.arange(0, rotary_dim, 2) / rotary_dim)
    cos, sin = np.cos(angle)[:, None, :], np.sin(angle)[:, None, :]
    even, odd = x[..., 0:rotary_dim:2], x[..., 1:rotary_dim:2]
    out = x.copy()
    out[..., 0:rotary_dim:2] = even * cos - odd * sin
    out[..., 1:rotary_dim:2] = even * sin + odd * cos
    return out


def attention(q: np.ndarray, k: np.ndarray, v: np.ndarray, scale: float) -> np.ndarray:
    """Causal attention; q, k, v [n_tokens, n_head, head_dim] -> [n_tokens, n_embd]."""
    n = len(q)
    scores = np.einsum("qhd,khd->hqk", q, k) * scale
    scores[:, np.triu(np.ones((n, n), bool), 1)] = -np.inf
    p = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.einsum("hqk,khd->qhd", p / p.sum(axis=-1, keepdims=True), v).reshape(n, -1)


def split_qkv(weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """CodeGen's weights as GPT-J's: qkv_proj has 4 groups of heads, each with rows of queries, values, keys."""
    out = {}
    for name, x in weights.items():
        if not name.endswith("attn.qkv_proj.weight"):
            out[name] = x
            continue
        groups = x.reshape(4, 3, -1, x.shape[1])
        for i, part in enumerate("qvk"):
            out[name.replace("qkv", part)] = groups[:, i].reshape(-1, x.shape[1])
    return out


def forward(config: dict, weights: dict[str, np.ndarray], ids: np.ndarray) -> dict[str, np.ndarray]:
    is_gptj = config["model_type"] in ("gptj", "codegen")
    w = {name: x.astype(np.float64) for name, x in split_qkv(weights).items()}
    n_head = config["n_head"]
    head_dim = config["n_embd"] // n_head
    activation = ACTIVATIONS[config.get("activation_function", "gelu_new")]
    out = {}

    def norm(name, x):
        centred = x - x.mean(axis=-1, keepdims=True)
        variance = (centred**2).mean(axis=-1, keepdims=True)
        y = centred / np.sqrt(variance + config.get("layer_norm_epsilon", 1e-5))
        return y * w[f"transformer.{name}.weight"] + w[f"transformer.{name}.bias"]

    def linear(name, x):
        matrix = w[f"transformer.{name}.weight"]  # GPT-J: [out, in]; GPT-2: [in, out]
        return x @ (matrix.T if is_gptj else matrix) + w.get(f"transformer.{name}.bias", 0)

    def heads(x):
        return x.reshape(len(x), n_head, head_dim)

    def gptj_layer(h, x):
        out[f"{h}.ln_1"] = y = norm(f"{h}.ln_1", x)
        q, k, v = (heads(linear(f"{h}.attn.{name}_proj", y)) for name in "qkv")
        q, k = (rotate_pairs(t, config["rotary_dim"]) for t in (q, k))
        out[f"{h}.attn"] = linear(f"{h}.attn.out_proj", attention(q, k, v, head_dim**-0.5))
        out[f"{h}.mlp"] = linear(f"{h}.mlp.fc_out", activation(linear(f"{h}.mlp.fc_in", y)))
        return x + out[f"{h}.attn"] + out[f"{h}.mlp"]

    def gpt2_layer(h, x):
        scale = head_dim**-0.5 if config.get("scale_attn_weights", True) else 1.0
        if config.get("scale_attn_by_inverse_layer_idx", False):
            scale /= int(h.split(".")[1]) + 1
        out[f"{h}.ln_1"] = y = norm(f"{h}.ln_1", x)
        q, k, v = (heads(t) for t in np.split(linear(f"{h}.attn.c_attn", y), 3, axis=-1))
        out[f"{h}.attn"] = linear(f"{h}.attn.c_proj", attention(q, k, v, scale))
        x = x + out[f"{h}.attn"]
        out[f"{h}.ln_2"] = y = norm(f"{h}.ln_2", x)
        out[f"{h}.mlp"] = linear(f"{h}.mlp.c_proj", activation(linear(f"{h}.mlp.c_fc", y)))
        return x + out[f"{h}.mlp"]

    x = w["transformer.wte.weight"][ids]
    if not is_gptj:
        x = x + w["transformer.wpe.weight"][: len(ids)]
    out["embed"] = x
    for i in range(config["n_layer"]):
        x = (gptj_layer if is_gptj else gpt2_layer)(f"h.{i}", x)
        out[f"h.{i}"] = x
    out["ln_f"] = x = norm("ln_f", x)
    head = w.get("lm_head.weight", w["transformer.wte.weight"])
    out["logits"] = x @ head.T + w.get("lm_head.bias", 0)
    return out
