#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Convert the captures of tests/files and compare the bytes with what is committed.

    tests/golden/run.py [--update] [PERFCONV]

--update rewrites the golden files; look at the difference before committing it.
PERFCONV defaults to $PERFCONV, then build/perfconv.
"""
import argparse
import difflib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FILES = ROOT / "tests" / "files"
GOLDEN = ROOT / "tests" / "golden"
LIMIT_S = 60
SHOWN_LINES = 60
SHOWN_COLUMNS = 400

# name of the golden file, capture, options, suffixes of files that are not there
CASES = [
    ("c-threads", "good-c-threads.data", ["--frames", "all"], []),
    ("python-threads-python", "good-python-threads.data", ["--frames", "python"], []),
    ("python-threads-merged", "good-python-threads.data",
     ["--scenario", "golden", "--meta", "made by=recipes/record.sh"], []),
    ("python-threads-native", "good-python-threads.data", ["--frames", "native"], []),
    ("python-threads-all", "good-python-threads.data", ["--frames", "all"], []),
    ("python-threads-no-side-file", "good-python-threads.data", ["--frames", "python"],
     [".side"]),
    ("several-events", "good-several.data",
     ["--frames", "python", "--event", "page-faults", "--event", "all"], []),
    ("levels-aarch64", "good-levels-aarch64.data", ["--frames", "all"], []),
    ("levels-aarch64-pac", "good-levels-aarch64-pac.data", ["--frames", "all"], []),
    ("levels-aarch64-fp", "good-levels-aarch64-fp.data", ["--frames", "all"], []),
    ("levels-armv7", "good-levels-armv7.data", ["--frames", "all"], []),
    ("waits-merged", "good-waits.data", [], []),
    ("waits-all", "good-waits.data",
     ["--frames", "all", "--thread", "*sleeper", "--from", "0.4", "--to", "0.6"], []),
    ("waits-cpu", "good-waits.data", ["--view", "cpu", "--frames", "python"], []),
    ("waits-small", "good-waits.data",
     ["--frames", "python", "--max-samples", "60", "--thread", "thread *"], []),
]


def convert(perfconv, capture, options, absent):
    """The profile's bytes, or None; what was said is shown when it fails."""
    with tempfile.TemporaryDirectory(prefix="perfconv-golden-") as folder:
        for path in FILES.iterdir():
            if path.is_file() and path.suffix not in absent:
                shutil.copy(path, folder)
        done = subprocess.run([perfconv, "convert", "-q", "-i", capture, "-o", "-", *options],
                              cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=LIMIT_S, check=False)
    if done.returncode:
        print(f"  perfconv ended with status {done.returncode}: {done.stderr.decode()}", end="")
        return None
    return done.stdout


def show_difference(expected, got, name):
    lines = difflib.unified_diff(expected.decode().splitlines(), got.decode().splitlines(),
                                 f"tests/golden/{name}", "this perfconv", lineterm="")
    for number, line in enumerate(lines):
        if number == SHOWN_LINES:
            print("  ...")
            return
        print("  " + line[:SHOWN_COLUMNS])


def check(perfconv, case, update):
    name, capture, options, absent = case
    path = GOLDEN / f"{name}.speedscope.json"
    got = convert(perfconv, capture, options, absent)
    if got is None:
        return False
    if update:
        if not path.exists() or path.read_bytes() != got:
            path.write_bytes(got)
            print(f"  wrote {path.relative_to(ROOT)}")
        return True
    if not path.exists():
        print(f"  {path.relative_to(ROOT)} is missing; make it with --update")
        return False
    expected = path.read_bytes()
    if expected != got:
        show_difference(expected, got, path.name)
    return expected == got


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--update", action="store_true")
    parser.add_argument("perfconv", nargs="?", type=Path, default=Path(
        os.environ.get("PERFCONV") or ROOT / "build" / "perfconv"))
    args = parser.parse_args()
    perfconv = args.perfconv.resolve()
    if not os.access(perfconv, os.X_OK):
        sys.exit(f"{perfconv} is no program; build it with make")
    failed = 0
    for case in CASES:
        passed = check(perfconv, case, args.update)
        print(f"  {'ok' if passed else 'FAILED':<7} {case[0]}", flush=True)
        failed += not passed
    known = {f"{case[0]}.speedscope.json" for case in CASES}
    for path in sorted(GOLDEN.glob("*.speedscope.json")):
        if path.name not in known:
            print(f"  FAILED  {path.name} belongs to no case")
            failed += 1
    print(f"{len(CASES) - min(failed, len(CASES))} passed, {failed} failed, 0 skipped")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
