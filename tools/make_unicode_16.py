#!/usr/bin/env python3
"""Writes src/text/unicode_16.h: where the linked utf8proc may class a character otherwise than the reference.

utf8proc 2.8 (Debian 12) knows Unicode 15, newer ones know 15.1, 16 and later; the reference knows 16. Listed
is every code point to which the oldest or the newest of them gives another class than the reference
(tests/data/tokenizer/classes.txt, see make_golden_classes.py), so that the list is right for any of them. The
oldest is the installed libutf8proc, the newest is the PyPI package regex (2026.11.15 was used).
"""

import ctypes
import pathlib

import regex

ROOT = pathlib.Path(__file__).parent.parent
CLASSES = ROOT / "tests/data/tokenizer/classes.txt"
OUTPUT = ROOT / "src/text/unicode_16.h"
CODE_POINTS = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
CIRCLED_LETTERS = [(0x24B6, 0x24E9), (0x1F130, 0x1F149), (0x1F150, 0x1F169), (0x1F170, 0x1F189)]
NAMES = {"L": "letter", "N": "number", "O": "other"}


def read_reference():
    """{code point: (class, is_word)}; those of other classes and no word are left out."""
    reference = {}
    for line in CLASSES.read_text().splitlines():
        if not line.startswith("#"):
            first, last, pattern, word = line.split()
            for c in range(int(first, 16), int(last, 16) + 1):
                reference[c] = (pattern, word == "w")
    return reference


def installed_utf8proc():
    library = ctypes.CDLL("libutf8proc.so.2")
    library.utf8proc_category_string.restype = ctypes.c_char_p
    library.utf8proc_unicode_version.restype = ctypes.c_char_p
    version = library.utf8proc_unicode_version().decode()
    return version, {c: library.utf8proc_category_string(c).decode() for c in CODE_POINTS}


def newest_unicode():
    names = ["Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc"]
    everything = "".join(map(chr, CODE_POINTS))
    categories = dict.fromkeys(CODE_POINTS, "Cn")
    for name in names:
        categories |= {ord(c): name for c in regex.findall(rf"\p{{{name}}}", everything)}
    return categories


def classify(c, category):
    """As unicode.cpp does from utf8proc's category."""
    circled = any(first <= c <= last for first, last in CIRCLED_LETTERS)
    word = category[0] in "LM" or category in ("Nd", "Nl", "Pc") or c in (0x200C, 0x200D) or circled
    return (category[0] if category[0] in "LN" else "O", word)


def main():
    reference = read_reference()
    version, installed = installed_utf8proc()
    newest = newest_unicode()
    ranges = []
    for c in CODE_POINTS:
        expected = reference.get(c, ("O", False))
        if expected[0] == "S" or all(classify(c, source[c]) == expected for source in (installed, newest)):
            continue
        if ranges and ranges[-1][1] == c - 1 and ranges[-1][2] == expected:
            ranges[-1][1] = c
        else:
            ranges.append([c, c, expected])
    with open(OUTPUT, "w", encoding="ascii") as out:
        out.write(f"""#pragma once

// Made by tools/make_unicode_16.py from utf8proc with Unicode {version} and regex {regex.__version__}.

#include <cstdint>

#include "text/unicode.h"

namespace gptj {{

struct Unicode16Range {{
  int32_t first, last;
  CharClass char_class;
  bool is_word;
}};

/// Code points whose classes changed after Unicode {version}, with those of Unicode 16; in order.
// clang-format off
constexpr Unicode16Range kUnicode16[] = {{
""")
        for first, last, (pattern, word) in ranges:
            out.write(f"    {{0x{first:04x}, 0x{last:04x}, CharClass::{NAMES[pattern]}, {str(word).lower()}}},\n")
        out.write("};\n// clang-format on\n\n}  // namespace gptj\n")


if __name__ == "__main__":
    main()
