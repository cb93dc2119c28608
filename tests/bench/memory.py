#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Peak memory of a long capture without stack dumps, against what is allowed.

    tests/bench/memory.py [--bytes N]

A program is recorded for some seconds and the capture made longer by repeating its
records.  Above what the short one takes (the program's symbols and debugging
information), 64 bytes a sample and 20 a switch are allowed; status 1 if it is more.
"""
import argparse
import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("O") or ROOT / "build").resolve()
PERFCONV = Path(os.environ.get("PERFCONV") or BUILD / "perfconv").resolve()
WORK = BUILD / "bench" / "memory"
SAMPLE_BYTES, SWITCH_BYTES, MB = 64, 20, 1 << 20


def run(*command):
    subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, check=True)


def peak_bytes(command):
    child = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"{' '.join(map(str, command))} ended with status {child.returncode}")
    return usage.ru_maxrss * 1024


def counts(capture):
    """Samples and SWITCH records."""
    said = json.loads(subprocess.run([PERFCONV, "info", "--json", capture], check=True,
                                     stdout=subprocess.PIPE).stdout)
    switches = sum(number for kind, number in said["records"].items()
                   if re.match(r"SWITCH", kind))
    return sum(event["samples"] for event in said["events"]), switches


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bytes", type=int, default=240_000_000, metavar="N",
                        help="of the long capture")
    args = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    short, long, profile = WORK / "short.data", WORK / "long.data", WORK / "out.json"
    run("perf", "record", "-q", "-k", "CLOCK_MONOTONIC", "-F", "997", "-g", "--switch-events",
        "-o", short, "--", sys.executable, ROOT / "tests/bench/workload.py", "6")
    run(sys.executable, ROOT / "tests/reader/grow.py", short, long, args.bytes)

    base, peak = (peak_bytes([PERFCONV, "convert", "-q", "-o", profile, capture])
                  for capture in (short, long))
    samples, switches = counts(long)
    allowed = SAMPLE_BYTES * samples + SWITCH_BYTES * switches
    print(f"{samples} samples and {switches} switches without stack dumps:"
          f" peak {peak / MB:.1f} MB, {base / MB:.1f} MB of it the base\n"
          f"  above the base {(peak - base) / MB:.1f} MB, allowed {allowed / MB:.1f} MB:"
          f" x{(peak - base) / allowed:.2f}", flush=True)
    sys.exit(peak - base > allowed)


if __name__ == "__main__":
    main()
