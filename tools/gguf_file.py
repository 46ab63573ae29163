"""GGUF files of GPT-J and GPT-2, written with the gguf package. The names of tensors are its own, too."""

from pathlib import Path

import gguf
import numpy as np

# ggml's types that the package reads but does not make: where a block's scales lie, and the factor for its minimum
# that puts the mean of random numbers near zero.
RANDOM_BLOCKS = {
    "q2_K": ((80, 82), 1.5),
    "q3_K": ((108,), 0),
    "q4_K": ((0, 2), 7.5),
    "q5_K": ((0, 2), 15.5),
    "q6_K": ((208,), 0),
    "iq4_nl": ((0,), 0),
    "iq4_xs": ((0,), 0),
}


def type_of(name: str) -> gguf.GGMLQuantizationType:
    return gguf.GGMLQuantizationType[name.upper()]


def random_blocks(name: str, n_blocks: int, std: float, rng: np.random.Generator) -> np.ndarray:
    """[n_blocks, bytes of a block], U8: random bits, with scales that give their values about that deviation."""
    offsets, minimum = RANDOM_BLOCKS[name]
    blocks = rng.integers(0, 256, (n_blocks, gguf.GGML_QUANT_SIZES[type_of(name)][1]), dtype=np.uint8)

    def set_scales(scale: float):
        for at, factor in zip(offsets, (1, minimum)):
            scales = np.linspace(0.8, 1.2, n_blocks) * scale * factor
            blocks[:, at : at + 2] = scales.astype(np.float16).reshape(-1, 1).view(np.uint8)

    set_scales(1)
    set_scales(std / float(values(name, blocks).std()))
    return blocks


def values(name: str, blocks: np.ndarray) -> np.ndarray:
    """What blocks mean, F32, in the shape of their bytes but for the last dimension."""
    return gguf.dequantize(blocks, type_of(name))


def stored(x: np.ndarray, name: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """`x` [rows, n] as the file has it, and what a reader sees: of types that nobody makes here, other numbers."""
    if name not in RANDOM_BLOCKS:
        data = gguf.quantize(x, type_of(name))
        return data, gguf.dequantize(data, type_of(name))
    block = gguf.GGML_QUANT_SIZES[type_of(name)][0]
    data = random_blocks(name, x.size // block, float(x.std()), rng).reshape(len(x), -1)
    return data, values(name, data).astype(np.float16).astype(np.float32)


def write(path: Path, config: dict, tokens: list[str], n_control: int, merges: list[str],
          weights: dict[str, np.ndarray], types: dict[str, str], rng: np.random.Generator,
          tensors_per_file: int = 0) -> dict[str, np.ndarray]:
    """Weights have Hugging Face's names, and its shapes but for Conv1D's, which are [out, in] here. A matrix is stored
    in the first of `types` whose key its name contains. The last `n_control` tokens are special, the rest of the
    vocabulary is padding. Returns the weights as a reader of the file sees them."""
    arch = {"gptj": gguf.MODEL_ARCH.GPTJ, "gpt2": gguf.MODEL_ARCH.GPT2}[config["model_type"]]
    out = gguf.GGUFWriter(path, gguf.MODEL_ARCH_NAMES[arch], split_max_tensors=tensors_per_file)
    out.add_context_length(config["n_positions"])
    out.add_embedding_length(config["n_embd"])
    out.add_block_count(config["n_layer"])
    out.add_feed_forward_length(config["n_inner"] or 4 * config["n_embd"])
    out.add_head_count(config["n_head"])
    out.add_layer_norm_eps(config.get("layer_norm_epsilon", 1e-5))
    if "rotary_dim" in config:
        out.add_rope_dimension_count(config["rotary_dim"])

    n_padding = config["vocab_size"] - len(tokens)
    kinds = [gguf.TokenType.NORMAL] * (len(tokens) - n_control) + [gguf.TokenType.CONTROL] * n_control
    out.add_tokenizer_model("gpt2")
    out.add_tokenizer_pre("gpt-2")
    out.add_token_list(tokens + [f"[PAD{len(tokens) + i}]" for i in range(n_padding)])
    out.add_token_types(kinds + [gguf.TokenType.UNUSED] * n_padding)
    out.add_token_merges(merges)
    out.add_bos_token_id(len(tokens) - 1)
    out.add_eos_token_id(len(tokens) - 1)

    names = gguf.get_tensor_name_map(arch, config["n_layer"])
    read = {}
    for name, x in weights.items():
        is_matrix = x.ndim == 2 and "wpe" not in name
        kind = next(kind for part, kind in types.items() if part in name) if is_matrix else "f32"
        data, read[name] = stored(np.ascontiguousarray(x), kind, rng)
        out.add_tensor(names.get_name(name, try_suffixes=(".weight", ".bias")), data, raw_dtype=type_of(kind))
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()
    return read
