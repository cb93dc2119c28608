#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Stitching against the truth: full stack dumps, cut while reading, compared.

    tests/bench/stitch.py [--seconds N] [--python EXE]... [--program NAME]...
                          [--calibration HZ] [--sizes BYTES,BYTES] [--capture FILE]...

Records the programs of stitch_program.py with full dumps and pyframes, on each
CPython 3.11 found; reads each capture whole and with its dumps cut, calibration
samples excepted, and compares every stitched stack with the whole one. --capture
takes captures that are there, made with full dumps too, instead.

Ends with status 1 if in a thread more than 1 % of the stitched stacks are not what
they should be, or any at all where callers are hard to tell apart. Needs perf and
its privilege.
"""
import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PROGRAM = HERE / "stitch_program.py"
PROGRAMS = ["threads", "asyncio", "poller", "twins", "rare-twin", "twin-waits", "rare-wait",
            "twin-coroutines"]
TWINS = PROGRAMS[3:]
FULL_DUMP = 65528
REGISTERS = "ax,bx,cx,dx,si,di,bp,sp,ip,r8,r9,r10,r11,r12,r13,r14,r15"
LIMIT_S = 120

sys.path.insert(0, str(ROOT / "tests" / "python"))
import venvs  # noqa: E402


def events(calibration_hz):
    dump = f"call-graph=dwarf,stack-size={FULL_DUMP}"
    for event in (f"cpu-clock/freq=99,{dump},name=oncpu/",
                  f"cpu-clock/freq={calibration_hz},{dump},name=calib/",
                  f"context-switches/freq=99,{dump},name=switch/"):
        yield from ("-e", event)


def record(folder, python, program, options):
    """A capture of one program, in @folder."""
    side = Path(folder) / "side"
    side.mkdir()
    capture = Path(folder) / "perf.data"
    done = subprocess.run(
        ["perf", "record", "-q", "-N", "-m", "4M", "-k", "CLOCK_MONOTONIC", "--sample-identifier",
         *events(options.calibration), f"--user-regs={REGISTERS}", "-o", str(capture), "--",
         python, str(PROGRAM), program, str(options.seconds)],
        env=venvs.clean_environment(PYFRAMES="1", PYFRAMES_DIR=str(side)),
        stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=options.seconds + LIMIT_S, check=False)
    if done.returncode:
        sys.exit(f"stitch.py: perf record failed: {done.stderr.strip()}")
    return capture


def compare(truth, capture, size):
    """(thread, whole, cut, stitched, wrong) of each thread with cut stacks, and the end's line."""
    done = subprocess.run([truth, str(size), str(capture)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=LIMIT_S, check=False)
    if done.returncode:
        sys.exit(f"stitch.py: {done.stderr.strip()}")
    *lines, last = done.stdout.splitlines()
    rows = [line.split("\t")[2:] for line in lines]
    return [(name, *map(int, counts)) for name, *counts in rows], last.lstrip("# ")


def show(truth, capture, label, sizes, strict):
    """Print one capture's figures.  Returns whether they are good enough."""
    good = True
    for size in sizes:
        rows, stayed = compare(truth, capture, size)
        for name, whole, cut, stitched, wrong in rows:
            if not cut:
                continue
            bad = wrong * 100 > stitched or (strict and wrong)
            good = good and not bad
            share = f"{100 * stitched / cut:5.1f} %"
            print(f"{label:24} {size:6} {name[:24]:24} {whole:6} {cut:6} {stitched:6} {share} "
                  f"{wrong:6}{'  TOO MANY' if bad else ''}", flush=True)
        complete = sum(row[1] - row[2] + row[3] for row in rows)
        all_stacks = sum(row[1] for row in rows)
        print(f"{label:24} {size:6} complete {100 * complete / max(all_stacks, 1):.1f} %; "
              f"stayed cut: {stayed}", flush=True)
    return good


def pythons(wanted):
    for python in wanted or venvs.interpreters():
        number = venvs.version(python) or ""
        if wanted or number.startswith("3.11."):
            yield number, venvs.make(python, "live")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--python", action="append", default=[], metavar="EXE")
    parser.add_argument("--program", action="append", default=[], choices=PROGRAMS)
    parser.add_argument("--calibration", type=int, default=9, metavar="HZ")
    parser.add_argument("--sizes", default="16384,8192", metavar="BYTES,BYTES")
    parser.add_argument("--capture", action="append", default=[], metavar="FILE")
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")]
    perfconv = os.environ.get("PERFCONV") or str(ROOT / "build" / "perfconv")
    good = True

    with tempfile.TemporaryDirectory(prefix="stitch-") as work:
        truth = os.path.join(work, "stitch_truth")
        subprocess.run([str(HERE / "build.sh"), perfconv, str(HERE / "stitch_truth.c"), truth],
                       check=True)
        print(f"load {os.getloadavg()[0]:.1f}, {options.seconds} s each, calibration "
              f"{options.calibration} Hz")
        print(f"{'program':24} {'dump':>6} {'thread':24} {'stacks':>6} {'cut':>6} {'stitch':>6} "
              f"{'share':>7} {'wrong':>6}")
        for capture in options.capture:
            good = show(truth, capture, Path(capture).parent.name, sizes, False) and good
        for number, python in () if options.capture else pythons(options.python):
            for program in options.program or PROGRAMS:
                with tempfile.TemporaryDirectory(dir=work) as folder:
                    capture = record(folder, python, program, options)
                    good = show(truth, capture, f"{program} {number}", sizes,
                                program in TWINS) and good
    sys.exit(0 if good else 1)


main()
