#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Runs CPython's own regression tests without and with the hook, and compares.

    tests/python/regrtest.py [--python EXE]... [--tests NAME]...

Every single test's result counts: passed, failed, error or skipped. The list of
differences must be empty. A test that differs is run once more both ways, alone,
so that a test which is flaky by itself does not count.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import venvs  # noqa: E402

TESTS = [
    "test_asyncio", "test_threading", "test_fork1", "test_generators", "test_coroutines",
    "test_sys_settrace", "test_exceptions", "test_gc", "test_concurrent_futures",
    "test_multiprocessing_spawn", "test_asyncgen", "test_contextlib", "test_sys", "test_traceback",
    "test_inspect", "test_code", "test_frame", "test_scope", "test_descr", "test_threadsignals",
    "test_sys_setprofile", "test_context", "test_yield_from", "test_functools", "test_json",
]
# Where a CPython splits a test into a package or has none, its runner says so.
SECONDS = 900


def run_tests(python, tests, directory, active):
    """Result by test id; runs in a process of its own under CPython's regrtest."""
    xml = os.path.join(directory, "results-%d.xml" % active)
    environment = dict(os.environ, PYTHONDONTWRITEBYTECODE="1", PYTHONHASHSEED="1")
    environment.pop("PYFRAMES", None)
    if active:
        environment.update(PYFRAMES="1", PYFRAMES_DIR=os.path.join(directory, "pyframes"))
    command = [python, "-m", "test", "--junit-xml", xml, "--timeout", str(SECONDS // 3), *tests]
    try:
        process = subprocess.run(command, env=environment, cwd=directory, timeout=SECONDS,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, text=True, errors="replace")
        output, status = process.stdout, process.returncode
    except subprocess.TimeoutExpired as error:
        output, status = str(error), "timeout"
    results = {"(exit status)": "crash" if isinstance(status, str) or status < 0 else "exit"}
    if os.path.exists(xml):
        for case in ElementTree.parse(xml).iter("testcase"):
            name = "%s.%s" % (case.get("classname", ""), case.get("name"))
            results[name] = next((child.tag for child in case
                                  if child.tag in ("failure", "error", "skipped")), "passed")
        os.unlink(xml)
    else:
        results["(no results)"] = output[-2000:]
    return results


def differences(without, within):
    return {name: (without.get(name, "absent"), within.get(name, "absent"))
            for name in without.keys() | within.keys() if without.get(name) != within.get(name)}


def compare(python, test, directory):
    """Number of results and what differs twice."""
    first = run_tests(python, [test], directory, 0)
    different = differences(first, run_tests(python, [test], directory, 1))
    if different:
        again = differences(run_tests(python, [test], directory, 0),
                            run_tests(python, [test], directory, 1))
        different = {name: change for name, change in different.items() if name in again}
    return len(first) - 1, different


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", action="append", metavar="EXE")
    parser.add_argument("--tests", action="append", metavar="NAME")
    options = parser.parse_args()
    failed = 0
    for python in venvs.interpreters(options.python):
        python = venvs.make(python, "regrtest")
        version = venvs.version(python)
        for test in options.tests or TESTS:
            with tempfile.TemporaryDirectory(prefix="pyframes-regrtest-") as directory:
                os.mkdir(os.path.join(directory, "pyframes"), 0o700)
                count, different = compare(python, test, directory)
            failed += bool(different)
            print("%-8s %-28s %5d results, %d differ" % (version, test, count, len(different)),
                  flush=True)
            for name, (before, after) in sorted(different.items()):
                print("    %s: %s without, %s with" % (name, before, after), flush=True)
    print("%d test files differ" % failed)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
