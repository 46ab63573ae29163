#!/usr/bin/env python3
"""Writes the goldens of the tokenizer, tests/data/tokenizer/: what Hugging Face's GPT2Tokenizer makes of texts.

- texts.jsonl: nasty texts, one a line, with their ids by GPT-2's vocabulary and by the demo models'.
- blocks.txt: per 256 code points the FNV-1a hash of the ids (GPT-2) of a text that has each of them between
  letters, numbers, spaces and apostrophes; see block_text().
- added/*: small directories with added tokens of all kinds, each with its own texts.jsonl.

Needs transformers (5.23.0 was used, with tokenizers 0.23.3).
"""

import json
import os
import pathlib
import random
import shutil
import unicodedata

os.environ["HF_HUB_OFFLINE"] = "1"

from tokenizers import models, pre_tokenizers, trainers, Tokenizer  # noqa: E402
from transformers import GPT2Tokenizer  # noqa: E402

ROOT = pathlib.Path(__file__).parent.parent
DATA = ROOT / "tests/data/tokenizer"
GPT2 = DATA / "gpt2"
DEMO = ROOT / "models/demo/gpt-j"

SPACES = [chr(c) for c in (*range(9, 14), 32, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000)]
NO_SPACES = [chr(c) for c in (0x1C, 0x1D, 0x1E, 0x1F, 0x180E, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF)]
CONTRACTIONS = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"]
# First and last code point of a stretch of each script.
SCRIPTS = [
    (0x41, 0x7A), (0xC0, 0x24F), (0x250, 0x2AF), (0x370, 0x3FF), (0x400, 0x4FF), (0x531, 0x58A), (0x591, 0x5F4),
    (0x600, 0x6FF), (0x700, 0x74F), (0x780, 0x7B1), (0x7C0, 0x7FA), (0x840, 0x85E), (0x8A0, 0x8FF), (0x900, 0x97F),
    (0x980, 0x9FE), (0xA01, 0xA76), (0xA81, 0xAFF), (0xB01, 0xB77), (0xB82, 0xBFA), (0xC00, 0xC7F), (0xC80, 0xCF3),
    (0xD00, 0xD7F), (0xD81, 0xDF4), (0xE01, 0xE5B), (0xE81, 0xEDF), (0xF00, 0xFDA), (0x1000, 0x109F), (0x10A0, 0x10FF),
    (0x1100, 0x11FF), (0x1200, 0x139F), (0x13A0, 0x13FD), (0x1400, 0x167F), (0x1680, 0x169C), (0x16A0, 0x16F8),
    (0x1700, 0x1773), (0x1780, 0x17F9), (0x1800, 0x18AA), (0x1900, 0x194F), (0x1950, 0x19DF), (0x1A00, 0x1A9F),
    (0x1B00, 0x1BFF), (0x1C00, 0x1C7F), (0x1C80, 0x1CFA), (0x1E00, 0x1FFE), (0x2000, 0x206F), (0x2070, 0x209C),
    (0x20A0, 0x20F0), (0x2100, 0x218B), (0x2190, 0x23FF), (0x2460, 0x24FF), (0x2500, 0x27BF), (0x2C00, 0x2DFF),
    (0x2E80, 0x2FDF), (0x3000, 0x303F), (0x3041, 0x30FF), (0x3105, 0x31BF), (0x3200, 0x33FF), (0x4E00, 0x9FFF),
    (0xA000, 0xA4C6), (0xA4D0, 0xA6F7), (0xA700, 0xA7FF), (0xA800, 0xA8F9), (0xA900, 0xA9FE), (0xAA00, 0xAAF6),
    (0xAB30, 0xABF9), (0xAC00, 0xD7A3), (0xE000, 0xE0FF), (0xF900, 0xFAD9), (0xFB00, 0xFDFF), (0xFE00, 0xFEFC),
    (0xFF01, 0xFFEE), (0x10000, 0x100FA), (0x10280, 0x103D5), (0x10400, 0x1049D), (0x10800, 0x108FF), (0x10A00, 0x10A58),
    (0x10D00, 0x10D8F), (0x10E60, 0x10EC7), (0x11000, 0x1107F), (0x11300, 0x113E2), (0x11F00, 0x11F5A), (0x12000, 0x123FF),
    (0x13000, 0x143FA), (0x16100, 0x16139), (0x16A40, 0x16ABE), (0x16D40, 0x16D79), (0x17000, 0x18CFF), (0x1B000, 0x1B2FB),
    (0x1CCF0, 0x1CCFF), (0x1D100, 0x1D1FF), (0x1D400, 0x1D7FF), (0x1E100, 0x1E14F), (0x1E5D0, 0x1E5FF), (0x1E800, 0x1E95F),
    (0x1F100, 0x1F1FF), (0x1F300, 0x1F6FF), (0x1F900, 0x1FAFF), (0x1FBF0, 0x1FBF9), (0x20000, 0x2A6DF), (0x2EBF0, 0x2EE5D),
    (0x30000, 0x323AF), (0xE0001, 0xE01EF), (0xF0000, 0xFFFFD), (0x100000, 0x10FFFD),
]  # fmt: skip

HAND_MADE = [
    "", " ", "a", " a", "  a", "\n", "\n\n", " \n", "\n a", "a ", "a  ", "a \n", "a\n", "\ta", "\t\ta", " \u00a0a",
    "Hello, world!", "The quick brown fox jumps over the lazy dog.", "int main(int argc, char ** argv) {",
    "for (int i = 0; i < n; ++i) {\n    x[i] += 0x1F;\n\treturn -1.5e-3;\n}\n", "a+b=c; d-e", "--help", "a_b__c",
    "I'm you're he's we've they'll I'd don't", "I'M YOU'RE HE'S WE'VE THEY'LL I'D DON'T", "'s't're've'm'll'd", "'S'T'Re",
    "''s", " 's", "!'s", "a's", "1's", "'sabc", "'s1", "' s", "\u2019s it\u2019s", "'", "''", "'\n", "'l", "'lla", "'v", "'r",
    "rock'n'roll", "'tis", "o'clock", "x'", "x' y", "\n's", "\t's", "\u00a0's", "é's", "'é", "'ſ",
    "1234567890", "1,234.56", "１２３", "²³¹", "½¼", "Ⅷ", "①②", "٣٤", "一二三", "1a2b", "a1 1a", " 1", "  1", "1 2  3",
    "naïve café", "nai\u0308ve cafe\u0301", "e\u0301\u0301", " \u0301", "\u0301a", "a \u0301b", "1\u0301", "\u0e01\u0e34\u0e19",
    "हिन्दी", "தமிழ்", "ភាសាខ្មែរ", "မြန်မာ", "日本語のテキスト", "中文字符。", "한국어 텍스트", "עברית", "العربية ٣", "ქართული", "Ελληνικά", "Русский",
    "👩‍👩‍👧‍👦", "👍🏽", "🇩🇪🇫🇷", "❤️", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "a👍b", " 👍 ", "👍1", "1️⃣",
    "\u0000", "a\u0000b", "\u0001\u0002", "\u007f", "\u0080", "\u0085", "a\u0085b", "\ufeffBOM", "\ufffd", "\uffff", "\U0010ffff",
    "<|endoftext|>", "a<|endoftext|>b", " <|endoftext|> ", "a <|endoftext|>", "a  <|endoftext|>  b", "\n<|endoftext|>\n",
    "<|endoftext|><|endoftext|>", "<|endoftext", "|endoftext|>", "<|endoftext|", "<<|endoftext|>>", "<|<|endoftext|>|>",
    "<|ENDOFTEXT|>", "<|extratoken_1|>", "<|endoftext|>'s", "it<|endoftext|>'s", " <|endoftext|>", "\u00a0<|endoftext|>",
    "Ġ", "Ċ", "ĠHello", "Ā", "łĢ", "\u00ad", "\u00a1", "ÿ", "Ń",
    "https://example.org/a?b=c&d=%20#e", "user@example.org", "C:\\Users\\x", "#include <stdio.h>", "/* a */ // b", "\"q\"", "`x`",
]  # fmt: skip


def random_texts(rng):
    """Seeded texts of several kinds."""

    def code_point():
        c = rng.choice([rng.randrange(0x80), rng.randrange(0x3000), rng.randrange(0x20000), rng.randrange(0x110000)])
        return chr(c) if not 0xD800 <= c <= 0xDFFF else " "

    def some(choices, least, most):
        return "".join(rng.choice(choices) for _ in range(rng.randint(least, most)))

    for first, last in SCRIPTS:
        letters = [chr(c) for c in range(first, last + 1)]
        for _ in range(3):
            yield some(letters, 1, 12) + " " + some(letters + [" "], 8, 24)
    assigned = [chr(c) for c in range(0x20000) if unicodedata.category(chr(c))[0] in "MN"]
    others = ["a", "1", ".", "é", "中", "'", "\u0301", "👍"]
    contractions = CONTRACTIONS + [c.upper() for c in CONTRACTIONS] + [c.title() for c in CONTRACTIONS]
    for _ in range(120):
        yield some(SPACES + NO_SPACES, 1, 6) + some(SPACES + NO_SPACES + others, 4, 20)
        yield some(contractions + [" ", "I", "you", "1", "\n", "'", "’", "é", "."], 4, 24)
        yield some(assigned + [" ", "a", "1", "."], 4, 20)
        yield some(["<|endoftext|>", " ", "  ", "\n", "a", "1", "<|", "|>", "<", "'s", "\u00a0"], 2, 14)
        yield some([chr(c) for c in range(128)], 10, 50)
        yield some("aeioustnrl", 10, 80)
        yield "".join(code_point() for _ in range(rng.randint(5, 30)))
    for run in [" ", "\n", "a", "'", "-", "0", "é", "\u3000", " \n", "ab", "the ", "\u0301", "👍"]:
        for length in (2, 3, 7, 16, 33, 130):
            yield run * length
            yield run * length + "x"


def block_text(first):
    """Each of 256 code points from `first` on, beside everything that its class could matter to."""
    return "".join(f"a{c}b {c}1{c} {c}{c}'s\n" for c in map(chr, range(first, first + 256)))


def blocks():
    """The first code points of the blocks: all of the planes in use, the ends of the others."""
    for first in range(0, 0x110000, 256):
        plane_in_use = first < 0x40000 or 0xE0000 <= first < 0xF0000
        at_end_of_plane = first & 0xFFFF in (0, 0xFF00)
        if not 0xD800 <= first <= 0xDFFF and (plane_in_use or at_end_of_plane):
            yield first


def fnv1a(ids):
    """Of the ids as little-endian 32-bit words. http://www.isthe.com/chongo/tech/comp/fnv/"""
    value = 0xCBF29CE484222325
    for byte in b"".join(i.to_bytes(4, "little") for i in ids):
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return value


def encode(tokenizer, text):
    return tokenizer.encode(text, add_special_tokens=False)


def write_lines(path, entries):
    with open(path, "w", encoding="ascii") as out:
        for entry in entries:
            out.write(json.dumps(entry, separators=(",", ":")) + "\n")


def write_json(path, value):
    path.write_text(json.dumps(value, separators=(",", ":")) + "\n", encoding="ascii")


def small_vocabulary():
    """All bytes and 60 merges of English words: (vocab, merges)."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=256 + 60, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator([pathlib.Path(GPT2 / "README.md").read_text()], trainer)
    model = json.loads(tokenizer.to_str())["model"]
    return model["vocab"], [tuple(pair) for pair in model["merges"]]


def added_token(content, **flags):
    defaults = dict(single_word=False, lstrip=False, rstrip=False, normalized=False, special=False)
    return dict(content=content) | defaults | flags


def write_two_files(directory, vocab, merges):
    write_json(directory / "vocab.json", vocab)
    lines = ["#version: 0.2", *(" ".join(pair) for pair in merges)]
    (directory / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def tokenizer_json(vocab, merges, added):
    return {
        "version": "1.0",
        "added_tokens": [dict(id=i, **token) for i, token in added.items()],
        "normalizer": None,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
        "post_processor": None,
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {"type": "BPE", "vocab": vocab, "merges": merges},
    }


def added_directories():
    """(name, function that writes the directory, the texts of its added tokens)."""
    vocab, merges = small_vocabulary()
    n = len(vocab)

    def legacy(directory):
        """As GPT-J-6B has them: in a file beside, some with a role."""
        write_two_files(directory, vocab | {"<|endoftext|>": n}, merges)
        write_json(directory / "added_tokens.json", {"<|extratoken_1|>": n + 1, "<|extratoken_10|>": n + 2, "[PAD]": n + 3})
        write_json(directory / "special_tokens_map.json", {"bos_token": "<|endoftext|>", "pad_token": "[PAD]"})

    def flags(directory):
        """Every flag, in tokenizer_config.json, with overlapping texts in both passes."""
        added = {
            n: added_token("<|endoftext|>", special=True),
            n + 1: added_token("[L]", lstrip=True),
            n + 2: added_token("[R]", rstrip=True, special=True),
            n + 3: added_token("[LR]", lstrip=True, rstrip=True, normalized=True),
            n + 4: added_token("word", single_word=True),
            n + 5: added_token("words", normalized=True),
            n + 6: added_token("[L][R]", normalized=True),
            n + 7: added_token("çé", single_word=True, rstrip=True),
            n + 8: added_token("\n ", lstrip=True),
        }
        write_two_files(directory, vocab, merges)
        write_json(directory / "tokenizer_config.json", {"added_tokens_decoder": added, "eos_token": "[R]", "bos_token": None})

    def prefix(directory):
        write_two_files(directory, vocab | {"<|endoftext|>": n}, merges)
        write_json(directory / "tokenizer_config.json", {"add_prefix_space": True, "eos_token": "<|endoftext|>"})

    def one_file(directory):
        """tokenizer.json, merges as strings, ids in another order than merges, added tokens of white space."""
        shuffled = list(range(2, n + 2))
        random.Random(3).shuffle(shuffled)
        ids = {"<|endoftext|>": 0, "<s>": 1} | {token: shuffled[i] for token, i in vocab.items()}
        spaces = {n + 2 + k: added_token(" " * (k + 2), normalized=True) for k in range(6)}
        added = {0: added_token("<|endoftext|>", special=True), 1: added_token("<s>", special=True)} | spaces
        write_json(directory / "tokenizer.json", tokenizer_json(ids, [" ".join(pair) for pair in merges], added))

    def one_file_pairs(directory):
        added = {n: added_token("<|endoftext|>", special=True)}
        write_json(directory / "tokenizer.json", tokenizer_json(vocab, merges, added))

    marks = ["<|endoftext|>"]
    yield "legacy", legacy, marks + ["<|extratoken_1|>", "<|extratoken_10|>", "<|extratoken_1", "0|>", "[PAD]"]
    yield "flags", flags, marks + ["[L]", "[R]", "[LR]", "word", "words", "çé", "\n ", "_", "\u0301", "²", "ⓐ", "\u200d"]
    yield "prefix", prefix, marks
    yield "one_file", one_file, marks + ["<s>", "  ", "   ", "      ", "         "]
    yield "one_file_pairs", one_file_pairs, marks


def main():
    gpt2, demo = GPT2Tokenizer.from_pretrained(GPT2), GPT2Tokenizer.from_pretrained(DEMO)
    texts = HAND_MADE + list(random_texts(random.Random(1)))
    write_lines(DATA / "texts.jsonl", ({"text": t, "gpt2": encode(gpt2, t), "demo": encode(demo, t)} for t in texts))

    with open(DATA / "blocks.txt", "w", encoding="ascii") as out:
        for first in blocks():
            out.write(f"{first:x} {fnv1a(encode(gpt2, block_text(first))):016x}\n")

    shutil.rmtree(DATA / "added", ignore_errors=True)
    for name, write, added in added_directories():
        directory = DATA / "added" / name
        directory.mkdir(parents=True)
        write(directory)
        tokenizer = GPT2Tokenizer.from_pretrained(directory)
        rng = random.Random(name)
        parts = added * 3 + [" ", "  ", "\n", "\t", "\u00a0", "a", "the", "1", ".", "é", "Software", "'s", "中"]
        samples = ["".join(rng.choice(parts) for _ in range(rng.randint(1, 9))) for _ in range(150)]
        write_lines(directory / "texts.jsonl", ({"text": t, "ids": encode(tokenizer, t)} for t in ["", *samples]))


if __name__ == "__main__":
    main()
