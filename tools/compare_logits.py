#!/usr/bin/env python3
"""What a smaller form of a model loses: the Kullback-Leibler divergence of its predictions from the original's, over
windows of a text, with the standard error of each figure.

    tools/compare_logits.py --program build/bin/gpt-j -f text.c models/demo/gpt-j q8.gptj q4.gptj

Windows of the model's context follow each other without overlap; of each the second half is scored, as `gpt-j
perplexity` does. Logits come from `gpt-j logits`, so activations are F32."""

import argparse
import json
import os
import subprocess
import tempfile

import numpy as np


def log_softmax(logits):
    top = logits.max(-1, keepdims=True)
    return logits - top - np.log(np.exp(logits - top).sum(-1, keepdims=True))


def mean_and_error(values):
    values = np.concatenate(values)
    return values.mean(), values.std(ddof=1) / np.sqrt(len(values))


class Program:
    def __init__(self, path, directory):
        self.path, self.ids, self.npy = path, directory + "/ids", directory + "/logits.npy"

    def tokenize(self, model, text):
        return json.loads(self.run("tokenize", "-q", "-m", model, "-f", text, "--json"))

    def log_probabilities(self, model, ids):
        with open(self.ids, "w") as file:
            file.write(",".join(map(str, ids)))
        self.run("logits", "-q", "-m", model, "--ids", "@" + self.ids, "-o", self.npy)
        return log_softmax(np.load(self.npy)[len(ids) // 2 : -1].astype(np.float64))

    def run(self, *args):
        return subprocess.run([self.path, *args], check=True, stdout=subprocess.PIPE, text=True).stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/bin/gpt-j")
    parser.add_argument("-f", "--file", required=True, help="the text")
    parser.add_argument("-c", "--ctx", type=int, default=512, help="tokens of a window")
    parser.add_argument("-n", "--windows", type=int, default=40, help="at most this many, spread over the text")
    parser.add_argument("original")
    parser.add_argument("models", nargs="+")
    args = parser.parse_args()

    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as directory:
        program = Program(args.program, directory)
        ids = program.tokenize(args.original, args.file)
        starts = range(0, len(ids) - args.ctx + 1, args.ctx)
        n = min(len(starts), args.windows)
        starts = [starts[i * len(starts) // n] for i in range(n)]
        divergence = {model: [] for model in args.models}
        agree = {model: [] for model in args.models}
        for start in starts:
            window = ids[start : start + args.ctx]
            original = program.log_probabilities(args.original, window)
            for model in args.models:
                other = program.log_probabilities(model, window)
                divergence[model].append((np.exp(original) * (original - other)).sum(-1))
                agree[model].append(original.argmax(-1) == other.argmax(-1))
    print(f"{len(starts)} windows, {sum(map(len, divergence[args.models[0]]))} predictions scored")
    print(f"{'model':<24} {'KL divergence (nats)':>24} {'same choice':>12}")
    for model in args.models:
        mean, error = mean_and_error(divergence[model])
        same = np.concatenate(agree[model]).mean()
        print(f"{os.path.basename(model.rstrip('/')):<24} {mean:>12.6f} +/- {error:.6f} {100 * same:>11.1f}%")


if __name__ == "__main__":
    main()
