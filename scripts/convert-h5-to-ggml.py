#!/usr/bin/env python3
"""The script of ggml's GPT-J example, for those who follow its instructions: gpt-j itself converts now.

convert-h5-to-ggml.py DIR [0|1]: a Hugging Face directory to a ggml file in it. 0: ggml-model-f32.bin, 1: ggml-model-f16.bin,
neither: ggml-model.bin with F16.
"""

import os
import shutil
import sys

NAMES = {None: ("f16", "ggml-model.bin"), "0": ("f32", "ggml-model-f32.bin"), "1": ("f16", "ggml-model-f16.bin")}


def program():
    built = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "build", "bin", "gpt-j")
    return built if os.access(built, os.X_OK) else shutil.which("gpt-j")


def main():
    directory = sys.argv[1] if len(sys.argv) > 1 else None
    choice = sys.argv[2] if len(sys.argv) > 2 else None
    if directory in (None, "-h", "--help") or choice not in NAMES or len(sys.argv) > 3:
        sys.exit(__doc__)
    gptj = program()
    if gptj is None:
        sys.exit("convert-h5-to-ggml.py: expected gpt-j in build/bin or on the PATH, found neither: build it first")
    type_, name = NAMES[choice]
    out = os.path.join(directory, name)
    os.execv(gptj, [gptj, "convert", directory, out, "--to", "ggml", "--type", type_])


if __name__ == "__main__":
    main()
