#!/usr/bin/env python3
"""How fast the NEON kernels can be at most, by counting: the instructions of their inner loops as the compiler made
them, and the cycles that some cores' units take for these.

    count_instructions.py isa.cpp.o              # the loops that matter, as a table
    count_instructions.py isa.cpp.o FUNCTION     # every inner loop of the functions that this regular expression finds

Nothing waits in this model: not for memory, not for results of other instructions, not for a place in a queue.
"""

import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from itertools import combinations

OBJDUMP = "aarch64-linux-gnu-objdump"


@dataclass
class Core:
    """Its vector units have names of one letter. `narrow`: instructions that only some of them take, and how often each
    of these is issued. All others are issued once, to any unit."""

    name: str
    ghz: float
    width: int  # instructions that are decoded, or renamed, in a cycle
    vector: str
    loads: int
    stores: int
    stores_take_loads: bool  # they use the same units
    store_halves: int  # a store of 128 bits counts as so many
    stores_take_vector: bool
    moves_are_free: bool  # renaming does those between registers
    narrow: tuple[tuple[str, str, int], ...] = ()


# From Arm's Software Optimization Guides of N1 and V1, and what Dougall Johnson measured of Apple's Firestorm. Clocks:
# Ampere Altra, Graviton3, M1. A pair counts as two loads or stores.
CONVERSION, PRODUCT, SHIFT = r"[us]?fcvt|[us]cvtf", r"[us]mull", r"[us]shr|shl|[us]shll|[us]xtl|[us]shl|[us]adalp"
CORES = (
    Core("N1", 3.0, 4, "01", 2, 2, True, 2, True, False,
         ((CONVERSION, "0", 2), (PRODUCT, "0", 1), (SHIFT, "1", 1))),
    Core("V1", 2.6, 8, "0123", 3, 2, True, 1, True, False,
         ((CONVERSION, "02", 2), (PRODUCT, "02", 1), (SHIFT, "13", 1), ("tbl", "01", 2))),
    Core("M1", 3.2, 8, "0123", 3, 2, False, 1, False, True),
)


@dataclass
class Kernel:
    """Of the function's inner loops the longest one that makes as many products in a turn."""

    name: str
    function: str
    weights: int
    bits: float  # of a weight; 0: they come from a cache
    columns: int = 1


def product(kind: str, of: str) -> str:
    return rf"{kind}<gptj::\w+::Simd, gptj::{of}"


DECODED = (("Q8", 8.125), ("Q8_0", 8.5), ("Q6", 6.25), ("Q5", 5.25), ("Q4", 4.5), ("Q4_0", 4.5))
KERNELS = (
    Kernel("f16", product("FloatMatmul", "F16>::run"), 32, 16),
    *(
        Kernel(name.lower(), product("QuantMatmul", rf"{name}>::(direct<2, 1>|run\()"), 1024, bits)
        for name, bits in DECODED
    ),
    Kernel("attention, F16", product("KvProduct", "KvF16, false>::add<4, 1>"), 128, 16),
    Kernel("attention, int8", product("KvProduct", "KvInt8, false>::add<4, 1>"), 256, 8),
    Kernel("f16, many columns", product("FloatMatmul", "F16>::unpacked"), 16, 0, 5),
    Kernel("q8, many columns", product("QuantMatmul", "Q8>::unpacked"), 512, 0, 4),
    Kernel("bytes, prompts", product("PackedTile", "ByteDot, 1, 5>::run_bytes"), 64, 0, 5),
)
PRODUCTS = {"fmla": 4, "sdot": 16, "smull": 8, "smull2": 8}


@dataclass
class Instruction:
    address: int
    name: str
    operands: str

    def kind(self) -> str:
        vector = re.search(r"\b[vqds]\d+\b", self.operands) is not None
        if self.name == "prfm":
            return "prefetch"
        if self.name.startswith("ld"):
            return "load"
        if self.name.startswith("st"):
            return "store"
        return ("move" if self.name == "mov" else "vector") if vector else "scalar"

    def pair(self) -> int:
        return 2 if self.name in ("ldp", "stp") else 1

    def wide(self) -> bool:
        return re.match(r"q\d", self.operands) is not None


def functions(path: str, pattern: str) -> dict[str, list[Instruction]]:
    command = [OBJDUMP, "-d", "-C", "--no-show-raw-insn", path]
    listing = subprocess.run(command, check=True, text=True, capture_output=True)
    found: dict[str, list[Instruction]] = {}
    body = None
    for line in listing.stdout.splitlines():
        if start := re.match(r"[0-9a-f]+ <(.*)>:$", line):
            body = found.setdefault(start[1], []) if re.search(pattern, start[1]) else None
        elif body is not None and (parts := re.match(r"\s*([0-9a-f]+):\t([\w.]+)\s*(.*)", line)):
            body.append(Instruction(int(parts[1], 16), parts[2], parts[3]))
    return found


def inner_loops(body: list[Instruction]) -> list[list[Instruction]]:
    """What lies between a branch backwards and its target, without another such inside."""
    loops: list[tuple[int, int]] = []
    for at in body:
        target = re.match(r"(?:\w+, )?([0-9a-f]+) <", at.operands)
        if at.name.startswith(("b.", "cb")) and target and int(target[1], 16) < at.address:
            first = int(target[1], 16)
            if not any(first <= begin and end <= at.address for begin, end in loops):
                loops.append((first, at.address))
    return [[i for i in body if first <= i.address <= last] for first, last in loops]


def cycles(loop: list[Instruction], core: Core) -> tuple[float, str]:
    """That a turn takes, and what for."""
    slots = loads = stores = 0
    vector: Counter[str] = Counter()
    for i in loop:
        kind = i.kind()
        slots += i.pair()
        if kind in ("load", "prefetch"):
            loads += i.pair()
            if i.name == "ld1r":
                vector[core.vector] += 1
        elif kind == "store":
            work = i.pair() * (core.store_halves if i.wide() else 1)
            stores += work
            if core.stores_take_loads:
                loads += work
            if core.stores_take_vector:
                vector[core.vector] += work
        elif kind == "vector" or (kind == "move" and not core.moves_are_free):
            units, times = next(((u, n) for names, u, n in core.narrow if re.match(names, i.name)), (core.vector, 1))
            vector[units] += times
    bounds = {"width": slots / core.width, "loads": loads / core.loads, "stores": stores / core.stores}
    for n in range(1, len(core.vector) + 1):
        for some in combinations(core.vector, n):
            work = sum(times for units, times in vector.items() if set(units) <= set(some))
            name = "vector" if n == len(core.vector) else "vector " + "".join(some)
            bounds[name] = max(bounds.get(name, 0), work / n)
    most = max(bounds, key=lambda name: bounds[name])
    return bounds[most], most


def counts(loop: list[Instruction]) -> Counter[str]:
    return Counter(i.kind() for i in loop)


def n_products(loop: list[Instruction]) -> int:
    return sum(PRODUCTS.get(i.name, 0) for i in loop)


def show_loops(path: str, pattern: str) -> None:
    for name, body in functions(path, pattern).items():
        print(name)
        for loop in inner_loops(body):
            kinds = ", ".join(f"{n} {kind}" for kind, n in counts(loop).most_common())
            print(f"  {loop[0].address:x}-{loop[-1].address:x}: {len(loop)} ({kinds}), {n_products(loop)} products")


def show_kernels(path: str) -> None:
    cores = " | ".join(core.name for core in CORES)
    print(f"| | instructions a product: vector, moves, loads, stores, other | {cores} |")
    print("|---" * (2 + len(CORES)) + "|")
    for kernel in KERNELS:
        loops = [loop for body in functions(path, kernel.function).values() for loop in inner_loops(body)]
        products = kernel.weights * kernel.columns
        loop = max((loop for loop in loops if abs(n_products(loop) - products) < 0.1 * products), key=len, default=None)
        if loop is None:
            continue
        n = counts(loop)
        each = [n["vector"], n["move"], n["load"], n["store"], n["scalar"] + n["prefetch"]]
        cells = [f"{len(loop) / products:.2f}: " + ", ".join(f"{count / products:.2f}" for count in each)]
        for core in CORES:
            turn, bound = cycles(loop, core)
            rate = core.ghz * (kernel.weights * kernel.bits / 8 if kernel.bits else 2 * products) / turn
            cells.append(f"{rate:.0f} {'GB/s' if kernel.bits else 'GOP/s'} ({bound})")
        print(f"| {kernel.name} | " + " | ".join(cells) + " |")


def main() -> None:
    if len(sys.argv) == 3:
        show_loops(sys.argv[1], sys.argv[2])
    elif len(sys.argv) == 2:
        show_kernels(sys.argv[1])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
