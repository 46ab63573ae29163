#!/usr/bin/env python3
"""Makes tests/data/encodings/<type>.bin: blocks of ggml's k-types and IQ4 types, and what they mean.

    make_golden_encodings.py [--out DIR]

Each file has three blocks of random bits, whose scales are small, and then their values as F16, rounded from
those that the gguf package gives. A developer's tool: tests need only what it has written.
"""

import argparse
import zlib
from pathlib import Path

import numpy as np

import gguf_file

REPO = Path(__file__).resolve().parent.parent


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=REPO / "tests" / "data" / "encodings")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    for name in gguf_file.RANDOM_BLOCKS:
        blocks = gguf_file.random_blocks(name, 3, 0.1, np.random.default_rng(zlib.crc32(name.encode())))
        halves = gguf_file.values(name, blocks).astype(np.float16)
        (out / f"{name}.bin").write_bytes(blocks.tobytes() + halves.tobytes())


if __name__ == "__main__":
    main()
