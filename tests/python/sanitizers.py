#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Builds the extension with ASan and UBSan and runs its tests in Python under them.

    tests/python/sanitizers.py [--python EXE]...

Python itself is not instrumented: the sanitizers' libraries are preloaded. Leak
checking is off, because Python itself keeps memory to its end.
"""

import argparse
import os
import subprocess
import sys

import run
import venvs

FLAGS = "-fsanitize=address,undefined -fno-sanitize-recover=undefined -g"
FILES = ["test_side.py", "test_threads.py", "test_tasks.py", "test_processes.py",
         "test_safety.py", "test_agent.py"]


def library(name):
    path = subprocess.run(["gcc", "-print-file-name=" + name], stdout=subprocess.PIPE, text=True,
                          check=True).stdout.strip()
    if not os.path.isabs(path):
        raise SystemExit("gcc has no %s" % name)
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", action="append", metavar="EXE")
    options = parser.parse_args()
    totals = run.Totals()
    preload = "%s:%s" % (library("libasan.so"), library("libubsan.so"))
    for python in venvs.interpreters(options.python):
        inside = venvs.make(python, "sanitized", FLAGS)
        environment = venvs.clean_environment(
            LD_PRELOAD=preload, SANITIZED="1",
            ASAN_OPTIONS="detect_leaks=0:allocator_may_return_null=1:handle_segv=0",
            UBSAN_OPTIONS="print_stacktrace=1")
        for name in FILES:
            run.run_unittest(inside, name, "%s %s" % (venvs.version(python), name), totals,
                             environment)
    print("%d passed, %d failed, %d skipped"
          % (totals["passed"], totals["failed"], totals["skipped"]))
    return 1 if totals["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
