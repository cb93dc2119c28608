#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""pyframes on aarch64, under emulation: the tests that run on any other interpreter.

    tests/python/aarch64.py [--setup] [PATTERN]

Debian's arm64 Python 3.11 is unpacked below build/aarch64/root (no package is
installed, no privilege is needed) and run by qemu-aarch64.  The wheel that
scripts/build-wheels.py cross-compiles is unpacked there.  Then the tests in
test_*.py run as on any other interpreter, and gdb unwinds a stack of Python
functions by the trampolines' CFI alone.  --setup ends before the tests.
tests/install looks at the wheel itself.

What emulation cannot show: perf records the emulator, not the program, so
test_perf.py is left out.  The last line is

    N passed, N failed, N skipped
"""

import argparse
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import run
import venvs
from arm64_python import (CROSS, EMULATOR, FOLDER, PACKAGES_FOLDER, PYTHON, ROOT, SetUpError, call,
                          install, make_root, missing_programs)

LEFT_OUT = {"test_perf.py": "perf would record the emulator",
            "test_agent.py": "/proc shows the emulator's program and signals instead"}


def build_wheel():
    """The wheel that a Raspberry Pi or a Jetson would install; its path."""
    target = os.path.join(FOLDER, "wheel")
    shutil.rmtree(target, ignore_errors=True)
    call([os.path.join(venvs.ROOT, "scripts", "build-wheels.py"), "--arch", "aarch64",
          "--output", target], env=venvs.clean_environment())
    return glob.glob(os.path.join(target, "*.whl"))[0]


class Unwind(unittest.TestCase):
    """gdb's unwinder, which has nothing but .eh_frame here, passes every trampoline."""

    PROGRAM = """
import os, threading
class Outer:
    def inner(self):
        return os.getppid()
def middle():
    return Outer().inner()
thread = threading.Thread(target=middle)
thread.start()
thread.join()
"""
    EXPECTED = ["Outer.inner", "middle", "Thread.run", "Thread._bootstrap_inner",
                "Thread._bootstrap"]

    def test_stack_of_a_thread(self):
        if not shutil.which("gdb-multiarch"):
            self.skipTest("gdb-multiarch is not installed")
        with tempfile.TemporaryDirectory(prefix="pyframes-test-") as folder:
            program, socket = os.path.join(folder, "program.py"), os.path.join(folder, "gdb")
            with open(program, "w") as file:
                file.write(self.PROGRAM)
            environment = venvs.clean_environment(PYFRAMES="1", PYFRAMES_DIR=folder)
            target = subprocess.Popen([*EMULATOR[:1], "-g", socket, *EMULATOR[1:], program],
                                      env=environment, stderr=subprocess.PIPE)
            while target.poll() is None and not os.path.exists(socket):
                time.sleep(0.02)
            commands = ["set sysroot " + ROOT, "set breakpoint pending on",
                        "set solib-search-path %s:%s/pyframes" % (folder, PACKAGES_FOLDER),
                        "target remote " + socket, "break getppid", "continue",
                        "nosharedlibrary", "sharedlibrary",  # the symbols have grown since
                        "backtrace", "kill"]
            text = call(["gdb-multiarch", "-q", "-nx", "-batch",
                         *[word for command in commands for word in ("-ex", command)],
                         EMULATOR[-1]], timeout=600)
            target.communicate()
        frames = re.findall(r"^#\d+ .*", text, re.M)
        self.assertEqual(re.findall(r" py::([\w.]+):", text), self.EXPECTED, text)
        self.assertIn("libc.so.6", frames[-1])  # start of the thread


def run_unwind(totals):
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(Unwind)
    result = unittest.TextTestRunner(sys.stdout, verbosity=2).run(suite)
    failed = len(result.failures) + len(result.errors)
    totals.update(failed=failed, skipped=len(result.skipped),
                  passed=result.testsRun - failed - len(result.skipped))


def run_tests(pattern, totals):
    environment = venvs.clean_environment(TEST_SECONDS="600", TEST_EMULATOR="qemu-aarch64",
                                           TEST_CC=CROSS + "gcc",
                                           CPATH=os.path.join(ROOT, "usr", "include"))
    for path in sorted(glob.glob(os.path.join(venvs.HERE, pattern))):
        name = os.path.basename(path)
        if name in LEFT_OUT:
            print("%-24s left out: %s" % (name, LEFT_OUT[name]))
        else:
            run.run_unittest(PYTHON, name, name, totals, environment)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--setup", action="store_true", help="build and install, no test")
    parser.add_argument("pattern", nargs="?", default="test_*.py", help="files of tests")
    options = parser.parse_args()
    if missing_programs():
        raise SetUpError("missing: apt-get install " + missing_programs())
    make_root()
    install(build_wheel())
    totals = run.Totals()
    if not options.setup:
        run_unwind(totals)
        run_tests(options.pattern, totals)
    print("%d passed, %d failed, %d skipped"
          % (totals["passed"], totals["failed"], totals["skipped"]))
    return 1 if totals["failed"] else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except SetUpError as error:
        print("aarch64.py: %s" % error, file=sys.stderr)
        print("0 passed, 1 failed, 0 skipped")
        sys.exit(1)
