#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""pyframes on aarch64, under emulation: builds it, looks at the wheel, runs the tests.

    tests/python/aarch64.py [--setup] [PATTERN]

Debian's arm64 Python 3.11 is unpacked below build/aarch64/root (no package is
installed, no privilege is needed) and run by qemu-aarch64.  pyframes is
cross-compiled by pip into a wheel.  Then the tests in test_*.py run as on any
other interpreter, and gdb unwinds a stack of Python functions by the
trampolines' CFI alone.  --setup ends before the tests.

What emulation cannot show: perf records the emulator, not the program, so
test_perf.py is left out.  The last line is

    N passed, N failed, N skipped
"""

import argparse
import glob
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import zipfile

import run
import venvs

FOLDER = os.path.join(venvs.build_dir(), "aarch64")
ROOT = os.path.join(FOLDER, "root")
PYTHON = os.path.join(ROOT, "usr", "bin", "python3")  # a script that calls the emulator
EMULATOR = ["qemu-aarch64", "-L", ROOT, "-0", PYTHON, PYTHON + ".11"]
PACKAGES_FOLDER = os.path.join(ROOT, "usr", "lib", "python3", "dist-packages")
CROSS = "aarch64-linux-gnu-"
PROGRAMS = {"qemu-aarch64": "qemu-user", CROSS + "gcc": "gcc-aarch64-linux-gnu",
            "apt-get": "apt", "dpkg-deb": "dpkg", "python3.11": "python3.11-venv"}
PACKAGES = ["libbz2-1.0", "libc6", "libcrypt1", "libdb5.3", "libexpat1", "libffi8", "libgcc-s1",
            "liblzma5", "libncursesw6", "libpython3.11-dev", "libpython3.11-minimal",
            "libpython3.11-stdlib", "libreadline8", "libsqlite3-0", "libssl3", "libtinfo6",
            "libuuid1", "python3.11", "python3.11-minimal", "zlib1g"]
LEFT_OUT = {"test_perf.py": "perf would record the emulator",
            "test_agent.py": "/proc shows the emulator's program and signals instead"}


class SetUpError(Exception):
    """Why it cannot run here, one sentence."""


def call(command, **options):
    process = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                             errors="replace", **options)
    if process.returncode:
        raise SetUpError("%s: %s" % (" ".join(command[:3]), process.stdout.strip()[-800:]))
    return process.stdout


def apt(*arguments):
    """apt-get for arm64, with its own lists; the system's settings stay as they are."""
    state = os.path.join(FOLDER, "apt")
    for name in ("state/lists/partial", "cache/archives/partial", "debs"):
        os.makedirs(os.path.join(state, name), exist_ok=True)
    open(os.path.join(state, "status"), "a").close()
    options = {"APT::Architecture": "arm64", "APT::Architectures": "arm64",
               "APT::Sandbox::User": "", "Dir::State": state + "/state",
               "Dir::State::status": state + "/status", "Dir::Cache": state + "/cache"}
    return call(["apt-get", "-q", *["-o%s=%s" % item for item in options.items()], *arguments],
                cwd=os.path.join(state, "debs"))


def make_root():
    """Debian's arm64 Python and what it needs, unpacked; and the script that runs it."""
    stamp = os.path.join(ROOT, "complete")
    if os.path.exists(stamp):
        return
    shutil.rmtree(ROOT, ignore_errors=True)
    apt("update")
    apt("download", *PACKAGES)
    debs = os.path.join(FOLDER, "apt", "debs")
    for name in sorted(os.listdir(debs)):
        call(["dpkg-deb", "-x", os.path.join(debs, name), ROOT])
    with open(PYTHON, "w") as script:
        script.write("#!/bin/sh\nexec %s \"$@\"\n" % " ".join(map(shlex.quote, EMULATOR)))
    os.chmod(PYTHON, 0o755)
    open(stamp, "w").close()


def build_wheel():
    """pip wheel with a cross compiler; the wheel's path."""
    venv = os.path.join(FOLDER, "venv")
    pip = os.path.join(venv, "bin", "pip")
    if not os.path.exists(venv):
        call(["python3.11", "-m", "venv", venv])
        call([pip, "install", "--quiet", "setuptools>=70.1"])
    target = os.path.join(FOLDER, "wheel")
    shutil.rmtree(target, ignore_errors=True)
    include = os.path.join(ROOT, "usr", "include")
    environment = venvs.clean_environment(
        CC=CROSS + "gcc", LDSHARED=CROSS + "gcc -shared", _PYTHON_HOST_PLATFORM="linux-aarch64",
        _PYTHON_SYSCONFIGDATA_NAME="_sysconfigdata__aarch64-linux-gnu",
        CFLAGS="-g -O2 -Werror -isystem %s/python3.11 -isystem %s" % (include, include),
        PYTHONPATH=os.path.join(FOLDER, "sysconfig"))
    os.makedirs(environment["PYTHONPATH"], exist_ok=True)
    shutil.copy(os.path.join(ROOT, "usr/lib/python3.11/_sysconfigdata__aarch64-linux-gnu.py"),
                environment["PYTHONPATH"])
    call([pip, "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", target,
          os.path.join(venvs.ROOT, "pyframes")], env=environment)
    return os.path.join(target, *os.listdir(target))


def install(wheel):
    """Unpacks the wheel where Debian's site looks for packages."""
    shutil.rmtree(PACKAGES_FOLDER, ignore_errors=True)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(PACKAGES_FOLDER)


class Wheel(unittest.TestCase):
    """The wheel that a Raspberry Pi or a Jetson would install."""

    def test_name_and_tag(self):
        self.assertRegex(os.path.basename(self.wheel),
                         r"^pyframes-[0-9.]+-cp311-cp311-linux_aarch64\.whl$")

    def test_extension(self):
        path, = glob.glob(os.path.join(PACKAGES_FOLDER, "pyframes", "_pyframes.*.so"))
        self.assertTrue(path.endswith(".cpython-311-aarch64-linux-gnu.so"), path)
        text = call(["readelf", "-hlW", path])
        self.assertRegex(text, r"Machine: +AArch64")
        aligned = re.findall(r"^ +LOAD .* (0x[0-9a-f]+)$", text, re.M)
        self.assertEqual({int(size, 16) for size in aligned}, {65536})  # pages may be that large


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


def run_cases(wheel, totals):
    Wheel.wheel = wheel
    load = unittest.defaultTestLoader.loadTestsFromTestCase
    suite = unittest.TestSuite([load(Wheel), load(Unwind)])
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
    missing = sorted({package for name, package in PROGRAMS.items() if not shutil.which(name)})
    if missing:
        raise SetUpError("missing: apt-get install " + " ".join(missing))
    make_root()
    wheel = build_wheel()
    install(wheel)
    totals = run.Totals()
    if not options.setup:
        run_cases(wheel, totals)
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
