#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Runs CPython's own regression tests without and with the hook, and compares.

    tests/python/regrtest.py [--python EXE]... [--testdir DIR] [--ignore TEST]... [--tests NAME]...

Every single test's result counts: passed, failed, error or skipped. The list of
differences must be empty. A test that differs is run once more both ways, alone,
so that a test which is flaky by itself does not count. A file that gives no
results at all, with or without, is told with the end of its output.

--testdir takes the test files from another folder than the interpreter's own,
where that ships only some of them; --ignore leaves single tests out, for instance
test_print_exception_gh_102056, which keeps a busy machine for half an hour.
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
    "test_subprocess", "test_signal", "test_weakref", "test_thread", "test_threading_local",
]
SECONDS = 3600  # a busy machine needs most of it for test_asyncio
OUTPUT = 20000  # characters of output that are kept where no results are
NOTHING = "(no results)"


def run_tests(python, options, test, directory, active):
    """Result by test id; runs in a process of its own under CPython's regrtest."""
    xml = os.path.join(directory, "results-%d.xml" % active)
    environment = dict(os.environ, PYTHONDONTWRITEBYTECODE="1", PYTHONHASHSEED="1")
    environment.pop("PYFRAMES", None)
    if active:
        environment.update(PYFRAMES="1", PYFRAMES_DIR=os.path.join(directory, "pyframes"))
    command = [python, "-m", "test", "--junit-xml", xml, "--timeout", str(SECONDS // 3), test]
    for name in options.ignore:
        command += ["--ignore", name]
    if options.testdir:
        command[3:3] = ["--testdir", options.testdir]
    try:
        process = subprocess.run(command, env=environment, cwd=directory, timeout=SECONDS,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, text=True, errors="replace")
        output, status = process.stdout, process.returncode
    except subprocess.TimeoutExpired as error:
        output, status = str(error.stdout), -1
    results = {"(exit status)": "crash" if status < 0 else "exit"}
    if os.path.exists(xml):
        for case in ElementTree.parse(xml).iter("testcase"):
            name = "%s.%s" % (case.get("classname", ""), case.get("name"))
            results[name] = next((child.tag for child in case
                                  if child.tag in ("failure", "error", "skipped")), "passed")
        os.unlink(xml)
    else:
        results[NOTHING] = output[-OUTPUT:]
    return results


def differences(without, within):
    return {name: (without.get(name, "absent"), within.get(name, "absent"))
            for name in without.keys() | within.keys() if without.get(name) != within.get(name)}


def compare(python, options, test, directory):
    """Number of results and what differs twice; what has no results counts as different."""
    first = run_tests(python, options, test, directory, 0)
    if NOTHING in first:
        return 0, {NOTHING: (first[NOTHING], "not run")}
    different = differences(first, run_tests(python, options, test, directory, 1))
    if different:
        print("    once: %s" % different, flush=True)
        again = differences(run_tests(python, options, test, directory, 0),
                            run_tests(python, options, test, directory, 1))
        different = {name: change for name, change in different.items() if name in again}
    return len(first) - 1, different


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", action="append", metavar="EXE")
    parser.add_argument("--ignore", action="append", metavar="TEST", default=[])
    parser.add_argument("--testdir", metavar="DIR")
    parser.add_argument("--tests", action="append", metavar="NAME")
    options = parser.parse_args()
    failed = 0
    for python in venvs.interpreters(options.python):
        python = venvs.make(python, "regrtest")
        version = venvs.version(python)
        for test in options.tests or TESTS:
            with tempfile.TemporaryDirectory(prefix="pyframes-regrtest-") as directory:
                os.mkdir(os.path.join(directory, "pyframes"), 0o700)
                count, different = compare(python, options, test, directory)
            failed += bool(different)
            print("%-8s %-28s %5d results, %d differ" % (version, test, count, len(different)),
                  flush=True)
            for name, (before, after) in sorted(different.items()):
                print("    %s: %s without, %s with" % (name, before, after), flush=True)
    print("%d test files differ" % failed)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
