# SPDX-License-Identifier: GPL-2.0
"""What the suites of tests share: where things are, what recording needs, the closing line.

A suite's run.py puts this folder into sys.path; so are the modules of tests/python then.
"""
import functools
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = Path(os.environ.get("O") or ROOT / "build").resolve()
PERFCONV = Path(os.environ.get("PERFCONV") or BUILD / "perfconv").resolve()

sys.path.append(str(ROOT / "tests" / "python"))
import venvs  # noqa: E402 pylint: disable=wrong-import-position


def perfconv_argument():
    """The perfconv that the first argument names, which is taken away; else PERFCONV."""
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        return Path(sys.argv.pop(1)).resolve()
    return PERFCONV


def need_program(path):
    """Ends the suite when there is no program to test."""
    if not os.access(path, os.X_OK):
        sys.exit(f"{path} is no program; build it with make")


def run(command, limit_s=300, **options):
    """The finished process of a command, with its words as text; whatever its status."""
    return subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=limit_s, check=False, **options)


@functools.lru_cache(None)
def perf_trouble():
    """Why perf cannot record here, or None."""
    if not shutil.which("perf"):
        return "perf is not installed"
    with tempfile.TemporaryDirectory() as folder:
        done = run(["perf", "record", "-q", "-e", "cpu-clock", "-k", "CLOCK_MONOTONIC", "-o",
                    Path(folder) / "perf.data", "--", "true"])
    if done.returncode:
        return "perf may not record: " + (done.stderr.strip().splitlines() or ["?"])[0]
    return None


@functools.lru_cache(None)
def interpreters_of(minor):
    """The CPythons 3.<minor> that are found."""
    return [python for python in venvs.interpreters()
            if (venvs.version(python) or "").startswith(f"3.{minor}.")]


def builds_extensions(python):
    """Whether there is a compiler, and the headers of @python."""
    done = run([python, "-c", "import sysconfig; print(sysconfig.get_paths()['include'])"])
    return shutil.which("gcc") and (Path(done.stdout.strip()) / "Python.h").exists()


@functools.lru_cache(None)
def python_with_pyframes(preferred=lambda python: True):
    """A CPython 3.11 with pyframes, one that is preferred if there is; and why there is none.

    A pyframes that does not build where it could is a failure.
    """
    found = [python for python in interpreters_of(11) if builds_extensions(python)]
    if not found:
        return None, "there is no CPython 3.11 with its headers, or no gcc"
    try:
        return venvs.make(next(filter(preferred, found), found[0]), "live"), None
    except SystemExit as error:
        raise AssertionError(str(error)) from error


class Result(unittest.TextTestResult):
    """Counts the tests that passed, too."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.passed = 0

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1


class Runner(unittest.TextTestRunner):
    resultclass = Result

    def __init__(self, **options):
        super().__init__(stream=sys.stdout, **options)


def run_tests(default=None, verbosity=1, arguments=None):
    """Runs the program's tests and ends it: reasons of skips, the closing line, the status.

    Its arguments, those of the command line if None, are unittest's. A class that fails
    before its tests is one failure; those of its tests, or of one that is skipped, that did
    not run are skipped.
    """
    program = unittest.main(exit=False, testRunner=Runner, verbosity=verbosity, warnings="ignore",
                            defaultTest=default, argv=None if arguments is None else ["", *arguments])
    result = program.result
    for test, reason in result.skipped:
        print(f"skipped {test.id().replace('__main__.', '')}: {reason}")
    failed = {getattr(test, "test_case", test) for test, _ in result.failures + result.errors}
    tests = sum(isinstance(test, unittest.TestCase) for test in failed)
    print(f"{result.passed} passed, {len(failed)} failed, "
          f"{program.test.countTestCases() - result.passed - tests} skipped")
    sys.exit(1 if failed else 0)
