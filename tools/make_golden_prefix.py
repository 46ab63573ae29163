#!/usr/bin/env python3
"""Makes tests/data/prefix.json: what transformers computes of a prompt whose tokens see each other, not only those
before them (as GPT-JT reads prompts), and of tokens that follow it one by one.

A developer's tool: see tools/README.md.
"""

import json
import os
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import transformers

GOLDEN = Path(__file__).resolve().parent.parent / "tests/data/golden"
MODELS = {"gptj-f32": 9, "gpt2-f32": 9}  # and the length of the prompt
N_TOKENS = 14


def logits(name: str, n_prompt: int) -> dict:
    model = transformers.AutoModelForCausalLM.from_pretrained(
        GOLDEN / name, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    ids = [(7 * i * i + 3 * i + 1) % 256 for i in range(N_TOKENS)]
    seen = torch.tril(torch.ones(N_TOKENS, N_TOKENS, dtype=torch.bool))
    seen[:n_prompt, :n_prompt] = True
    mask = torch.where(seen, 0.0, torch.finfo(torch.float32).min)[None, None]
    with torch.no_grad():
        out = model(torch.tensor([ids]), attention_mask=mask).logits[0]
        causal = model(torch.tensor([ids])).logits[0]
    assert (out[n_prompt - 1] - causal[n_prompt - 1]).abs().max() > 0.05, "the mask makes no difference"
    rows = out[n_prompt - 1 :]
    return {"ids": ids, "n_prompt": n_prompt, "logits": [[round(x, 5) for x in row.tolist()] for row in rows]}


def main():
    torch.set_num_threads(1)
    golden = {name: logits(name, n) for name, n in MODELS.items()}
    (GOLDEN.parent / "prefix.json").write_text(json.dumps(golden) + "\n")


main()
