#!/usr/bin/env python3
"""Makes tests/data/research/expected.json: what transformers finds of tiny and demo models, for tests of score, embed and
logits --dump.

Scores go by lm-evaluation-harness' rules (TemplateLM._encode_pair, HFLM._loglikelihood_tokens), written here once more: white
space at a context's end belongs to the continuation, the continuation is what follows the context's tokens in those of
both, an empty context is the end of text, and of what is too long the last n_positions + 1 tokens count.
"""

import json
import os
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"  # before transformers is imported: nothing is ever looked up

import torch
import transformers

REPO = Path(__file__).resolve().parent.parent
DATA = REPO / "tests" / "data"
DEMO = REPO / "models" / "demo"
MODELS = {
    "gpt-j": DEMO / "gpt-j",
    "gpt-2": DEMO / "gpt-2",
    "gptj-f32": DATA / "golden" / "gptj-f32",
    "gpt2-f32": DATA / "golden" / "gpt2-f32",
    "codegen-f32": DATA / "golden" / "codegen-f32",
}
TEXT = "int n;\n\treturn 0;\n"
LONG = "".join(f"x{i} = {i * i};\n" for i in range(200))
PAIRS = [
    ("for (int i = 0; i < n; ", "++i) {"),
    ("for (int i = 0; i < n; ", "i++) {"),
    ("for (int i = 0; i < n; ", "n)"),
    ("for (int i = 0; i < n;", " i++) {"),
    ("", "#include"),
    (" \n", "return"),
    ("if (x) {\n\t", "return"),
    ("Gr\u00fc\u00dfe\u3000\u00a0\x1c", "\u4e16\u754c"),
    ("ret", "urn 0;"),  # tokens across the seam
    (LONG, "\nint"),
    (LONG, "\nint y;"),
]
LAYER = 1
IDS = [3, 100, 41, 7, 250]


def encode(tokenizer, text):
    return tokenizer(text)["input_ids"]


@torch.inference_mode()
def logits_of(model, ids):
    return model(torch.tensor([ids])).logits[0].double()


def score(tokenizer, model, context, continuation):
    stripped = context.rstrip()
    whole = encode(tokenizer, context + continuation)
    before = encode(tokenizer, stripped) if stripped else []
    after = whole[len(before) :]
    before = before or [tokenizer.eos_token_id]
    tokens = (before + after)[-(model.config.n_positions + 1) :]
    log_p = torch.log_softmax(logits_of(model, tokens[:-1]), dim=-1)[-len(after) :]
    return {
        "context": context,
        "continuation": continuation,
        "log_likelihood": sum(log_p[i, id].item() for i, id in enumerate(after)),
        "is_greedy": log_p.argmax(dim=-1).tolist() == after,
        "n_tokens": len(after),
        "n_cut": len(before) + len(after) - len(tokens),
    }


@torch.inference_mode()
def embeddings(tokenizer, model):
    hidden = model.transformer(torch.tensor([encode(tokenizer, TEXT)])).last_hidden_state[0].double()
    rounded = lambda row: [float(f"{x:.8g}") for x in row.tolist()]
    return {"text": TEXT, "mean": rounded(hidden.mean(0)), "last": rounded(hidden[-1])}


@torch.inference_mode()
def intermediates(model):
    """Of one layer, by hooks on the modules: their outputs, and what enters the output projection of attention."""
    seen = {}
    layer = model.transformer.h[LAYER]

    def keep(name, tensor):
        seen[f"h.{LAYER}.{name}"] = [float(f"{x:.8g}") for x in tensor.flatten().tolist()]

    for name, module in layer.named_modules():
        if name in ("attn.q_proj", "attn.k_proj", "attn.v_proj", "attn.c_attn", "ln_2", "mlp.act"):
            module.register_forward_hook(lambda _m, _i, output, name=name: keep(name, output))
        if name in ("attn.out_proj", "attn.c_proj"):
            module.register_forward_pre_hook(lambda _m, inputs, name=name: keep(f"{name}.input", inputs[0]))
    logits_of(model, IDS)
    return {"ids": IDS, "values": seen}


def measure(name: str, path: Path) -> dict:
    tokenizer = transformers.AutoTokenizer.from_pretrained(path, local_files_only=True)
    model = transformers.AutoModelForCausalLM.from_pretrained(
        path, dtype=torch.float32, attn_implementation="eager", local_files_only=True
    ).eval()
    out = {
        "model": name,
        "scores": [score(tokenizer, model, *pair) for pair in PAIRS],
        "embeddings": embeddings(tokenizer, model),
    }
    if path.parent != DEMO:
        out["intermediates"] = intermediates(model)
    return out


def main():
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    expected = [measure(name, path) for name, path in MODELS.items()]
    directory = DATA / "research"
    directory.mkdir(exist_ok=True)
    lines = ",\n".join(json.dumps(each, ensure_ascii=True) for each in expected)
    (directory / "expected.json").write_text(f"[{lines}]\n")


if __name__ == "__main__":
    main()
