#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Runs pyframes' tests on each interpreter found, or on those given.

    tests/python/run.py [--python EXE]... [--no-native] [PATTERN]

Makes a virtual environment for each under build/python (O names another folder
than build), installs ./pyframes in it and runs test_*.py there; the tests in C
(ctest_*.py) run once. Reasons of skips are printed. The last line is

    N passed, N failed, N skipped

and the exit status is 1 when a test failed. tests/python/regrtest.py and
sanitizers.py take longer and stand apart.
"""

import argparse
import collections
import os
import re
import subprocess
import sys
import time

import venvs

HERE = os.path.dirname(os.path.abspath(__file__))


class Totals(collections.Counter):
    def add_output(self, output):
        """Counts from unittest's last lines; returns whether they were there."""
        ran = re.search(r"^Ran (\d+) test", output, re.M)
        if not ran:
            self["failed"] += 1
            return False
        last = output.rsplit("\n", 2)[-2]
        counts = {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", last)}
        failed = counts.get("failures", 0) + counts.get("errors", 0)
        self["failed"] += failed
        self["skipped"] += counts.get("skipped", 0)
        self["passed"] += int(ran.group(1)) - failed - counts.get("skipped", 0)
        return not failed


def run_unittest(python, pattern, label, totals, environment):
    begin = time.monotonic()
    command = [python, "-m", "unittest", "discover", "-v", "-s", HERE, "-p", pattern]
    process = subprocess.run(command,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                             env=environment, cwd=HERE, errors="replace")
    output = process.stdout.rstrip("\n") + "\n"
    fine = totals.add_output(output) and process.returncode in (0, 5)
    print("%-24s %s in %.0f s" % (label, "ok" if fine else "FAILED", time.monotonic() - begin),
          flush=True)
    for name, reason in re.findall(r"^(test_\w+) .*?\.\.\. skipped '(.*)'$", output, re.M):
        print("    skipped %s: %s" % (name, reason))
    if not fine:
        print(output)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", action="append", metavar="EXE")
    parser.add_argument("--no-native", action="store_true", help="leave the tests in C out")
    parser.add_argument("pattern", nargs="?", default="test_*.py", help="files of tests")
    options = parser.parse_args()
    totals = Totals()
    interpreters = venvs.interpreters(options.python)
    if not interpreters:
        print("no CPython 3.9 to 3.13 is here")
        totals["skipped"] += 1
    if not options.no_native:
        run_unittest(sys.executable, "ctest_*.py", "in C", totals, venvs.clean_environment())
    for python in interpreters:
        inside = venvs.make(python, "test", extras=["uvloop"])
        run_unittest(inside, options.pattern, "Python " + venvs.version(python), totals,
                     venvs.clean_environment())
    print("%d passed, %d failed, %d skipped"
          % (totals["passed"], totals["failed"], totals["skipped"]))
    return 1 if totals["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
