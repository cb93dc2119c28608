#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Record a program that knows its own lines and compare those that perfconv gives.

    tests/lines/run.py [--seconds S] [--keep DIR] [PYTHON]...

Needs perf with the right to record, and one of CPython 3.9 to 3.13 or more; of
Debian's own Python and of others with debug information, each one found is tried.
PERFCONV defaults to build/perfconv.
"""
import argparse
import functools
import json
import re
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

import truth

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import suite  # noqa: E402
import venvs  # noqa: E402
from suite import PERFCONV, ROOT, perf_trouble  # noqa: E402

LEAST_EXACT = 0.99
LEAST_GIVEN = 0.90
# The interpreter itself sampled; the innermost frame, in native code; all further out.
KINDS = "leaf", "inner", "caller"
LEAST_KNOWN = 50  # frames whose line is known, of each kind; fewer say nothing
SHARE_DELTA = 0.2  # the same work is not as quick in a longer loop
OPTIONS = argparse.Namespace(seconds=6.0, keep=None, pythons=[])

run = functools.partial(suite.run, limit_s=240)


@functools.lru_cache(None)
def truth_program():
    """lines_truth, linked with the perfconv under test."""
    path = PERFCONV.parent / "lines" / "lines_truth"
    path.parent.mkdir(exist_ok=True)
    done = run([ROOT / "tests" / "bench" / "build.sh", PERFCONV, HERE / "lines_truth.c", path])
    if done.returncode:
        raise AssertionError(done.stderr)
    return path


@functools.lru_cache(None)
def interpreters():
    """Pythons by version: those asked for, else all that lines are known of."""
    found = {}
    for python in venvs.interpreters(OPTIONS.pythons):
        version = venvs.version(python) or ""
        if re.match(r"3\.(9|1[0123])\.", version):
            found[version] = python
    return found


def record(python, folder, threads):
    """The capture of the program and what it wrote of itself."""
    log = folder / "log"
    done = run(["perf", "record", "-q", "-N", "-m", "8M", "-k", "CLOCK_MONOTONIC", "-e",
                "cpu-clock/freq=999,call-graph=dwarf,stack-size=65528/", "-o",
                folder / "perf.data", "--", python, HERE / "program.py", OPTIONS.seconds, log,
                threads],
               env=venvs.clean_environment(PYFRAMES="1", PYFRAMES_DIR=str(folder)))
    if done.returncode:
        raise AssertionError(f"perf record failed: {done.stderr}")
    return folder / "perf.data", truth.parse_log(log)


class Lines(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if perf_trouble():
            raise unittest.SkipTest(perf_trouble())
        if not interpreters():
            raise unittest.SkipTest("there is no CPython 3.9 to 3.13")
        cls.folder = Path(OPTIONS.keep or tempfile.mkdtemp(prefix="perfconv-lines-"))
        if not OPTIONS.keep:
            cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)

    def check(self, version, threads):
        folder = self.folder / f"{version}-{threads}"
        folder.mkdir(parents=True)
        capture, rows = record(venvs.make(interpreters()[version], "lines"), folder, threads)
        done = run([truth_program(), capture])
        self.assertEqual(done.returncode, 0, done.stderr)
        samples = truth.parse(done.stdout)
        minor = tuple(map(int, version.split(".")[:2]))
        counts, wrong = truth.judge(samples, rows, minor)
        for kind in KINDS:
            frames, given, known, right = counts[kind]
            print(f"  {version}, {threads} threads, {kind + ':':8} {frames:6} frames, lines given "
                  f"{100 * given / max(1, frames):6.2f} %, exact "
                  f"{100 * right / max(1, known):7.3f} % of {known}")
        real, seen, of = truth.quiet_share(samples, rows)
        print(f"  {version}, {threads} threads, quiet lines have {100 * real:.0f} % of the time "
              f"and {100 * seen:.0f} % of {of} leaves")
        for kind in KINDS:
            _, _, known, right = counts[kind]
            self.assertGreaterEqual(known, LEAST_KNOWN, kind)
            self.assertGreaterEqual(right, LEAST_EXACT * known, wrong.most_common(5))
        for kinds in KINDS[:1], KINDS[1:]:
            frames, given = (sum(counts[kind][i] for kind in kinds) for i in range(2))
            self.assertGreaterEqual(given, LEAST_GIVEN * frames, kinds)
        if of >= LEAST_KNOWN:
            self.assertAlmostEqual(real, seen, delta=SHARE_DELTA)
        return capture

    def convert(self, capture, *options):
        done = run([PERFCONV, "convert", "-q", "-i", capture, "-o", "-", *options])
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def check_output(self, capture):
        """Frames of all lines note the hottest; with --lines each line is a frame."""
        profile = self.convert(capture, "--frames", "python")
        frames = [one for one in profile["shared"]["frames"] if one["name"] == "shares"]
        self.assertEqual(len(frames), 1)
        self.assertIn(frames[0]["line"], truth.lines_with(r"table\[i & 7\] = str|# quiet$"))
        counts = profile["perfconv"]["quality"]["pythonLines"]
        self.assertGreaterEqual(counts["callersGiven"], LEAST_GIVEN * counts["callers"])
        self.assertGreaterEqual(counts["leavesGiven"], LEAST_GIVEN * counts["leaves"])
        lined = self.convert(capture, "--frames", "python", "--lines")
        found = {one.get("line") for one in lined["shared"]["frames"]
                 if one["name"] == "walk" and one["file"] == str(truth.PROGRAM)}
        for lines in truth.WALK:
            self.assertLessEqual(lines, found)
        weights = [sum(sum(one["weights"]) for one in p["profiles"]) for p in (profile, lined)]
        self.assertEqual(*weights)

    def check_minor(self, minor):
        versions = [version for version in interpreters() if version.startswith(f"3.{minor}.")]
        if not versions:
            self.skipTest(f"there is no CPython 3.{minor}")
        for version in versions:
            with self.subTest(version=version):
                self.check_output(self.check(version, 1))
                self.check(version, 3)

    def test_lines_of_3_9(self):
        self.check_minor(9)

    def test_lines_of_3_10(self):
        self.check_minor(10)

    def test_lines_of_3_11(self):
        self.check_minor(11)

    def test_lines_of_3_12(self):
        self.check_minor(12)

    def test_lines_of_3_13(self):
        self.check_minor(13)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=float, default=OPTIONS.seconds)
    parser.add_argument("--keep", help="leave the recordings in this folder")
    parser.add_argument("pythons", nargs="*")
    parser.parse_args(namespace=OPTIONS)
    suite.need_program(PERFCONV)
    suite.run_tests(arguments=[])


if __name__ == "__main__":
    main()
