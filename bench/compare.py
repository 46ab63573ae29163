#!/usr/bin/env python3
"""Runs gpt-j and other programs in turn on the same model and prints how their times compare.

The programs stand in a small file that you write; see docs/performance.md. For each of the others a round is
A B B A (ours, theirs, theirs, ours), so that a machine that becomes slower or faster meets both alike.
"""

import argparse
import configparser
import re
import shlex
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass


def fill_in(text, values):
    for name, value in values.items():
        text = text.replace("{" + name + "}", str(value))
    return text


@dataclass
class Program:
    name: str
    command: str  # with {model}, {prompt}, {n} and {threads}
    pattern: str  # whose first group is the time, in what the program prints; "": wall time
    scale: float  # from that number to milliseconds

    def measure(self, values):
        """Milliseconds of one run."""
        # Split first, then filled in: a prompt with spaces or quotes stays one argument.
        command = [fill_in(part, values) for part in shlex.split(self.command)]
        start = time.monotonic()
        try:
            done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL)
        except OSError as error:
            sys.exit(f"{self.name}: cannot run {command[0]}: {error.strerror}")
        wall = (time.monotonic() - start) * 1000
        output = (done.stdout + b"\n" + done.stderr).decode(errors="replace")
        if done.returncode != 0:
            sys.exit(f"{self.name}: {shlex.join(command)} failed with {done.returncode}:\n{output[-2000:]}")
        if not self.pattern:
            return wall
        found = re.search(self.pattern, output)
        if found is None:
            sys.exit(f"{self.name}: expected {self.pattern!r} in what it prints, found none:\n{output[-2000:]}")
        return float(found[1]) * self.scale


def read_programs(path):
    config = configparser.ConfigParser(interpolation=None)
    try:
        with open(path, encoding="utf-8") as file:
            config.read_file(file)
    except (OSError, configparser.Error) as error:
        sys.exit(f"{path}: {error}")
    programs = []
    for name in config.sections():
        section = config[name]
        if "command" not in section:
            sys.exit(f"{path}: [{name}]: expected a line 'command = ...', found none")
        programs.append(Program(name, section["command"], section.get("time", ""),
                                section.getfloat("scale", 1.0)))
    if len(programs) < 2:
        sys.exit(f"{path}: expected two programs or more, ours first, found {len(programs)}")
    return programs


def report(what):
    """One line on the terminal, in the place of the last one."""
    if sys.stderr.isatty():
        print(f"\r{what}\033[K", end="", file=sys.stderr, flush=True)


def spread(values):
    return f"{statistics.median(values):.3f} ({min(values):.3f} .. {max(values):.3f})"


def compare(ours, theirs, values, rounds):
    """Times of both, and how much longer theirs took in each round."""
    times, ratios = {ours.name: [], theirs.name: []}, []
    for number in range(rounds):
        taken = {ours.name: 0.0, theirs.name: 0.0}
        for program in (ours, theirs, theirs, ours):
            report(f"{theirs.name}: round {number + 1} of {rounds}, {program.name}")
            ms = program.measure(values)
            times[program.name].append(ms)
            taken[program.name] += ms
        ratios.append(taken[theirs.name] / taken[ours.name])
    report("")
    return times, ratios


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", help="the file that names the programs, ours first")
    parser.add_argument("-m", "--model", required=True, help="what {model} stands for")
    parser.add_argument("-p", "--prompt", default="int main(int argc, char ** argv) {")
    parser.add_argument("-n", type=int, default=32, help="what {n} stands for: tokens to generate")
    parser.add_argument("-t", "--threads", type=int, default=2)
    parser.add_argument("-r", "--rounds", type=int, default=5, help="rounds of A B B A")
    args = parser.parse_args()
    if args.rounds < 1:
        parser.error("--rounds: expected at least 1")

    values = {"model": args.model, "prompt": args.prompt, "n": args.n, "threads": args.threads}
    ours, *others = read_programs(args.programs)
    width = max(len(program.name) for program in (ours, *others))
    for theirs in others:
        times, ratios = compare(ours, theirs, values, args.rounds)
        for program in (ours, theirs):
            print(f"{program.name:<{width}}  {spread(times[program.name])} ms")
        print(f"{theirs.name} / {ours.name} = {spread(ratios)}\n")


if __name__ == "__main__":
    main()
