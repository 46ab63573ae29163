#!/usr/bin/env python3
"""Writes a full-size ggml-model.bin with random weights and the real GPT-2 vocabulary, to measure with.

    make_model.py --shape gptj-6b --type f16 models/gpt-j-6B/ggml-model.bin

Needs NumPy only. The text it writes is noise, but sizes, names, speed and memory are those of the real model.
"""

import argparse
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

import ggml_file
from ggml_file import Hparams

REPO = Path(__file__).resolve().parent.parent

SHAPES = {
    "gptj-6b": Hparams(n_vocab=50400, n_ctx=2048, n_embd=4096, n_head=16, n_layer=28, n_rot=64),
    "gpt2-117m": Hparams(n_vocab=50257, n_ctx=1024, n_embd=768, n_head=12, n_layer=12),
    "gpt2-345m": Hparams(n_vocab=50257, n_ctx=1024, n_embd=1024, n_head=16, n_layer=24),
    "gpt2-774m": Hparams(n_vocab=50257, n_ctx=1024, n_embd=1280, n_head=20, n_layer=36),
    "gpt2-1.5b": Hparams(n_vocab=50257, n_ctx=1024, n_embd=1600, n_head=25, n_layer=48),
    "tiny": Hparams(n_vocab=50400, n_ctx=256, n_embd=64, n_head=4, n_layer=2, n_rot=16),
}

STD = 0.02  # as GPT-2 is initialised: activations stay finite through any of these shapes

# All weights are cut from one pool of random ones: drawing 6 billion would take minutes. A prime number of
# blocks, so that rows that follow each other never repeat.
POOL_BLOCKS = 524_287


def make_pool(type_: ggml_file.Type, rng: np.random.Generator) -> memoryview:
    """Encoded random weights, made in parts: quantizing needs several times the memory of its result."""
    part = POOL_BLOCKS // 64
    parts = []
    for start in range(0, POOL_BLOCKS, part):
        shape = (min(part, POOL_BLOCKS - start), type_.n)
        parts.append(type_.quantize(STD * rng.standard_normal(shape, dtype=np.float32)))
    return memoryview(np.concatenate(parts).tobytes())


class PoolReader:
    """Hands out the pool's bytes, round and round."""

    def __init__(self, pool: memoryview):
        self.pool = pool
        self.at = 0

    def take(self, n: int):
        while n > 0:
            piece = self.pool[self.at : self.at + n]
            self.at = (self.at + len(piece)) % len(self.pool)
            n -= len(piece)
            yield piece


def write(f, h: Hparams, type_: ggml_file.Type, vocab: list[bytes], seed: int, progress):
    rng = np.random.default_rng(seed)
    pool = PoolReader(make_pool(type_, rng))
    specs = ggml_file.tensors(h)
    f.write(ggml_file.header_bytes(h, type_, vocab))
    for done, spec in enumerate(specs):
        stored = ggml_file.stored_type(spec, type_)
        f.write(ggml_file.tensor_header(spec, stored))
        if spec.big:
            n_bytes = stored.count(spec.shape[0] * spec.shape[1]) * stored.block.itemsize
            for piece in pool.take(n_bytes):
                f.write(piece)
        else:
            is_gain = spec.name.endswith(("/g", "ln_1.weight", "ln_f.weight"))
            values = is_gain + STD * rng.standard_normal(spec.shape, dtype=np.float32)
            f.write(stored.quantize(values).tobytes())
        progress(done + 1, len(specs), f.tell())


def show_progress(done: int, total: int, n_bytes: int):
    if sys.stderr.isatty():
        end = "\n" if done == total else ""
        print(f"\r{done} of {total} tensors, {n_bytes / 1e6:.0f} MB", end=end, file=sys.stderr, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", choices=SHAPES, required=True)
    parser.add_argument("--type", choices=ggml_file.TYPES, required=True)
    parser.add_argument("--layers", type=int, metavar="N", help="instead of the shape's own number")
    parser.add_argument("--seed", type=int, default=0, metavar="S")
    parser.add_argument(
        "--vocab",
        type=Path,
        metavar="DIR",
        default=REPO / "tests" / "data" / "tokenizer" / "gpt2",
        help="directory with GPT-2's vocab.json (default: %(default)s)",
    )
    parser.add_argument("out", type=Path, metavar="OUT", help="the file to write")
    options = parser.parse_args()

    h = SHAPES[options.shape]
    if options.layers is not None:
        if options.layers < 1:
            parser.error(f"--layers: expected 1 or more, not {options.layers}")
        h = replace(h, n_layer=options.layers)
    vocab_json = options.vocab / "vocab.json"
    if not vocab_json.is_file():
        parser.error(f"no vocabulary at {vocab_json}: name its directory with --vocab")
    vocab = ggml_file.pad_vocab(ggml_file.read_vocab_json(vocab_json), h.n_vocab)

    options.out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = options.out.with_name(options.out.name + ".part")
    start = time.monotonic()
    try:
        with open(unfinished, "wb") as f:
            write(f, h, ggml_file.TYPES[options.type], vocab, options.seed, show_progress)
        os.replace(unfinished, options.out)
    finally:
        unfinished.unlink(missing_ok=True)
    print(f"{options.out}: {options.out.stat().st_size} bytes in {time.monotonic() - start:.1f} s")


if __name__ == "__main__":
    main()
