#!/usr/bin/env python3
"""Writes tests/data/tokenizer/classes.txt: the class that the reference gives to every code point.

The reference is asked, not a table of Unicode: each code point goes through Hugging Face's byte-level
pre-tokenizer, whose cuts tell letters, numbers, white space and the rest apart, and stands beside an added
token with `single_word`, which tells word characters. Needs the PyPI package tokenizers (0.23.3 was used).
"""

import pathlib

import tokenizers
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers

OUTPUT = pathlib.Path(__file__).parent.parent / "tests/data/tokenizer/classes.txt"
CODE_POINTS = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]


def pattern_classes():
    """'L', 'N', 'S' or 'O' (the rest) for each code point."""
    split = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True).pre_tokenize_str

    def ends(text):
        return [end for _, (_, end) in split(text)]

    def pattern_class(c):
        if ends("a" + c) == [2]:
            return "L"
        if ends("1" + c) == [2]:
            return "N"
        return "O" if ends("!" + c) == [2] else "S"

    return {c: pattern_class(chr(c)) for c in CODE_POINTS}


def word_classes():
    """Whether each code point is a word character."""
    added = "\x01"
    tokenizer = Tokenizer(models.BPE(vocab={"a": 0}, merges=[]))
    tokenizer.add_tokens([AddedToken(added, single_word=True)])
    added_id = tokenizer.token_to_id(added)
    encodings = tokenizer.encode_batch([chr(c) + added for c in CODE_POINTS])
    return {c: added_id not in encoding.ids for c, encoding in zip(CODE_POINTS, encodings)}


def main():
    pattern, word = pattern_classes(), word_classes()
    ranges = []
    for c in CODE_POINTS:
        kind = (pattern[c], "w" if word[c] else "-")
        if ranges and ranges[-1][1] == c - 1 and ranges[-1][2] == kind:
            ranges[-1][1] = c
        else:
            ranges.append([c, c, kind])
    with open(OUTPUT, "w", encoding="ascii") as out:
        out.write(f"# Made by tools/make_golden_classes.py with tokenizers {tokenizers.__version__}.\n")
        out.write("# first last class word: Letter, Number, Space; 'w' for word characters. Others: neither.\n")
        for first, last, kind in ranges:
            if kind != ("O", "-"):
                out.write(f"{first:X} {last:X} {kind[0]} {kind[1]}\n")


if __name__ == "__main__":
    main()
