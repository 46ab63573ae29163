#!/usr/bin/env python3
"""Makes tests/data/samplers/<sampler>.json: what distribution each sampler leaves of some logits.

    make_golden_samplers.py [--out DIR]

Each sampler is written here once more, plainly and in float64, from its paper or definition. A case has the logits
(the name of a row in logits.json), the settings, the context, and the expected [id, probability], likeliest first.
Tokens are the 256 bytes and then TOKENS. A developer's tool: tests need only what it has written.
"""

import argparse
import json
from pathlib import Path

import numpy as np

REPO = Path(__file__).resolve().parent.parent
TOKENS = ["ab", "abc", "bc", "foo", " foo", "foobar", "bar", "x:y", "\n\n", "\r", "o", "ba", "r f", "aab"]
BYTES = [bytes([b]) for b in range(256)] + [t.encode() for t in TOKENS]


def softmax(logits):
    if not np.any(logits > -np.inf):
        return np.zeros_like(logits)
    p = np.exp(logits - np.max(logits))
    return p / p.sum()


def ranked(key):
    """Indices, the highest key first, of equals the lower id."""
    return np.lexsort((np.arange(len(key)), -key))


def only(logits, ids):
    out = np.full_like(logits, -np.inf)
    out[ids] = logits[ids]
    return out


def fewest(logits, key, share):
    order = ranked(key)
    reached = np.cumsum(softmax(logits)[order])
    n = int(np.searchsorted(reached, share * reached[-1], side="left")) + 1
    return only(logits, order[: max(1, min(n, len(order)))])


# What changes logits: (logits, context, settings) -> logits.


def logit_bias(logits, context, s):
    for text in s["logit-bias"]:
        at = max(text.find("+"), text.find("-"))
        logits[int(text[:at])] += float(text[at:])
    return logits


def last_n(context, n):
    return list(context) if n < 0 else list(context)[max(0, len(context) - int(n)) :]


def penalties(logits, context, s):
    window = last_n(context, s["repeat-last-n"])
    for i in set(window):
        logits[i] = logits[i] / s["repeat-penalty"] if logits[i] > 0 else logits[i] * s["repeat-penalty"]
        logits[i] -= s["presence-penalty"] + s["frequency-penalty"] * window.count(i)
    return logits


def dry(logits, context, s):
    window = last_n(context, s["dry-penalty-last-n"])
    breakers = [b.encode() for b in s["dry-sequence-breaker"] or ["\n", ":", '"', "*"]]
    text, ends = b"", []
    for i in window:
        text += BYTES[i]
        ends.append(len(text))

    def breaks(position):  # a breaker's last byte lies in that token
        begin = ends[position] - len(BYTES[window[position]])
        return any(text[e - len(b) : e] == b for b in breakers for e in range(begin + 1, ends[position] + 1) if e >= len(b))

    lengths = {}
    for i in range(len(window) - 1):
        following = window[i + 1]
        if any(b in BYTES[following] for b in breakers):
            continue
        n = 0
        while n <= i and n < 50 and window[i - n] == window[-1 - n] and not breaks(len(window) - 1 - n):
            n += 1
        lengths[following] = max(n, lengths.get(following, 0))
    for token, n in lengths.items():
        if n > 0 and n >= s["dry-allowed-length"]:
            logits[token] -= s["dry-multiplier"] * s["dry-base"] ** (n - s["dry-allowed-length"])
    return logits


def no_repeat_ngram(logits, context, s):
    n = int(s["no-repeat-ngram"])
    if n and len(context) + 1 >= n:
        seen = {tuple(context[i : i + n]) for i in range(len(context) - n + 1)}
        for token in range(len(logits)):
            if tuple(context[len(context) - n + 1 :] + [token]) in seen:
                logits[token] = -np.inf
    return logits


def banned_tokens(logits, context, s):
    logits[[int(i) for i in s["banned-token"]]] = -np.inf
    return logits


def banned_strings(logits, context, s):
    before = b"".join(BYTES[i] for i in context)
    for token in range(len(logits)):
        for string in (b.encode() for b in s["banned-string"]):
            after = before + BYTES[token]
            if any(after[:e].endswith(string) for e in range(len(before) + 1, len(after) + 1)):
                logits[token] = -np.inf
    return logits


def temperature(logits, context, s):
    temp = s["temp"]
    if s["dynatemp-range"] > 0:
        p = softmax(logits)
        p = p[logits > -np.inf]
        entropy = -np.sum(p[p > 0] * np.log(p[p > 0])) / np.log(len(p)) if len(p) > 1 else 0.0
        low, high = max(0.0, temp - s["dynatemp-range"]), temp + s["dynatemp-range"]
        temp = low + (high - low) * entropy ** s["dynatemp-exp"]
    return logits / temp if temp > 0 else only(logits, ranked(logits)[:1])


# What drops tokens.


def top_n_sigma(logits, context, s):
    n = s["top-n-sigma"]
    return np.where(logits >= logits.max() - n * np.std(logits[logits > -np.inf]), logits, -np.inf) if n else logits


def top_k(logits, context, s):
    return only(logits, ranked(logits)[: int(s["top-k"])]) if s["top-k"] else logits


def typical(logits, context, s):
    if s["typical"] == 1:
        return logits
    with np.errstate(divide="ignore", invalid="ignore"):
        p = softmax(logits)
        surprise = -np.log(p)
        entropy = np.nansum(p * surprise)
    return fewest(logits, -np.abs(surprise - entropy), s["typical"])


def top_p(logits, context, s):
    return fewest(logits, logits, s["top-p"]) if s["top-p"] < 1 else logits


def min_p(logits, context, s):
    p = softmax(logits)
    return np.where(p >= s["min-p"] * p.max(), logits, -np.inf)


def xtc(logits, context, s):
    """With a probability of 1: chance has no place in a golden."""
    if s["xtc-probability"] == 0:
        return logits
    p = softmax(logits)
    top = [i for i in ranked(logits) if p[i] > 0 and p[i] >= s["xtc-threshold"]]
    logits[top[:-1]] = -np.inf
    return logits


# Mirostat: (logits, mu, settings) -> what is left; p is the model's distribution.


def mirostat_1(logits, mu, s):
    p = np.sort(softmax(logits))[::-1][:100]
    i = np.arange(1, len(p))
    t, b = np.log((i + 1) / i), np.log(p[:-1] / p[1:])
    zipf = np.sum(t * b) / np.sum(t * t)
    epsilon = zipf - 1
    k = (epsilon * 2**mu / (1 - len(logits) ** -epsilon)) ** (1 / zipf)
    return only(logits, ranked(logits)[: int(min(max(round(k), 1), len(logits)))])


def mirostat_2(logits, mu, s):
    p = softmax(logits)
    return np.where((p >= 2.0**-mu) | (p == p.max()), logits, -np.inf)


SAMPLERS = {
    "logit-bias": logit_bias, "penalties": penalties, "dry": dry, "no-repeat-ngram": no_repeat_ngram,
    "banned-tokens": banned_tokens, "banned-strings": banned_strings, "top-n-sigma": top_n_sigma, "top-k": top_k,
    "temp": temperature, "typical": typical, "top-p": top_p, "min-p": min_p, "xtc": xtc,
}  # fmt: skip
TRUNCATING = {"top-n-sigma", "top-k", "typical", "top-p", "min-p", "xtc"}
DEFAULTS = {
    "logit-bias": [], "repeat-last-n": 64, "repeat-penalty": 1, "presence-penalty": 0, "frequency-penalty": 0,
    "dry-multiplier": 0, "dry-base": 1.75, "dry-allowed-length": 2, "dry-penalty-last-n": -1, "dry-sequence-breaker": [],
    "no-repeat-ngram": 0, "banned-token": [], "banned-string": [], "top-n-sigma": 0, "top-k": 40, "temp": 0.9,
    "dynatemp-range": 0, "dynatemp-exp": 1, "typical": 1, "top-p": 0.9, "min-p": 0, "xtc-probability": 0,
    "xtc-threshold": 0.1, "mirostat": 0, "mirostat-tau": 5, "mirostat-eta": 0.1, "samplers": ";".join(SAMPLERS),
}  # fmt: skip
PLAIN = {"top-k": 0, "top-p": 1, "temp": 1}  # nothing happens


def result(logits):
    p = softmax(logits)
    return [[int(i), float(f"{p[i]:.7g}")] for i in ranked(p) if p[i] > 1e-30]


def run(logits, settings, context, mu=None):
    s = DEFAULTS | settings
    logits = np.where(np.isnan(logits), -np.inf, logits)
    for name in s["samplers"].split(";"):
        if mu is None or name not in TRUNCATING:
            logits = SAMPLERS[name](logits, context, s)
    return logits


def case(rows, row, settings, context=()):
    out = run(np.array(rows[row], np.float64), settings, list(context))
    return {"logits": row, "settings": settings, "context": list(context), "expected": result(out)}


def mirostat_case(rows, row, version, tau, eta):
    """Two draws: `after` has, for each token that the first may be, what the second is drawn from."""
    settings = {"mirostat": version, "mirostat-tau": tau, "mirostat-eta": eta, "temp": 0.8}
    cut = mirostat_1 if version == 1 else mirostat_2
    model = run(np.array(rows[row], np.float64), settings, [], mu=0)
    first = cut(model, 2 * tau, settings)
    after = {}
    for token, _ in result(first):
        mu = 2 * tau - eta * (-np.log2(softmax(model)[token]) - tau)
        after[str(token)] = result(cut(model, mu, settings))
    return {"logits": row, "settings": settings, "context": [], "expected": result(first), "after": after}


def make_rows():
    rng = np.random.default_rng(2202)
    row = lambda n, scale: [float(f"{x:.3f}") for x in rng.normal(0, scale, n)]
    zipf = -1.3 * np.log(np.arange(1, 301)) + rng.normal(0, 0.05, 300)
    rows = {
        "twenty": row(20, 2), "fifty": row(50, 1), "text": row(len(BYTES), 1.5), "thousand": row(1000, 3),
        "peaked": row(30, 0.5), "equal": [1.5] * 24, "ties": [3.0, 1.0, 3.0, 2.0, 1.0, 3.0, 2.0, 2.0, -1.0, 1.0],
        "zipf": [float(f"{x:.3f}") for x in rng.permutation(zipf)], "far": row(20, 2000), "one": [0.3],
    }  # fmt: skip
    rows["peaked"][7] = 12.0
    for i, token in enumerate(BYTES):  # so that the best ones are those that the texts are about
        if i >= 256 or token in b" abcfoqrx:y\n":
            rows["text"][i] = round(rows["text"][i] + 5, 3)
    rows["holes"] = [None if i % 3 == 1 else x for i, x in enumerate(row(24, 2))]  # NaN
    return rows


def make_cases(rows):
    text = [BYTES.index(b) for b in (b"x", b"ab", b"foo", b"c")]
    every = ["twenty", "fifty", "peaked", "equal", "ties", "holes", "far", "one"]
    few = {"top-k": 40}  # best ones of the long rows
    words = lambda *tokens: [BYTES.index(t.encode()) for t in tokens]
    song = words("foo", "bar", " ", "ab", "o", "x", "foo", "bar", " ", "ab", "o", "y", "foo", "bar", " ", "ab")
    broken = words("foo", "bar", ":", "ab", "o", "x", "foo", "bar", ":", "ab")
    out = {}
    add = lambda name, row, settings, context=(): out.setdefault(name, []).append(
        case(rows, row, PLAIN | settings, context)
    )
    for row in every + ["thousand"]:
        for k in (1, 2, 5, 39, 64):
            add("top-k", row, {"top-k": k})
        for p in (0, 0.05, 0.35, 0.61, 0.9, 0.99):
            if row == "thousand" and p > 0.9:
                continue
            add("top-p", row, {"top-p": p})
            add("typical", row, {"typical": p}) if row not in ("far", "equal", "ties") else None
        for p in (0.001, 0.05, 0.3, 1):
            add("min-p", row, {"min-p": p})
        for n in (0.1, 0.7, 1.01, 2.5):
            add("top-n-sigma", row, {"top-n-sigma": n})
    add("typical", "ties", {"typical": 0.4})
    for row in every:
        for temp in (0, 0.01, 0.5, 1, 1.7, 1000):
            add("temp", row, {"temp": temp})
            for width, exponent in ((0.3, 1), (5, 0.5), (1.2, 3)):
                add("temp", row, {"temp": temp, "dynatemp-range": width, "dynatemp-exp": exponent})
        for threshold in (0.001, 0.01, 0.05, 0.1, 0.3, 0.5, 0.51, 1):
            if row not in ("equal",):
                add("xtc", row, {"xtc-probability": 1, "xtc-threshold": threshold})
        add("xtc", row, {"xtc-probability": 0, "xtc-threshold": 0})
        add("default", row, {"top-k": 40, "top-p": 0.9, "temp": 0.9})
        add("default", row, {"top-k": 3, "top-p": 0.8, "temp": 1.4, "repeat-penalty": 1.3}, [0] * 3)
    out["xtc"] = [c for c in out["xtc"] if not (c["settings"]["xtc-threshold"] > 0.5)] + [
        case(rows, "peaked", PLAIN | {"xtc-probability": 0, "xtc-threshold": 0.51})
    ]
    for context in ([], [3], [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9], list(range(20)) * 5):
        for last in (0, 1, 5, 64, -1):
            for repeat, presence, frequency in ((1.3, 0, 0), (0.7, 0, 0), (1, 0.5, 0), (1, 0, -0.25), (1.1, -1, 0.3)):
                settings = {"repeat-last-n": last, "repeat-penalty": repeat}
                add("penalties", "twenty", settings | {"presence-penalty": presence, "frequency-penalty": frequency}, context)
    for settings in ({}, {"dry-base": 1}, {"dry-allowed-length": 4}, {"dry-allowed-length": 0}, {"dry-penalty-last-n": 8},
                     {"dry-penalty-last-n": 0}, {"dry-sequence-breaker": [" "]}, {"dry-sequence-breaker": ["rf", "r "]},
                     {"dry-sequence-breaker": ["oba"]}):  # fmt: skip
        for context in ([], song[:1], song, song[:10], broken, broken[:8], broken + words("o"), words("ab") * 70, words("x:y") * 5):
            add("dry", "text", few | {"dry-multiplier": 0.8} | settings, context)
    for n in (1, 2, 3, 5, 40):
        for context in ([], song[:1], song, words("ab") * 4, words("x", "ab", "x", "ab", "x")):
            add("no-repeat-ngram", "text", few | {"no-repeat-ngram": n}, context)
    for biases in (["3+1.5"], ["3-1.5", "4+0"], ["0-inf"], ["7+2", "7+2", "7-1", "2-inf", "2+100"], ["5+1e3"]):
        add("logit-bias", "twenty", {"logit-bias": biases}, [3])
    for ids in (["0"], ["0", "1", "19"], [str(i) for i in range(19)]):
        add("banned-tokens", "twenty", {"banned-token": ids})
    for strings in (["foo"], ["abc"], ["foobar", "x"], ["aab"], ["o f"], ["\n\n"], ["bar foo"], ["q", "aa"]):
        for context in ([], text, words("a", "a"), words("foo"), words("o", "\n"), words("bar"), song,
                        words("foo", "b"), words("bar", " ")):  # fmt: skip
            add("banned-strings", "text", few | {"banned-string": strings}, context)
    mixed = {"top-k": 12, "top-p": 0.8, "temp": 2.5, "min-p": 0.1, "typical": 0.9, "top-n-sigma": 2.2}
    for order in ("top-k;top-p;temp", "temp;top-p;top-k", "top-p;min-p;temp;typical", "min-p", "typical;top-k",
                  "penalties;top-n-sigma;temp", "top-k;penalties;top-p", "temp;top-n-sigma"):  # fmt: skip
        for row in ("twenty", "fifty", "peaked", "thousand"):
            out.setdefault("samplers", []).append(
                case(rows, row, mixed | {"samplers": order, "repeat-penalty": 1.5}, [1, 2, 3, 7, 7, 7])
            )
    for version, names in ((1, ("twenty", "fifty", "zipf")), (2, ("twenty", "fifty", "zipf", "ties", "holes"))):
        for row in names:
            for tau, eta in ((0.5, 0.1), (1, 1), (2, 0.3)):
                out.setdefault("mirostat", []).append(mirostat_case(rows, row, version, tau, eta))
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=REPO / "tests" / "data" / "samplers")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    rows = make_rows()
    cases = make_cases({k: [np.nan if x is None else np.float32(x) for x in v] for k, v in rows.items()})
    write = lambda name, text: (out / f"{name}.json").write_text(text)
    write("logits", json.dumps({"tokens": TOKENS, "rows": rows}) + "\n")
    for name, some in cases.items():
        write(name, "[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in some) + "\n]\n")


if __name__ == "__main__":
    main()
