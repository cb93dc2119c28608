# SPDX-License-Identifier: GPL-2.0
"""What the tests share: run code under pyframes in a process of its own, read what it wrote."""

import glob
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
import unittest

from pyframes import _reader

# Set where another program runs the interpreter (aarch64.py): the kernel then sees that one.
EMULATOR = os.environ.get("TEST_EMULATOR")
SECONDS = int(os.environ.get("TEST_SECONDS", "60"))  # a slow machine may have more
HERE = os.path.dirname(os.path.abspath(__file__))


class Result:
    """A finished process and the side files it left."""

    def __init__(self, process, directory):
        self.returncode = process.returncode
        self.stdout = process.stdout
        self.stderr = process.stderr
        self.directory = directory

    def paths(self, pattern):
        return sorted(glob.glob(os.path.join(self.directory, pattern)))

    def sides(self):
        """All side files, parsed, in order of their start."""
        sides = []
        for path in self.paths("*.side"):
            with open(path, "rb") as file:
                sides.append(_reader.read(file.read()))
        return sorted(sides, key=lambda side: side.header.start_ns)


def records(side, kind):
    return [record.fields for record in side.records if record.type == kind]


def names(side, kind="function"):
    """Names of all code records of a kind."""
    number = {"function": 0, "task": 1}[kind]
    return [fields["name"] for fields in records(side, "code") if fields["kind"] == number]


def compile_shared(source, target, *flags):
    """A helper library in C; the reason why not, or None."""
    compiler = os.environ.get("TEST_CC") or shutil.which("gcc") or shutil.which("cc")
    if not compiler:
        return "no C compiler"
    done = subprocess.run([compiler, "-shared", "-fPIC", "-O1", *flags, "-o", target,
                           os.path.join(HERE, "c", source), "-ldl"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return "%s does not compile: %s" % (source, done.stdout) if done.returncode else None


class Case(unittest.TestCase):
    """A test with a private directory."""

    maxDiff = None

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="pyframes-test-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def environment(self, mode="1", **changes):
        environment = {key: value for key, value in os.environ.items()
                       if not key.startswith("PYFRAMES")}
        environment.update(PYFRAMES_DIR=self.directory, PYTHONDONTWRITEBYTECODE="1")
        if mode is not None:
            environment["PYFRAMES"] = mode
        environment.update(changes)
        return environment

    def write(self, name, code):
        path = os.path.join(self.directory, name)
        with open(path, "w") as file:
            file.write(textwrap.dedent(code))
        return path

    def run_python(self, code, *, mode="1", flags=(), check=True, **changes):
        """Run code as a script; unless check is off it must succeed without a word on stderr."""
        command = [sys.executable, *flags, self.write("program.py", code)]
        process = subprocess.run(command, env=self.environment(mode, **changes), text=True,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, timeout=SECONDS, cwd=self.directory)
        result = Result(process, self.directory)
        if check:
            self.assertEqual((result.returncode, result.stderr), (0, ""), result.stdout)
            for side in result.sides():
                self.assertIsNone(side.damage)
        return result

    def start_python(self, code, *, mode="1", **changes):
        """Start code as a script; returns the process once it has printed a line."""
        process = subprocess.Popen([sys.executable, self.write("program.py", code)],
                                   env=self.environment(mode, **changes), text=True,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, cwd=self.directory)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        self.assertTrue(process.stdout.readline(), "the program did not start")
        return process

    def command(self, *arguments, check=True):
        """Run python -m pyframes."""
        process = subprocess.run([sys.executable, "-m", "pyframes", *map(str, arguments)],
                                 env=self.environment(None), text=True, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, timeout=SECONDS)
        if check:
            self.assertEqual(process.returncode, 0, process.stderr)
        return process
