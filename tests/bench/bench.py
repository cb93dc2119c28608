#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Measure commands against each other, on one machine, at one time.

    tests/bench/bench.py [--only NAME] [--rounds N] [--json FILE] FILE.toml...

A file lists benches; the first command of each is what the others are compared
with:

    [[bench]]
    name = "convert-dwarf"
    about = "one line for the reader"
    rounds = 5
    setup = [["perf", "record", "-o", "{work}/perf.data", "..."]]

    [[bench.command]]
    name = "perf script"
    run = ["perf", "script", "-i", "{work}/perf.data"]

A bench that `needs` programs which are not installed is left out, with a word.
{work} is a new folder for the bench below O/bench, {root} the repository, {perfconv}
the program under test, {python} the interpreter that runs this.

The commands run in turns, and every other round in reverse order, so that a
machine that gets slower or faster meets all alike.  No run is discarded.  CPU is
user and system time of the command and of all children it waited for, peak
memory is that of the largest of them.  What is shown is the median; a ratio is
the median of the rounds' ratios.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("O", ROOT / "build"))
MEASURES = {"cpu_s": ("CPU s", "{:.3f}"), "wall_s": ("wall s", "{:.3f}"),
            "peak_mb": ("peak MB", "{:.1f}")}
STDERR_LINES = 15


class BenchError(Exception):
    """Why a bench could not be measured."""


def load():
    return round(os.getloadavg()[0], 2)


def fill(arguments, names):
    """Put the values of {work}, {root} ... into a command's arguments."""
    filled = []
    for argument in arguments:
        for name, value in names.items():
            argument = argument.replace("{" + name + "}", value)
        filled.append(argument)
    return filled


def measure(command, log_path):
    """Run a command to its end; its CPU and wall seconds and its peak memory in MB."""
    with open(log_path, "wb") as log:
        start = time.monotonic()
        try:
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                     stdout=subprocess.DEVNULL, stderr=log)
        except FileNotFoundError:
            raise BenchError(f"{command[0]} is not there: install or build it") from None
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.monotonic() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        lines = log_path.read_text(errors="replace").splitlines()[-STDERR_LINES:]
        raise BenchError(f"{' '.join(command)} ended with status {child.returncode}:\n"
                         + "\n".join(lines))
    return {"cpu_s": usage.ru_utime + usage.ru_stime, "wall_s": wall,
            "peak_mb": usage.ru_maxrss / 1024}


def run_bench(bench, rounds, names):
    """Set up and measure; the result as it goes into the JSON file."""
    work = BUILD / "bench" / bench["name"]
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    names = {**names, "work": str(work)}
    log = work / "stderr.log"
    for command in bench.get("setup", []):
        measure(fill(command, names), log)

    commands = bench["command"]
    runs = {command["name"]: [] for command in commands}
    load_before = load()
    for number in range(rounds):
        for command in commands if number % 2 == 0 else reversed(commands):
            runs[command["name"]].append(measure(fill(command["run"], names), log))
            show_progress(bench["name"], number, rounds)
    return {"name": bench["name"], "about": bench["about"], "rounds": rounds,
            "load_before": load_before, "load_after": load(),
            "commands": [summarise(name, runs[name], runs[commands[0]["name"]])
                         for name in runs]}


def summarise(name, runs, reference):
    """Medians of a command's runs and its ratios to the reference's, round by round."""
    result = {"name": name, "runs": runs}
    for key in MEASURES:
        values = [run[key] for run in runs]
        ratios = [run[key] / other[key] for run, other in zip(runs, reference) if other[key]]
        result[key] = {"median": statistics.median(values), "min": min(values),
                       "max": max(values),
                       "ratio": statistics.median(ratios) if ratios else None}
    return result


def show_progress(name, number, rounds):
    if sys.stderr.isatty():
        print(f"\r{name}: round {number + 1} of {rounds}\033[K", end="", file=sys.stderr)


def end_progress():
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)


def show(result):
    print(f"{result['name']}: {result['about']}")
    print(f"  {result['rounds']} rounds, load {result['load_before']} before,"
          f" {result['load_after']} after; ratios to the first line")
    width = max(len(command["name"]) for command in result["commands"])
    print(("  " + " " * width
           + "".join(f"{title:>12}{'':7}" for title, _ in MEASURES.values())).rstrip())
    for command in result["commands"]:
        line = f"  {command['name']:<{width}}"
        for key, (_, form) in MEASURES.items():
            ratio = command[key]["ratio"]
            line += f"{form.format(command[key]['median']):>12}"
            line += f" x{ratio:<5.3g}" if ratio is not None else f" {'-':<6}"
        print(line.rstrip())
    print(flush=True)


def read_benches(paths, only):
    benches = [bench for path in paths for bench in tomllib.loads(path.read_text())["bench"]]
    if only:
        benches = [bench for bench in benches if bench["name"] == only]
    if not benches:
        raise BenchError(f"no bench is named {only}" if only else "the files list no bench")
    return benches


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", metavar="NAME", help="run this bench only")
    parser.add_argument("--rounds", type=int, metavar="N", help="instead of the file's")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every measurement there")
    parser.add_argument("files", nargs="+", type=Path)
    return parser.parse_args()


def main():
    args = parse_arguments()
    names = {"root": str(ROOT), "python": sys.executable,
             "perfconv": os.environ.get("PERFCONV", str(BUILD / "perfconv"))}
    results = []
    try:
        for bench in read_benches(args.files, args.only):
            missing = [need for need in bench.get("needs", []) if not shutil.which(need)]
            if missing:
                print(f"{bench['name']}: left out, needs {', '.join(missing)}")
                continue
            results.append(run_bench(bench, args.rounds or bench["rounds"], names))
            end_progress()
            show(results[-1])
    except BenchError as error:
        end_progress()
        sys.exit(f"bench: {error}")
    if args.json:
        args.json.write_text(json.dumps({"cpus": os.cpu_count(), "kernel": os.uname().release,
                                         "benches": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
