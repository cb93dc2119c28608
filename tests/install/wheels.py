# SPDX-License-Identifier: GPL-2.0
"""The wheels of pyframes for x86_64 and aarch64: what is in them, and that they work.

The other architecture's wheel is made by a cross compiler and loaded by Debian's Python of
that architecture, under emulation.  Without either its tests are skipped.
"""
import base64
import csv
import hashlib
import importlib.machinery
import importlib.util
import json
import os
import platform
import re
import shutil
import tempfile
import unittest
import unittest.mock
import zipfile
from pathlib import Path

import arm64_python
import suite
from suite import ROOT

SCRIPT = ROOT / "scripts/build-wheels.py"
PYTHON = "/usr/bin/python3.11"
PAGE_BYTES = {"x86_64": 0x1000, "aarch64": 0x10000}  # the largest that a kernel may have
MACHINE = {"x86_64": "X86-64", "aarch64": "AArch64"}
PROGRAM = """
import pyframes, threading
def outer():
    inner()
def inner():
    pass
pyframes.start()
thread = threading.Thread(target=outer, name="a thread with a long name")
thread.start()
thread.join()
pyframes.stop()
"""


def run(*command, environment=None):
    done = suite.run(command, env=environment)
    if done.returncode:
        raise AssertionError(f"{command}: {done.stdout}{done.stderr}")
    return done.stdout


def clean_environment(**changes):
    return arm64_python.venvs.clean_environment(**{name: str(value) for name, value in changes.items()})


def script():
    """build-wheels.py as a module."""
    loader = importlib.machinery.SourceFileLoader("build_wheels", str(SCRIPT))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


class Troubles(unittest.TestCase):
    """What is told when there is no wheel; nothing is left that looks like one."""

    def setUp(self):
        self.script = script()
        self.folder = Path(tempfile.mkdtemp(prefix="pyframes-wheels-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def test_a_program_that_is_no_python(self):
        for program in "/bin/true", "/bin/echo", "/nowhere/python3":
            done = suite.run([SCRIPT, "--output", self.folder, program])
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr, rf"\Abuild-wheels.py: {program}.*\n\Z")

    def test_tools_that_could_not_be_fetched_are_not_taken_later(self):
        venv = self.folder / "bare"
        run(os.sys.executable, "-m", "venv", "--without-pip", venv,
            environment=clean_environment())
        with unittest.mock.patch.dict(os.environ, PIP_NO_INDEX="1", PIP_CONFIG_FILE=os.devnull):
            for _ in range(2):
                with self.assertRaisesRegex(self.script.BuildError, "setuptools|wheel"):
                    self.script.with_setuptools(str(venv / "bin/python"), "3", self.folder)

    def make_wheel(self):
        wheel = self.folder / "x-1-cp311-cp311-linux_x86_64.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            for name in "x.so", "x-1.dist-info/WHEEL", "x-1.dist-info/RECORD":
                archive.writestr(name, "")
        return wheel

    def test_an_extension_that_asks_for_nothing(self):
        with unittest.mock.patch.object(self.script, "run", lambda command: ""), \
                self.assertRaisesRegex(self.script.BuildError, "no symbol of glibc"):
            self.script.platform_tag(self.make_wheel(), "x86_64", self.folder)

    def test_a_wheel_is_there_whole_or_not_at_all(self):
        wheel, output = self.make_wheel(), self.folder / "output"
        output.mkdir()
        with unittest.mock.patch.object(zipfile.ZipFile, "writestr", side_effect=OSError), \
                self.assertRaises(OSError):
            self.script.write_tagged(wheel, "any", output)
        self.assertEqual(list(output.iterdir()), [])
        target = self.script.write_tagged(wheel, "any", output)
        self.assertEqual(list(output.iterdir()), [target])


class Wheels(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not os.path.exists(PYTHON):
            raise unittest.SkipTest(f"{PYTHON} is not here (python3.11)")
        if platform.machine() not in PAGE_BYTES:
            raise unittest.SkipTest(f"no wheels are made for {platform.machine()}")
        cls.folder = Path(tempfile.mkdtemp(prefix="pyframes-wheels-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.wheels = {}
        cls.environment = clean_environment(TMPDIR=cls.folder)
        for arch in PAGE_BYTES:
            if arch == platform.machine() or shutil.which(
                    f"{arch.replace('_', '-')}-linux-gnu-gcc"):
                cls.wheels[arch], = cls.build(arch, cls.folder / "wheels").glob(f"*{arch}.whl")

    @classmethod
    def build(cls, arch, folder):
        run(SCRIPT, "--arch", arch, "--output", folder, PYTHON, environment=cls.environment)
        return folder

    def wheel(self, arch):
        if arch not in self.wheels:
            self.skipTest(f"no compiler for {arch} is here "
                          f"(gcc-{arch.replace('_', '-')}-linux-gnu)")
        return self.wheels[arch]

    def test_tag_is_what_the_extension_needs(self):
        for arch in self.wheels:
            with self.subTest(arch):
                match = re.fullmatch(r"pyframes-[\d.]+-cp311-cp311-(manylinux_2_(\d+)_(\w+))\.whl",
                                     self.wheels[arch].name)
                self.assertEqual(match[3], arch)
                with zipfile.ZipFile(self.wheels[arch]) as archive:
                    about, = [name for name in archive.namelist() if name.endswith("/WHEEL")]
                    self.assertEqual(re.findall(r"(?m)^Tag: (.*)$", archive.read(about).decode()),
                                     [f"cp311-cp311-{match[1]}"])
                needs = re.findall(r"GLIBC_2\.(\d+)", run("readelf", "-VW", self.extension(arch)))
                self.assertEqual(max(map(int, needs)), int(match[2]))

    def extension(self, arch):
        with zipfile.ZipFile(self.wheel(arch)) as archive:
            name, = [name for name in archive.namelist() if name.endswith(".so")]
            self.assertEqual(name, f"pyframes/_pyframes.cpython-311-{arch}-linux-gnu.so")
            return archive.extract(name, self.folder / arch)

    def test_extension_fits_the_machine(self):
        for arch in self.wheels:
            with self.subTest(arch):
                text = run("readelf", "-hlSW", self.extension(arch))
                self.assertRegex(text, f"Machine: .*{MACHINE[arch]}")
                aligned = re.findall(r"^ +LOAD .* (0x[0-9a-f]+)$", text, re.MULTILINE)
                self.assertEqual({int(size, 16) for size in aligned}, {PAGE_BYTES[arch]})
                self.assertNotIn(".debug_info", text)

    def test_records_are_true(self):
        for wheel in self.wheels.values():
            with self.subTest(wheel.name), zipfile.ZipFile(wheel) as archive:
                record, = [name for name in archive.namelist() if name.endswith("/RECORD")]
                rows = list(csv.reader(archive.read(record).decode().splitlines()))
                self.assertEqual({row[0] for row in rows}, set(archive.namelist()))
                for name, digest, size in rows:
                    content = archive.read(name)
                    if name != record:
                        expected = base64.urlsafe_b64encode(hashlib.sha256(content).digest())
                        self.assertEqual(digest, "sha256=" + expected.decode().rstrip("="))
                        self.assertEqual(int(size), len(content))

    def test_they_differ_in_the_extension_only(self):
        contents = []
        for arch in PAGE_BYTES:
            with zipfile.ZipFile(self.wheel(arch)) as archive:
                contents.append({name: archive.read(name) for name in archive.namelist()
                                 if not name.endswith((".so", "/WHEEL", "/RECORD"))})
        self.assertIn("pyframes-autostart.pth", contents[0])
        self.assertEqual(*contents)

    def test_same_sources_same_bytes(self):
        arch = platform.machine()
        again, = self.build(arch, self.folder / "again").glob("*.whl")
        self.assertEqual(again.read_bytes(), self.wheels[arch].read_bytes())

    def check_it_works(self, python):
        """A side file names what ran."""
        files = Path(tempfile.mkdtemp(dir=self.folder))
        environment = clean_environment(PYFRAMES_DIR=files)
        run(python, "-c", PROGRAM, environment=environment)
        side, = files.glob("*.side")
        trampolines, = files.glob("*.so")
        shown = json.loads(run(python, "-m", "pyframes", "show", side, "--json", environment=environment))
        names = {record.get("name") for record in shown["records"]}
        self.assertLessEqual({"outer", "inner", "a thread with a long name"}, names)
        symbols = run("readelf", "-sW", trampolines)
        for name in "outer", "inner":
            self.assertIn(f"py::{name}:<string>", symbols)
        return run("readelf", "-hW", trampolines)

    def test_pip_installs_it(self):
        venv = self.folder / "venv"
        run(PYTHON, "-m", "venv", venv, environment=self.environment)
        run(venv / "bin/pip", "install", "--quiet", "--no-index", self.wheel(platform.machine()),
            environment=self.environment)
        self.assertIn(MACHINE[platform.machine()], self.check_it_works(venv / "bin/python"))

    def test_aarch64_under_emulation(self):
        wheel = self.wheel("aarch64")
        if arm64_python.missing_programs():
            self.skipTest(f"emulation needs {arm64_python.missing_programs()}")
        try:
            arm64_python.make_root()
        except arm64_python.SetUpError as error:
            self.skipTest(f"Debian's arm64 Python cannot be fetched: {error}")
        self.check_headers()
        arm64_python.install(wheel)
        self.assertIn(MACHINE["aarch64"], self.check_it_works(arm64_python.PYTHON))

    def check_headers(self):
        """Python's arm64 headers say to our sources what those of this machine do."""
        theirs = Path(arm64_python.ROOT) / "usr/include"
        ours = self.folder / "include"
        (ours / "aarch64-linux-gnu").mkdir(parents=True)
        (ours / "aarch64-linux-gnu/python3.11").symlink_to(
            f"/usr/include/{platform.machine()}-linux-gnu/python3.11")
        for source in sorted((ROOT / "pyframes/src").glob("*.c")):
            texts = [run("aarch64-linux-gnu-gcc", "-E", "-P", "-std=gnu11", "-DNDEBUG", "-D_GNU_SOURCE",
                         "-isystem", python, "-isystem", more, source)
                     for python, more in ((theirs / "python3.11", theirs),
                                          ("/usr/include/python3.11", ours))]
            self.assertEqual(*texts, source.name)
