#!/usr/bin/env python3
"""How much of the passes in a trace (gpt-j --trace FILE) each thread spent on nothing, in per cent.

    trace_waiting.py trace.json [decode|prefill]
"""

import json
import sys
from collections import defaultdict

PASSES = ("decode", "prefill")


def main() -> None:
    path, kind = sys.argv[1], (sys.argv[2:] + ["decode"])[0]
    with open(path, encoding="utf-8") as file:
        events = json.load(file)["traceEvents"]
    passes = [(e["ts"], e["ts"] + e["dur"]) for e in events if e["name"] == kind]
    passes = passes[1:] or passes  # the first one touches memory for the first time
    total = sum(end - begin for begin, end in passes)
    busy, by_name = defaultdict(float), defaultdict(float)
    for event in events:
        if event["name"] in PASSES or not any(begin <= event["ts"] < end for begin, end in passes):
            continue
        busy[event["tid"]] += event["dur"]
        by_name[event["name"]] += event["dur"]
    print(f"{len(passes)} x {kind}, {total / len(passes) / 1000:.3f} ms each")
    for thread in sorted(busy):
        print(f"thread {thread}: waits {100 * (1 - busy[thread] / total):.2f} %")
    for name, time in sorted(by_name.items(), key=lambda item: -item[1]):
        print(f"{name:<12} {100 * time / total / len(busy):6.2f} %")


if __name__ == "__main__":
    main()
