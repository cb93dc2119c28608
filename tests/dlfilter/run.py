#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The plugin for perf script, in the real perf.

    tests/dlfilter/run.py

Its profile must be that of perfconv convert, stack for stack and thread for thread, and
as a filter it must let through what the same words mean.  O is the build folder, which
`make dlfilter` puts the plugin into.  Without perf, or where perf cannot load filters,
there is nothing to test, and the reason is printed.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from captures import TRAMPOLINES, branch_capture, python_capture

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import suite  # noqa: E402
from suite import BUILD, PERFCONV, ROOT  # noqa: E402

FILES = ROOT / "tests" / "files"
PLUGIN = BUILD / "perfconv-speedscope.so"
LIMIT_S = 120

# Captures of callchains, whose stacks are in them as they are.
CAPTURES = ["good-fp.data", "good-fp-user.data", "good-frequency.data", "good-xperf-fp.data",
            "good-task-clock.data", "good-compressed.data", "good-pipe.data",
            "good-buildid-mmap.data", "good-plain.data"]

def threads_of(path):
    """thread -> stacks of (name, file, line), with their weights."""
    data = json.loads(Path(path).read_text())
    frames = [(f["name"], f.get("file"), f.get("line")) for f in data["shared"]["frames"]]
    return {profile["name"]: [([frames[i] for i in stack], weight) for stack, weight
                              in zip(profile["samples"], profile["weights"])]
            for profile in data["profiles"]}


class Plugin(unittest.TestCase):
    maxDiff = 2000

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="perfconv-dlfilter-"))
        self.addCleanup(shutil.rmtree, self.folder)
        for path in FILES.iterdir():
            if path.is_file() and not path.name.startswith("bad-"):
                shutil.copy(path, self.folder)
        (self.folder / "python.data").write_bytes(python_capture(self.folder / TRAMPOLINES))

    def perf(self, capture, *arguments, plugin=True, status=0):
        command = ["perf", "script", "-f", "-i", capture]
        if plugin:
            command += ["--dlfilter", PLUGIN]
        for argument in arguments:
            command += ["--dlarg", argument]
        done = subprocess.run(command, cwd=self.folder, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=LIMIT_S, check=False)
        if status is not None:
            self.assertEqual(done.returncode, status, done.stderr)
        return done

    def convert(self, capture, *options):
        subprocess.run([PERFCONV, "convert", "-q", "-i", capture, "-o", "convert.json",
                        "--view", "cpu", *options], cwd=self.folder, check=True,
                       stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=LIMIT_S)
        return threads_of(self.folder / "convert.json")

    def plugin(self, capture, *arguments):
        done = self.perf(capture, "output=plugin.json", *arguments)
        self.assertEqual(done.stdout, "", "perf prints samples too")
        return threads_of(self.folder / "plugin.json")

    def check_equal(self, capture, options=(), arguments=()):
        expected = self.convert(capture, *options)
        got = self.plugin(capture, *arguments)
        self.assertTrue(any(stack for samples in expected.values() for stack, _ in samples))
        self.assertEqual(sorted(got), sorted(expected))
        for thread, samples in expected.items():
            self.assertEqual(got[thread], samples, f"{capture}: {thread}")


class Profile(Plugin):
    def test_it_is_that_of_convert(self):
        for capture in CAPTURES + ["python.data"]:
            with self.subTest(capture):
                self.check_equal(capture)

    def test_options_of_convert_can_be_given(self):
        self.check_equal("good-xperf-fp.data", ["--frames", "all", "--lines"],
                         ["frames=all", "lines"])

    def test_branches_of_call_stack_mode(self):
        (self.folder / "lbr.data").write_bytes(branch_capture(PERFCONV))
        expected = self.convert("lbr.data")
        self.assertGreater(max(len(stack) for stack, _ in expected["lbr"]), 2)
        self.check_equal("lbr.data")

    def test_other_formats(self):
        self.perf("good-xperf-fp.data", "output=a.collapsed", "format=collapsed")
        self.assertRegex((self.folder / "a.collapsed").read_text(), r"(?m)^[^;]+;.* \d+$")

    def test_stack_dumps_are_refused(self):
        done = self.perf("good-dwarf.data", "output=plugin.json", status=None)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("perf does not give its filters", done.stderr)
        self.assertIn("perfconv convert -i perf.data", done.stderr)
        self.assertFalse((self.folder / "plugin.json").exists())

    def test_nothing_is_left_behind(self):
        temporary = self.folder / "tmp"
        temporary.mkdir()
        os.environ["TMPDIR"] = str(temporary)
        self.addCleanup(os.environ.pop, "TMPDIR")
        self.plugin("good-fp.data")
        self.assertEqual(list(temporary.iterdir()), [])


class Filter(Plugin):
    def times(self, text):
        """The time of each sample that perf script shows."""
        return re.findall(r"(?m)^\S.*? (\d+\.\d+): ", text)

    def samples(self, capture):
        """(time, thread, text) of each sample."""
        found = []
        for block in self.perf(capture, plugin=False).stdout.split("\n\n"):
            match = re.match(r"\s*(\S+)\s+(\d+)\s+(\d+\.\d+): ", block)
            if match:
                found.append((match[3], match[1], match[2], block))
        self.assertGreater(len(found), 10)
        return found

    def test_without_arguments_all_pass(self):
        plain = self.perf("python.data", plugin=False).stdout
        self.assertEqual(self.perf("python.data").stdout, plain)

    def test_functions(self):
        samples = self.samples("python.data")
        names = {m[1] for *_, text in samples for m in re.finditer(r"py::([^:]+):", text)}
        self.assertTrue(names)
        name = sorted(names)[0]
        self.assertGreater(len(names), 2)
        expected = [time for time, *_, text in samples if f"py::{name}:" in text]
        for pattern in name, name[:-1] + "?":
            got = self.times(self.perf("python.data", f"function={pattern}").stdout)
            self.assertEqual(got, expected)
        self.assertLess(len(expected), len(samples))
        self.assertEqual(self.perf("python.data", "function=no such").stdout, "")

    def test_threads(self):
        samples = self.samples("python.data")
        tids = {tid for _, _, tid, _ in samples}
        self.assertGreater(len(tids), 1)
        for tid in tids:
            got = self.times(self.perf("python.data", f"thread={tid}").stdout)
            self.assertEqual(got, [time for time, _, of, _ in samples if of == tid])
        comm = samples[0][1]
        got = self.times(self.perf("python.data", f"thread={comm[:-1]}*").stdout)
        self.assertEqual(got, [time for time, of, *_ in samples if of.startswith(comm[:-1])])

    def test_times(self):
        samples = self.samples("python.data")
        first, last = float(samples[0][0]), float(samples[-1][0])
        middle = (last - first) / 2
        before = self.times(self.perf("python.data", f"to={middle:.6f}").stdout)
        behind = self.times(self.perf("python.data", f"from={middle:.6f}").stdout)
        self.assertTrue(before and behind)
        self.assertEqual(before + behind, [time for time, *_ in samples])

    def test_a_profile_of_what_passes(self):
        samples = self.samples("python.data")
        name = sorted({m[1] for *_, text in samples
                       for m in re.finditer(r"py::([^:]+):", text)})[0]
        got = self.plugin("python.data", f"function={name}")
        for thread, stacks in got.items():
            for stack, _ in stacks:
                if stack:
                    self.assertIn(name, [frame[0] for frame in stack], thread)

    def test_words_that_make_no_sense(self):
        for argument in "from=soon", "to=-1", "frames=all", "nonsense", "input=a":
            done = self.perf("good-fp.data", argument, status=None)
            self.assertNotEqual(done.returncode, 0, argument)
            self.assertIn(f"--dlarg {argument}", done.stderr)

    def test_perf_lists_it(self):
        shutil.copy(PLUGIN, self.folder)
        done = subprocess.run(["perf", "script", "-v", "--list-dlfilters"], cwd=self.folder,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=LIMIT_S, check=False)
        self.assertIn("perfconv: a speedscope profile", done.stdout)
        self.assertIn("no stack dumps", done.stdout)


def reason_to_skip():
    if not PLUGIN.exists():
        return (f"{PLUGIN.name} is not built: perf's header perf/perf_dlfilter.h is missing "
                "(it comes with linux-perf)")
    if not shutil.which("perf"):
        return "perf is not here (linux-perf)"
    known = subprocess.run(["perf", "script", "-h"], stdout=subprocess.PIPE, check=False,
                           stderr=subprocess.STDOUT, text=True).stdout
    return None if "--dlfilter" in known else "this perf has no --dlfilter"


def main():
    reason = reason_to_skip()
    if reason:
        print(f"  skipped everything: {reason}")
        print("0 passed, 0 failed, 1 skipped")
        return
    suite.run_tests(verbosity=2)


if __name__ == "__main__":
    main()
