#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Record one program again and again, and see what perfconv diff says of it.

    tests/diff/run.py [--pairs N] [--seconds S] [--keep DIR]

Of N pairs of captures of program.py at most one in twenty may show a change. Of
captures of the program and its twin, whose checksum() does 20 % more work, that
function must be the first change: of three captures a side always, of one a side in
most of N pairs. Captures are taken in turn, so that what the machine does else
meets both alike.

Needs perf with the right to record, and CPython 3.11; without them the tests are
skipped, with the reason. PERFCONV defaults to build/perfconv.
"""
import argparse
import functools
import json
import shutil
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import suite  # noqa: E402
import venvs  # noqa: E402
from suite import PERFCONV, ROOT, perf_trouble, python_with_pyframes  # noqa: E402

RATE_HZ = 1999
DUMP_BYTES = 8192
SLOWER_PERCENT = 20
FUNCTION = "checksum"
LEAST_FOUND = 0.5  # of single pairs with the twin

run = functools.partial(suite.run, limit_s=120)


class Results:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def test(self, name, good, detail):
        self.passed += good
        self.failed += not good
        print(f"  {'ok    ' if good else 'FAILED'}  {name}: {detail}", flush=True)

    def skip(self, reason):
        self.skipped += 1
        print(f"  skipped: {reason}", flush=True)

    def end(self):
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped")
        sys.exit(1 if self.failed else 0)


def record(folder, python, name, seconds, percent):
    """The profile of one run of program.py."""
    capture = Path(folder) / name
    capture.mkdir()
    done = run([sys.executable, ROOT / "scripts" / "perf-pyrecord", "--rate", RATE_HZ,
                "--dump-bytes", DUMP_BYTES, "-o", capture / "perf.data", "--", python,
                HERE / "program.py", seconds, percent],
               env=venvs.clean_environment(PYFRAMES_DIR=str(capture)))
    if done.returncode:
        raise SystemExit(f"perf-pyrecord failed: {done.stderr}")
    profile = Path(folder) / f"{name}.speedscope.json"
    done = run([PERFCONV, "convert", "-q", "-i", capture / "perf.data", "-o", profile])
    if done.returncode:
        raise SystemExit(f"perfconv convert failed: {done.stderr}")
    shutil.rmtree(capture)
    return profile


def diff(before, after):
    """The answer for lists of profiles."""
    sides = [word for path in before for word in ("--before", path)]
    sides += [word for path in after for word in ("--after", path)]
    done = run([PERFCONV, "diff", "--format", "json", "--fail-on-regression", *sides])
    answer = json.loads(done.stdout)
    wanted = {"regression": 3, "unknown": 4}.get(answer["answer"], 0)
    if done.returncode != wanted:
        raise SystemExit(f"perfconv diff ended with {done.returncode}, not {wanted}: {done.stderr}")
    return answer


def names(answer):
    """The changes, regressions first, threads left out."""
    return [f"{one.get('function', '?')} {one['change']:+.1f}" for one in answer["changes"]
            if one["what"] != "thread"]


def is_first(answer):
    """Whether the slower function is the first one told."""
    functions = [one for one in answer["changes"] if one["what"] == "function"]
    return bool(functions) and functions[0]["regression"] \
        and functions[0]["function"] == FUNCTION


def judge(results, same, twins, pairs):
    chosen = [(a, b) for gap in range(1, len(same)) for a, b in zip(same, same[gap:])][:pairs]
    changed = [diff([a], [b]) for a, b in chosen]
    told = [names(answer) for answer in changed if answer["changes"]]
    speeds = [answer["speed"]["factor"] for answer in changed]
    results.test(f"{len(chosen)} pairs of one program", len(told) <= max(1, pairs // 20),
                 f"{len(told)} show a change {told or ''} (the machine's speed differed by "
                 f"{100 * (min(speeds) - 1):+.0f} to {100 * (max(speeds) - 1):+.0f} %)")

    answer = diff(same[:3], twins[:3])
    results.test("the twin, 3 captures a side", is_first(answer),
                 f"changes: {names(answer)}")
    one = [diff([a], [b]) for a, b in zip(same, twins)]
    found = sum(map(is_first, one))
    results.test("the twin, one capture a side", found >= LEAST_FOUND * len(one),
                 f"first in {found} of {len(one)}: {[names(answer)[:2] for answer in one]}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--keep", help="keep the profiles in this folder")
    args = parser.parse_args()
    results = Results()
    python, reason = (None, perf_trouble()) if perf_trouble() else python_with_pyframes()
    if not python:
        results.skip(reason)
        results.end()
    count = next(n for n in range(2, 1000) if n * (n - 1) // 2 >= args.pairs)
    with tempfile.TemporaryDirectory(prefix="perfconv-diff-") as folder:
        same, twins = [], []
        for number in range(count):
            same.append(record(folder, python, f"same-{number}", args.seconds, 0))
            twins.append(record(folder, python, f"twin-{number}", args.seconds, SLOWER_PERCENT))
        judge(results, same, twins, args.pairs)
        if args.keep:
            shutil.copytree(folder, args.keep, dirs_exist_ok=True)
    results.end()


if __name__ == "__main__":
    main()
