#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Run the tests of scripts/ and contrib/vehicle.

    python3 tests/pam/run.py [test_module ...]

The tests need pymavlink, paho-mqtt and redis. They come from PAM's venv
(build/pam/venv) when it is installed, else from a small venv made once in
build/pam-tests/venv. Without either the tests that need them are skipped.
Ends with the line `N passed, N failed, N skipped`.
"""

import os
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
REPOSITORY = os.path.dirname(os.path.dirname(HERE))

sys.path.append(os.path.dirname(HERE))
from suite import Runner  # noqa: E402 pylint: disable=wrong-import-position

MODULES = "import paho.mqtt.client, pymavlink.dialects.v20.all, redis"
PACKAGES = ("leaf-pymavlink==0.1.16", "paho-mqtt==2.1.0", "redis==6.4.0")
BUILD = os.environ.get("O") or os.path.join(REPOSITORY, "build")
MARK = "PAM_TESTS_PYTHON_CHOSEN"


def has_modules(python):
    """True when the interpreter runs and has what the tests import."""
    return os.access(python, os.X_OK) and subprocess.run(
        [python, "-c", MODULES], stdin=subprocess.DEVNULL,
        capture_output=True, check=False).returncode == 0


def make_small_venv(folder):
    """A venv with the three packages; says why when it cannot be made."""
    print(f"making {folder} for the tests ...", flush=True)
    for command in (["python3.11", "-m", "venv", folder],
                    [os.path.join(folder, "bin", "pip"), "install", "-q",
                     "--disable-pip-version-check", *PACKAGES]):
        try:
            result = subprocess.run(command, stdin=subprocess.DEVNULL,
                                    capture_output=True, text=True,
                                    check=False)
        except OSError as error:
            print(f"not made: {error}", flush=True)
            return
        if result.returncode != 0:
            lines = (result.stderr or result.stdout).strip().splitlines()
            print(f"not made: {lines[-1] if lines else command}", flush=True)
            return


def choose_python():
    """Path of an interpreter that has the modules, or None."""
    small = os.path.join(BUILD, "pam-tests", "venv")
    places = [os.path.join(BUILD, "pam", "venv"), small]
    for place in places:
        python = os.path.join(place, "bin", "python")
        if has_modules(python):
            return python
    make_small_venv(small)
    python = os.path.join(small, "bin", "python")
    return python if has_modules(python) else None


def main(names):
    python = None if MARK in os.environ else choose_python()
    if python:
        environ = dict(os.environ, **{MARK: "1"})
        os.execve(python, [python, os.path.abspath(__file__), *names],
                  environ)
    sys.path.insert(0, HERE)
    loader = unittest.TestLoader()
    suite = (loader.loadTestsFromNames(names) if names
             else loader.discover(HERE, "test_*.py"))
    result = Runner(verbosity=2).run(suite)
    failed = len(result.failures) + len(result.errors)
    print(f"{result.passed} passed, {failed} failed, "
          f"{len(result.skipped)} skipped")
    return 1 if failed or not result.passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
