#!/usr/bin/env python3
"""Makes the goldens in tests/data/golden/: tiny random models and what transformers computes of them.

    make_golden.py [--out DIR] [NAME ...]

A developer's tool: building and testing the project need only what it has written. tools/README.md has the
versions it was last run with, and the form of the goldens. Weights are seeded by the golden's name and the
oracle runs on one thread, so that the same versions on the same kind of CPU give the same bytes again.

No golden is written unless
- the float64 forward pass of reference.py agrees with transformers about every intermediate, and
- the golden can fail: zeroing any one tensor, or ignoring any one key of its config, visibly changes the
  logits.
"""

import argparse
import json
import os
import shutil
import tempfile
import zlib
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"  # before transformers is imported: nothing is ever looked up

import huggingface_hub
import numpy as np
import safetensors.numpy
import safetensors.torch
import torch
import transformers

import ggml_file
import gguf_file
import reference

REPO = Path(__file__).resolve().parent.parent
AGREEMENT = 1e-5  # transformers in F32 against reference.py in float64, relative to the largest value
VISIBLE = 4e-3  # least effect of a mistake, relative to the largest logit: 4 x the tests' widest tolerance

MERGES = ["Ġ t", "h e", "i n", "Ġt he", "r e", "o n", "Ġ a", "in t", "Ġ Ġ", "ĠĠ ĠĠ", "( )", "e r"]
END_OF_TEXT = "<|endoftext|>"

MASK_DTYPES = {"bool": torch.bool, "u8": torch.uint8, "f32": torch.float32}
DTYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}

# What a config means without the key; ignoring a key that says otherwise must show in the logits.
DEFAULTS = {
    "layer_norm_epsilon": 1e-5,
    "activation_function": "gelu_new",
    "scale_attn_weights": True,
    "scale_attn_by_inverse_layer_idx": False,
}


@dataclass
class Golden:
    name: str
    config: dict
    dtype: str = "f16"  # of all weights in a Hugging Face directory, of the big ones in a ggml file
    n_merges: int = len(MERGES)
    n_tokens: int = 10
    wte_std: float = 0.3
    fc_bias_mean: float = 0.0
    scale: dict[str, float] = field(default_factory=dict)  # factors, by the ends of tensors' names
    left_out: list[str] = field(default_factory=list)  # tensors that the file does not have
    own_head: bool = False  # a GPT-2 with a head of its own
    tied_twice: bool = False  # a tied head that the file has all the same
    prefix: str = "transformer."
    buffers: str | None = None  # dtype of the masks that old files carry
    ggml: bool = False
    form: ggml_file.Form = ggml_file.Form()  # of a ggml file
    gguf: dict[str, str] | None = None  # types of matrices in a GGUF file, by parts of their names
    tensors_per_file: int = 0  # of a GGUF file in parts
    weights: str = "safetensors"  # how a Hugging Face directory keeps them: a key of WEIGHTS
    views: bool = False  # tensors that look into shared, wider and transposed storages

    @property
    def is_codegen(self) -> bool:
        return self.config["model_type"] == "codegen"

    @property
    def is_gptj(self) -> bool:
        """In all but the form of its queries, keys and values."""
        return self.config["model_type"] == "gptj" or self.is_codegen


def gptj(**changes) -> dict:
    return {
        "model_type": "gptj",
        "architectures": ["GPTJForCausalLM"],
        "vocab_size": 272,  # 269 tokens and three rows of padding
        "n_positions": 64,
        "n_embd": 32,
        "n_head": 2,
        "n_layer": 2,
        "n_inner": None,
        "rotary_dim": 8,
        "tie_word_embeddings": False,
    } | changes


def gpt2(**changes) -> dict:
    return {
        "model_type": "gpt2",
        "architectures": ["GPT2LMHeadModel"],
        "vocab_size": 269,
        "n_positions": 32,
        "n_embd": 32,
        "n_head": 4,
        "n_layer": 2,
        "n_inner": None,
        "tie_word_embeddings": True,
    } | changes


def codegen(**changes) -> dict:
    config = gptj(model_type="codegen", architectures=["CodeGenForCausalLM"], n_head=8, rotary_dim=2)
    return config | {"n_ctx": 64} | changes  # which its configs repeat


def goldens() -> list[Golden]:
    """Sizes are as small as they can be, since all of this is committed."""
    narrow = {"n_embd": 16, "n_inner": 24}  # heads of 8 (GPT-J) and 4 (GPT-2)
    listed = [
        Golden("gptj-f32", gptj(n_embd=24, n_inner=40), "f32", n_tokens=24),
        Golden("gptj-f16", gptj(n_inner=40)),
        Golden("gptj-bf16", gptj(n_embd=24, n_inner=40), "bf16"),
        Golden("gptj-rotary-full", gptj(n_embd=16, rotary_dim=8)),
        Golden(
            "gptj-tied",
            gptj(**narrow, rotary_dim=4, tie_word_embeddings=True),
            left_out=["lm_head.weight"],
        ),
        Golden("gptj-no-lm-head-bias", gptj(**narrow, rotary_dim=6), left_out=["lm_head.bias"]),
        Golden(
            "gptj-odd",
            gptj(vocab_size=301, n_positions=32, n_embd=48, n_head=3, n_inner=50, activation_function="relu",
                 layer_norm_epsilon=1e-3),
            wte_std=0.1,
            buffers="bool",
        ),
        Golden("gpt2-f32", gpt2(n_embd=24, n_inner=40), "f32", n_tokens=24),
        Golden("gpt2-f16", gpt2(n_inner=40)),
        # The config says tied and the file has another head: transformers believes the file.
        Golden("gpt2-untied", gpt2(**narrow), own_head=True),
        Golden(
            "gpt2-gelu",
            # The two GELUs differ most near -2.3: put nearly every value there, and make the result count.
            gpt2(n_embd=16, n_inner=100, activation_function="gelu", layer_norm_epsilon=1e-3),
            wte_std=0.1,
            fc_bias_mean=-2.3,
            scale={"mlp.c_fc.weight": 0.3, "mlp.c_proj.weight": 10},
        ),
        Golden("gpt2-scale", gpt2(**narrow, scale_attn_by_inverse_layer_idx=True)),
        Golden("gpt2-no-scale", gpt2(n_embd=16, scale_attn_weights=False)),
        Golden("gpt2-prefixless", gpt2(**narrow, n_positions=16), prefix="", buffers="f32"),
        Golden(
            "gpt2-odd",
            gpt2(vocab_size=259, n_embd=40, n_head=5, n_inner=50, tie_word_embeddings=False),
            n_merges=2,
            own_head=True,
        ),
    ]
    every_type = {"wte": "q8_0", "lm_head": "iq4_nl", "attn.q": "q4_0", "attn.k": "q4_1", "attn.v": "q5_0",
                  "attn.out": "q5_1", "c_attn": "iq4_nl", "attn.c_proj": "bf16", "fc_in": "f16", "c_fc": "q4_1"}
    for i, k_type in enumerate(("q2_K", "q3_K", "q4_K", "q5_K", "q6_K", "iq4_xs")):
        every_type |= {f"h.{i}.mlp.fc_out": k_type, f"h.{i}.mlp.c_proj": k_type}  # rows of 256
    deep = {"n_inner": 256, "n_layer": 6}
    listed += [
        Golden("gptj-gguf", gptj(**narrow, rotary_dim=4, layer_norm_epsilon=1e-3), gguf={"": "f16"}),
        Golden("gpt2-gguf", gpt2(**narrow), gguf={"": "f32"}),
        Golden("gpt2-gguf-parts", gpt2(**narrow), own_head=True, gguf={"": "bf16"}, tensors_per_file=12),
        Golden("gptj-gguf-types", gptj(**deep), gguf=every_type),
        Golden("gpt2-gguf-types", gpt2(**deep), gguf=every_type),
        Golden("codegen-f32", codegen(n_embd=16, n_head=4, n_inner=40, rotary_dim=4), "f32", n_tokens=24),
        Golden("codegen-f16", codegen(n_inner=40), buffers="u8"),
        Golden("gptj-torch", gptj(**narrow, rotary_dim=4), weights="torch", buffers="bool"),
        Golden("gptj-torch-views", gptj(**narrow, rotary_dim=4), "bf16", weights="torch", views=True),
        Golden("gptj-torch-shards", gptj(**narrow, rotary_dim=4), weights="torch shards"),
        Golden("gpt2-torch-old", gpt2(**narrow), weights="old torch", prefix="", buffers="f32"),
        Golden("gpt2-torch-old-views", gpt2(**narrow), weights="old torch", views=True, tied_twice=True),
        Golden("gpt2-safetensors-shards", gpt2(**narrow), weights="safetensors shards"),
    ]
    for type_ in ggml_file.TYPES.values():
        # Blocks of 32 need rows that divide by 32; then one layer must do.
        sizes = {"n_embd": 32, "n_layer": 1} if type_.encode else {"n_embd": 16}
        suffix = type_.name if type_.encode else f"ggml-{type_.name}"  # gptj-f32 is taken
        listed.append(Golden(f"gptj-{suffix}", gptj(**sizes), type_.name, ggml=True))
        listed.append(Golden(f"gpt2-{suffix}", gpt2(**sizes), type_.name, ggml=True))
    for name, type_ in ggml_file.OLD_TYPES.items():
        family, make_config = ("gptj", gptj) if type_.version == 0 else ("gpt2", gpt2)
        listed.append(Golden(f"{family}-{name}", make_config(n_embd=32, n_layer=1), name, ggml=True))
    old = ggml_file.Form(transposed=True, replaced=True)
    listed += [
        Golden("gptj-transposed", gptj(n_embd=16), ggml=True, form=old),
        Golden("gpt2-transposed", gpt2(n_embd=16), "f32", ggml=True, form=old),
        Golden("gptj-ggjt", gptj(n_embd=32, n_layer=1), "q5_1", ggml=True, form=ggml_file.Form(ggjt=3)),
        Golden("gpt2-ggjt", gpt2(n_embd=32, n_layer=1), "f16", ggml=True, form=ggml_file.Form(ggjt=1)),
    ]
    return listed


# --- the models ---------------------------------------------------------------------------------------------


def random_weights(golden: Golden, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """All the tensors of a state_dict, scaled so that softmax, norms and biases all do visible work."""
    config = golden.config
    e, n_vocab = config["n_embd"], config["vocab_size"]
    inner = config["n_inner"] or 4 * e
    weights = {}

    def normal(name, shape, std, mean=0.0):
        weights[name] = (mean + std * rng.standard_normal(shape)).astype(np.float32)

    def norm(name):
        normal(f"{name}.weight", (e,), 0.2, mean=1.0)
        normal(f"{name}.bias", (e,), 0.2)

    def linear(name, n_in, n_out, bias=True, bias_mean=0.0):
        shape = (n_out, n_in) if golden.is_gptj else (n_in, n_out)
        normal(f"{name}.weight", shape, 1.2 / n_in**0.5)
        if bias:
            normal(f"{name}.bias", (n_out,), 0.3, bias_mean)

    normal("transformer.wte.weight", (n_vocab, e), golden.wte_std)
    if not golden.is_gptj:
        normal("transformer.wpe.weight", (config["n_positions"], e), golden.wte_std)
    for i in range(config["n_layer"]):
        h = f"transformer.h.{i}"
        norm(f"{h}.ln_1")
        if golden.is_gptj:
            if golden.is_codegen:
                linear(f"{h}.attn.qkv_proj", e, 3 * e, bias=False)
            for name in "" if golden.is_codegen else "qkv":
                linear(f"{h}.attn.{name}_proj", e, e, bias=False)
            linear(f"{h}.attn.out_proj", e, e, bias=False)
            linear(f"{h}.mlp.fc_in", e, inner, bias_mean=golden.fc_bias_mean)
            linear(f"{h}.mlp.fc_out", inner, e)
        else:
            linear(f"{h}.attn.c_attn", e, 3 * e)
            linear(f"{h}.attn.c_proj", e, e)
            norm(f"{h}.ln_2")
            linear(f"{h}.mlp.c_fc", e, inner, bias_mean=golden.fc_bias_mean)
            linear(f"{h}.mlp.c_proj", inner, e)
    norm("transformer.ln_f")
    if golden.is_gptj or golden.own_head:
        normal("lm_head.weight", (n_vocab, e), 1.2 / e**0.5)
    if golden.is_gptj:
        normal("lm_head.bias", (n_vocab,), 0.3)
    for end, factor in golden.scale.items():
        for name in weights:
            if name.endswith(end):
                weights[name] *= np.float32(factor)
    return {name: x for name, x in weights.items() if name not in golden.left_out}


def vocabulary(n_merges: int) -> list[str]:
    """Tokens in the order of their ids, as vocab.json spells them: 256 bytes, the merges, the end of text."""
    merged = [merge.replace(" ", "") for merge in MERGES[:n_merges]]
    return [*ggml_file.byte_to_char().values(), *merged, END_OF_TEXT]


def mask_buffers(golden: Golden) -> dict[str, torch.Tensor]:
    """The causal masks that older versions of transformers saved beside the weights."""
    n = golden.config["n_positions"]
    mask = torch.tril(torch.ones(n, n, dtype=torch.bool)).view(1, 1, n, n)
    buffers = {}
    for i in range(golden.config["n_layer"] if golden.buffers else 0):
        h = f"{golden.prefix}h.{i}.attn"
        name = "causal_mask" if golden.is_codegen else "bias"
        buffers[f"{h}.{name}"] = mask.to(MASK_DTYPES[golden.buffers]).clone()
        buffers[f"{h}.masked_bias"] = torch.tensor(-1e9)
    return buffers


def as_views(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The same numbers: vectors one after the other in one storage, matrices alternately transposed, every other
    row and column of a larger one, and as they are."""
    vectors = torch.cat([x for x in tensors.values() if x.dim() == 1])
    views, begin = {}, 0
    for i, (name, x) in enumerate(tensors.items()):
        if x.dim() == 1:
            views[name] = vectors[begin : begin + len(x)]
            begin += len(x)
        elif i % 3 == 0:
            views[name] = x.t().contiguous().t()
        elif i % 3 == 1:
            larger = torch.zeros(2 * x.shape[0], 2 * x.shape[1], dtype=x.dtype)
            views[name] = larger[1::2, ::2]
            views[name].copy_(x)
        else:
            views[name] = x
    return views


def save_safetensors(tensors: dict[str, torch.Tensor], directory: Path):
    safetensors.torch.save_file(tensors, directory / "model.safetensors", metadata={"format": "pt"})


def save_torch(tensors: dict[str, torch.Tensor], directory: Path):
    torch.save(OrderedDict(tensors), directory / "pytorch_model.bin")


def save_old_torch(tensors: dict[str, torch.Tensor], directory: Path):
    """Names its storages by their address: no two runs give the same bytes."""
    path = directory / "pytorch_model.bin"
    torch.save(OrderedDict(tensors), path, _use_new_zipfile_serialization=False)


def save_torch_shards(tensors: dict[str, torch.Tensor], directory: Path):
    huggingface_hub.save_torch_state_dict(
        tensors, directory, filename_pattern="pytorch_model{suffix}.bin", max_shard_size=SHARD, safe_serialization=False
    )


def save_safetensors_shards(tensors: dict[str, torch.Tensor], directory: Path):
    """By transformers, which writes a config.json of its own."""
    save_safetensors(tensors, directory)
    model = transformers.AutoModelForCausalLM.from_pretrained(directory, dtype="auto", local_files_only=True)
    (directory / "model.safetensors").unlink()
    model.save_pretrained(directory, max_shard_size=SHARD)


SHARD = 12_000  # bytes
WEIGHTS = {
    "safetensors": save_safetensors,
    "safetensors shards": save_safetensors_shards,
    "torch": save_torch,
    "torch shards": save_torch_shards,
    "old torch": save_old_torch,
}


def write_hf(golden: Golden, directory: Path, weights: dict[str, torch.Tensor]):
    ids = {token: i for i, token in enumerate(vocabulary(golden.n_merges))}
    config = golden.config | {"bos_token_id": ids[END_OF_TEXT], "eos_token_id": ids[END_OF_TEXT]}
    (directory / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    (directory / "vocab.json").write_text(json.dumps(ids, ensure_ascii=False) + "\n", encoding="utf-8")
    merges = ["#version: 0.2", *MERGES[: golden.n_merges]]
    (directory / "merges.txt").write_text("\n".join(merges) + "\n", encoding="utf-8")
    named = {name.replace("transformer.", golden.prefix, 1): x for name, x in weights.items()}
    tensors = as_views(named) if golden.views else named
    if golden.tied_twice:
        tensors["lm_head.weight"] = tensors["transformer.wte.weight"]
    WEIGHTS[golden.weights](tensors | mask_buffers(golden), directory)


def write_ggml(golden: Golden, path: Path, weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Returns the weights as a reader of the file sees them, under Hugging Face's names and in its shapes."""
    c = golden.config
    sizes = (c[key] for key in ("vocab_size", "n_positions", "n_embd", "n_head", "n_layer"))
    h = ggml_file.Hparams(*sizes, c.get("rotary_dim"))
    chars = {char: byte for byte, char in ggml_file.byte_to_char().items()}
    tokens = [bytes(chars[char] for char in token) for token in vocabulary(golden.n_merges)]
    type_ = (ggml_file.TYPES | ggml_file.OLD_TYPES)[golden.dtype]
    with open(path, "wb") as f:
        ggml_file.write(
            f, h, type_, ggml_file.pad_vocab(tokens, h.n_vocab),
            lambda spec: weights[spec.hf_name].T if spec.conv1d else weights[spec.hf_name],
            golden.form,
        )
    specs = {spec.name: spec for spec in ggml_file.tensors(h)}
    with open(path, "rb") as f:
        tensors = ggml_file.read_tensors(f, h, [ggml_file.F32, type_], golden.form)
        read = {specs[name]: values for name, _, values in tensors}
    return {spec.hf_name: values.T if spec.conv1d else values for spec, values in read.items()}


def write_gguf(golden: Golden, path: Path, weights: dict[str, np.ndarray],
               rng: np.random.Generator) -> dict[str, np.ndarray]:
    """As write_ggml()."""

    def turned(tensors):
        conv1d = (".c_attn.weight", ".c_proj.weight", ".c_fc.weight")
        return {name: x.T if name.endswith(conv1d) else x for name, x in tensors.items()}

    tokens = vocabulary(golden.n_merges)
    return turned(gguf_file.write(path, golden.config, tokens, 1, MERGES[: golden.n_merges], turned(weights),
                                  golden.gguf, rng, golden.tensors_per_file))


# --- the oracle ---------------------------------------------------------------------------------------------


def load(directory: Path) -> transformers.PreTrainedModel:
    model = transformers.AutoModelForCausalLM.from_pretrained(
        directory, dtype=torch.float32, attn_implementation="eager", local_files_only=True
    )
    return model.eval()


@torch.inference_mode()
def oracle(model: transformers.PreTrainedModel, ids: np.ndarray) -> dict[str, np.ndarray]:
    """The logits [n_tokens, n_vocab] and all intermediates [n_tokens, n_embd], by hooks on the modules."""
    seen = {}

    def keep(name):
        def hook(_module, _inputs, output):
            tensor = output[0] if isinstance(output, tuple) else output
            seen[name] = tensor.reshape(len(ids), -1).numpy()

        return hook

    def keep_input(_module, inputs):
        seen["embed"] = inputs[0][0].numpy()

    body = model.transformer
    handles = [body.h[0].register_forward_pre_hook(keep_input), body.ln_f.register_forward_hook(keep("ln_f"))]
    for i, layer in enumerate(body.h):
        handles.append(layer.register_forward_hook(keep(f"h.{i}")))
        for name in ("ln_1", "attn", "ln_2", "mlp"):
            if hasattr(layer, name):
                handles.append(getattr(layer, name).register_forward_hook(keep(f"h.{i}.{name}")))
    logits = model(torch.from_numpy(ids.astype(np.int64))[None]).logits[0].numpy()
    for handle in handles:
        handle.remove()
    return seen | {"logits": logits}


def difference(a: np.ndarray, b: np.ndarray) -> float:
    """Largest, relative to the largest value of b."""
    return float(np.abs(a - b).max() / np.abs(b).max())


def check_agreement(name: str, ours: dict[str, np.ndarray], theirs: dict[str, np.ndarray]) -> float:
    assert ours.keys() == theirs.keys(), f"{name}: {ours.keys() ^ theirs.keys()}"
    errors = {key: difference(theirs[key], ours[key]) for key in ours}
    worst = max(errors, key=errors.get)
    error = errors[worst]
    assert error < AGREEMENT, f"{name}: transformers and reference.py differ in {worst}: {error:.1e}"
    return error


def check_can_fail(golden: Golden, weights: dict[str, np.ndarray], ids: np.ndarray) -> float:
    """Returns the effect of the mistake that shows least, relative to the largest logit."""
    right = reference.forward(golden.config, weights, ids)["logits"]
    mistakes = {}
    for name, x in weights.items():
        mistakes[name] = golden.config, weights | {name: np.zeros_like(x)}
    for key, default in DEFAULTS.items():
        if golden.config.get(key, default) != default:
            mistakes[key] = golden.config | {key: default}, weights
    if golden.is_gptj:
        fewer = golden.config["rotary_dim"] - 2
        mistakes["rotary_dim"] = golden.config | {"rotary_dim": fewer}, weights
    if golden.own_head:
        mistakes["own head"] = golden.config, {k: v for k, v in weights.items() if k != "lm_head.weight"}
    effects = {
        what: difference(reference.forward(config, w, ids)["logits"], right)
        for what, (config, w) in mistakes.items()
    }
    least = min(effects, key=effects.get)
    effect = effects[least]
    assert effect > VISIBLE, f"{golden.name}: {least} shows only as {effect:.1e} in the logits"
    return effect


# --- the goldens --------------------------------------------------------------------------------------------


def make(golden: Golden, directory: Path):
    rng = np.random.default_rng(zlib.crc32(golden.name.encode()))
    weights = random_weights(golden, rng)
    ids = rng.integers(0, len(vocabulary(golden.n_merges)), golden.n_tokens).astype(np.int32)

    in_one_file = golden.ggml or golden.gguf is not None
    if in_one_file:
        if golden.ggml:
            weights = write_ggml(golden, directory / "ggml-model.bin", weights)
        else:
            weights = write_gguf(golden, directory / "model.gguf", weights, rng)
        with tempfile.TemporaryDirectory() as scratch:
            write_hf(golden, Path(scratch), {k: torch.from_numpy(x.copy()) for k, x in weights.items()})
            expected = oracle(load(Path(scratch)), ids)
    else:
        stored = {name: torch.from_numpy(x).to(DTYPES[golden.dtype]) for name, x in weights.items()}
        write_hf(golden, directory, stored)
        weights = {name: x.float().numpy() for name, x in stored.items()}
        expected = oracle(load(directory), ids)

    error = check_agreement(golden.name, reference.forward(golden.config, weights, ids), expected)
    effect = check_can_fail(golden, weights, ids)
    if in_one_file or golden.weights != "safetensors":  # the layers are those of the other goldens: only the file's form is new
        expected = {"logits": expected["logits"]}
    safetensors.numpy.save_file(expected | {"ids": ids}, directory / "expected.safetensors")
    print(f"{golden.name}: agrees to {error:.1e}, any mistake shows as {effect:.1e} or more")


DEMO_PROMPT = "int main(int argc, char ** argv) {\n"
DEMO_POSITIONS = 2
DEMO_GREEDY = 32


def make_demo(name: str, directory: Path):
    """Of a model in models/demo: the prompt's ids, the logits of its last positions, and greedy text."""
    source = REPO / "models" / "demo" / name
    tokenizer = transformers.AutoTokenizer.from_pretrained(source, local_files_only=True)
    model = load(source)
    ids = np.array(tokenizer(DEMO_PROMPT)["input_ids"], np.int32)
    first = oracle(model, ids)

    text, margins = ids, []
    for _ in range(DEMO_GREEDY):
        logits = oracle(model, text)["logits"][-1]
        second, best = np.sort(logits)[-2:]
        margins.append(best - second)
        text = np.append(text, np.int32(logits.argmax()))

    config = json.loads((source / "config.json").read_text())
    weights = safetensors.numpy.load_file(source / "model.safetensors")
    error = check_agreement(name, reference.forward(config, weights, ids), first)
    expected = {"ids": ids, "logits": first["logits"][-DEMO_POSITIONS:], "greedy": text[len(ids) :]}
    path = directory / "expected.safetensors"
    safetensors.numpy.save_file(expected, path, metadata={"prompt": DEMO_PROMPT})
    print(f"demo-{name}: agrees to {error:.1e}, the closest greedy choice has a margin of {min(margins):.3f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=REPO / "tests" / "data" / "golden")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these goldens")
    options = parser.parse_args()

    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    jobs = {g.name: lambda path, g=g: make(g, path) for g in goldens()}
    jobs |= {f"demo-{name}": lambda path, name=name: make_demo(name, path) for name in ("gpt-j", "gpt-2")}
    unknown = set(options.names) - jobs.keys()
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are: {', '.join(jobs)}")
    for name in options.names or jobs:
        with tempfile.TemporaryDirectory() as scratch:
            jobs[name](Path(scratch))
            shutil.rmtree(options.out / name, ignore_errors=True)
            (options.out / name).mkdir(parents=True)
            shutil.copytree(scratch, options.out / name, dirs_exist_ok=True, copy_function=shutil.copyfile)


if __name__ == "__main__":
    main()
