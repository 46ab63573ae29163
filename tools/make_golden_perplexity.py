#!/usr/bin/env python3
"""Makes tests/data/perplexity/expected.json: what transformers finds for text.c beside it and the demo models.

Windows as llama.cpp's perplexity tool cuts them: without overlap, a last short one dropped, each evaluated from
an empty context, its second half scored.
"""

import json
import math
import os
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"  # before transformers is imported: nothing is ever looked up

import torch
import transformers

REPO = Path(__file__).resolve().parent.parent
DATA = REPO / "tests" / "data" / "perplexity"
WINDOWS = (128, 97)


@torch.inference_mode()
def measure(name: str, window: int) -> dict:
    source = REPO / "models" / "demo" / name
    ids = transformers.AutoTokenizer.from_pretrained(source, local_files_only=True)(
        (DATA / "text.c").read_text(), return_tensors="pt"
    )["input_ids"][0]
    model = transformers.AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32, local_files_only=True)
    nll = []
    for begin in range(0, len(ids) - window + 1, window):
        tokens = ids[begin : begin + window]
        logits = model.eval()(tokens[None]).logits[0].double()
        log_p = torch.log_softmax(logits, dim=-1)
        nll += [-log_p[i, tokens[i + 1]].item() for i in range(window // 2, window - 1)]
    mean = sum(nll) / len(nll)
    variance = sum(x * x for x in nll) / len(nll) - mean * mean
    return {
        "model": name,
        "n_ctx": window,
        "n_tokens": len(ids),
        "n_windows": len(ids) // window,
        "n_scored": len(nll),
        "nll": mean,
        "perplexity": math.exp(mean),
        "error": math.exp(mean) * math.sqrt(variance / (len(nll) - 1)),
    }


def main():
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    expected = [measure(name, window) for name in ("gpt-j", "gpt-2") for window in WINDOWS]
    (DATA / "expected.json").write_text(json.dumps(expected, indent=2) + "\n")


if __name__ == "__main__":
    main()
