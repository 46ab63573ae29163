#!/usr/bin/env python3
"""Finds the levels of the format q4 (src/tensor/formats/native_blocks.h): sixteen integers from -32 to 31 that
minimise the squared error of normally distributed weights in blocks of 32, each block with the scale that suits it
best. Lloyd's iteration in real numbers, then the multiple of its levels that rounds best."""

import numpy as np

BLOCK = 32
LOW, HIGH = -32, 31


def quantize(x, levels):
    """The squared error per value, and each block's scale and level indices."""
    middles = (levels[1:] + levels[:-1]) / 2
    largest = np.abs(x).max(1, keepdims=True) / np.abs(levels).max()
    best = np.full(len(x), np.inf)
    scale = np.zeros(len(x))
    index = np.zeros(x.shape, int)
    for factor in np.linspace(0.72, 1.18, 24):
        for sign in (1, -1):
            found = np.searchsorted(middles, x * (sign * factor / largest))
            q = levels[found]
            d = (x * q).sum(1) / np.maximum((q * q).sum(1), 1e-9)
            error = ((x - d[:, None] * q) ** 2).sum(1)
            better = error < best
            best[better], scale[better], index[better] = error[better], d[better], found[better]
    return best.mean() / BLOCK, scale, index


def main():
    x = np.random.default_rng(1).standard_normal((8000, BLOCK))
    print("even levels:", quantize(x, np.arange(-8.0, 8.0))[0])
    levels = np.sign(np.arange(-8, 8)) * np.abs(np.arange(-8, 8)) ** 1.3
    for _ in range(40):
        error, scale, index = quantize(x, levels)
        d = np.broadcast_to(scale[:, None], x.shape)
        levels = np.array([(x * d)[index == i].sum() / (d * d)[index == i].sum() for i in range(16)])
    print("real levels:", error)
    best = np.inf
    for factor in np.linspace(0.8, 1.0, 41) * -LOW / np.abs(levels).max():
        for sign in (1, -1):
            rounded = np.sort(np.round(levels * factor * sign))
            if rounded[0] < LOW or rounded[-1] > HIGH or len(set(rounded)) < 16:
                continue
            error = quantize(x, rounded)[0]
            if error < best:
                best, chosen = error, rounded
    print("integers:", best, [int(level) - LOW for level in chosen])


if __name__ == "__main__":
    main()
