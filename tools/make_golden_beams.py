#!/usr/bin/env python3
"""Makes tests/data/beams.json: what transformers finds with beam search on the tiny random models and the demo models.

A case whose texts depend on the last bits of the logits is left out. A developer's tool: see tools/README.md.
"""

import json
import os
from collections import Counter
from itertools import product
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import transformers

ROOT = Path(__file__).resolve().parent.parent
MODELS = {
    "tests/data/golden/gptj-f32": [[1, 2, 3], [200, 17, 99, 45, 3, 250]],
    "tests/data/golden/gpt2-f32": [[1, 2, 3], [200, 17, 99, 45, 3, 250]],
    "models/demo/gpt-j": ["int main(", "/* Returns the number of"],
    "models/demo/gpt-2": ["for (int i = 0;", "The quick brown"],
}
N_BEAMS = [2, 3, 4, 5]
PENALTIES = [-1.0, 0.0, 1.0, 2.0]
EARLY = [False, True, "never"]
N_PREDICT = 14
NOISE = 1e-5  # of a log probability; ours differ by less


class Noise(transformers.LogitsProcessor):
    def __init__(self, seed: int):
        self.random = torch.Generator().manual_seed(seed)

    def __call__(self, input_ids, scores):
        return scores + NOISE * torch.randn(scores.shape, generator=self.random)


def search(model, ids: list[int], case: dict, noise: int = 0) -> dict:
    with torch.no_grad():
        out = model.generate(
            torch.tensor([ids]),
            attention_mask=torch.ones(1, len(ids), dtype=torch.long),
            num_beams=case["n_beams"],
            num_return_sequences=case["n_beams"],
            do_sample=False,
            length_penalty=case["length_penalty"],
            early_stopping=case["early_stopping"],
            max_new_tokens=N_PREDICT,
            eos_token_id=case["end_token"],
            pad_token_id=0,
            output_scores=True,
            return_dict_in_generate=True,
            logits_processor=[Noise(noise)] if noise else [],
        )
    n_generated = (out.beam_indices >= 0).sum(dim=1)
    texts = [text[len(ids) :][:n].tolist() for text, n in zip(out.sequences, n_generated)]
    return {"texts": texts, "scores": [round(x, 5) for x in out.sequences_scores.tolist()]}


def usual_token(texts: list[list[int]]) -> int:
    """One that ends some texts early and others not: it stands in many of them, but seldom at their beginning."""
    return Counter(id for text in texts for id in set(text[3:])).most_common(1)[0][0]


def cases_of(name: str, prompts: list) -> list[dict]:
    model = transformers.AutoModelForCausalLM.from_pretrained(
        ROOT / name, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    cases = []
    for prompt in prompts:
        ids = prompt
        if isinstance(prompt, str):
            ids = transformers.AutoTokenizer.from_pretrained(ROOT / name)(prompt)["input_ids"]
        free = {"n_beams": 5, "length_penalty": 1.0, "early_stopping": False, "end_token": None}
        end = usual_token(search(model, ids, free)["texts"])
        for i, (n, penalty) in enumerate(product(N_BEAMS, PENALTIES)):
            case = {"n_beams": n, "length_penalty": penalty, "early_stopping": EARLY[(i + i // 4) % 3], "end_token": end}
            found = search(model, ids, case)
            if all(search(model, ids, case, noise)["texts"] == found["texts"] for noise in (1, 2, 3)):
                cases.append({"model": name, "ids": ids, "n_predict": N_PREDICT, **case, **found})
    n_early = sum(any(len(t) < N_PREDICT for t in c["texts"]) for c in cases)
    print(f"{name}: {len(cases)} cases, {n_early} with texts that end early")
    return cases


def main():
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    cases = [case for name, prompts in MODELS.items() for case in cases_of(name, prompts)]
    text = ",\n".join(json.dumps(case) for case in cases)
    (ROOT / "tests/data/beams.json").write_text(f"[\n{text}\n]\n")


main()
