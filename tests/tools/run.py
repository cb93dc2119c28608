#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Test what builds and tests the rest: check.py, suite.py, bench.py, scripts for dependencies."""
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from suite import ROOT, run_tests  # noqa: E402

LIMIT_S = 60

MAKEFILE = """
check-good:
	@echo "3 passed, 0 failed"
check-bad:
	@echo "unit: 5 passed, 1 failed, 2 skipped"; false
check-silent:
	@true
check-empty:
	@echo "0 passed, 0 failed, 0 skipped"
check-crash:
	@echo "1 passed, 0 failed"; false
lint-good:
	@echo $(WORD)
lint-bad:
	@false
"""

SUITE = """
import sys, unittest
sys.path.insert(0, "{tests}")
import suite

class Mixed(unittest.TestCase):
    def test_good(self):
        pass
    def test_bad_in_parts(self):
        for i in range(3):
            with self.subTest(i):
                self.assertLess(i, 1)
    def test_skipped(self):
        self.skipTest("one test is not for here")

class Skipped(Mixed):
    @classmethod
    def setUpClass(cls):
        raise unittest.SkipTest("nothing is for here")

class Broken(Mixed):
    @classmethod
    def setUpClass(cls):
        raise OSError("no ground")

suite.run_tests()
"""

BENCH = """
[[bench]]
name = "shell"
about = "a busy shell against an idle one"
rounds = 3
setup = [["touch", "{work}/made"]]
[[bench.command]]
name = "idle"
run = ["sh", "-c", "test -f {work}/made"]
[[bench.command]]
name = "busy"
run = ["sh", "-c", "i=0; while [ $i -lt 100000 ]; do i=$((i + 1)); done"]
"""


def run(*command, cwd=ROOT, **environment):
    done = subprocess.run([str(part) for part in command], cwd=cwd, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env={**os.environ, **environment}, timeout=LIMIT_S, check=False)
    return done.returncode, done.stdout


class Folder(unittest.TestCase):
    """Each test has a folder of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)


class Check(Folder):
    def check(self, *targets):
        """Status and last line of check.py for targets of MAKEFILE."""
        (self.folder / "Makefile").write_text(MAKEFILE)
        (self.folder / "scripts").mkdir()
        (self.folder / "scripts/as-user.sh").symlink_to(ROOT / "scripts/as-user.sh")
        status, text = run(sys.executable, ROOT / "tests/check.py", "--make", "make", "--jobs", 1,
                           "--build", "out", *targets, "--", "WORD=two words", cwd=self.folder)
        self.text = text
        return status, text.splitlines()[-1]

    def test_adds_up(self):
        self.assertEqual(self.check("check-good", "lint-good", "check-bad"),
                         (1, "9 passed, 1 failed, 2 skipped"))
        self.assertIn("two words", (self.folder / "out/check/lint-good.log").read_text())

    def test_all_good(self):
        self.assertEqual(self.check("check-good", "lint-good"),
                         (0, "4 passed, 0 failed, 0 skipped"))

    def test_a_suite_that_says_nothing_fails(self):
        self.assertEqual(self.check("check-silent"), (1, "0 passed, 1 failed, 0 skipped"))
        self.assertIn("it does not say how many tests passed", self.text)

    def test_a_suite_without_tests_fails(self):
        self.assertEqual(self.check("check-empty"), (1, "0 passed, 1 failed, 0 skipped"))
        self.assertIn("it ran no test", self.text)

    def test_a_status_counts_also_when_no_test_failed(self):
        self.assertEqual(self.check("check-crash"), (1, "1 passed, 1 failed, 0 skipped"))

    def test_lint_counts_by_its_status(self):
        self.assertEqual(self.check("lint-bad"), (1, "0 passed, 1 failed, 0 skipped"))


class Suite(Folder):
    def suite(self, *arguments):
        """Status and last line of a program that suite.py runs."""
        (self.folder / "run.py").write_text(SUITE.format(tests=ROOT / "tests"))
        status, self.text = run(sys.executable, self.folder / "run.py", *arguments)
        return status, self.text.splitlines()[-1]

    def test_each_test_counts_once(self):
        self.assertEqual(self.suite("Mixed"), (1, "1 passed, 1 failed, 1 skipped"))
        self.assertIn("skipped Mixed.test_skipped: one test is not for here\n", self.text)

    def test_tests_of_a_class_that_is_left_out_are_skipped(self):
        self.assertEqual(self.suite("Skipped"), (0, "0 passed, 0 failed, 3 skipped"))
        self.assertIn("skipped setUpClass (Skipped): nothing is for here\n", self.text)

    def test_a_class_that_cannot_begin_fails_once(self):
        self.assertEqual(self.suite("Broken"), (1, "0 passed, 1 failed, 3 skipped"))

    def test_all_are_run_when_none_is_named(self):
        self.assertEqual(self.suite(), (1, "1 passed, 2 failed, 7 skipped"))


class Bench(Folder):
    def bench(self, text, *options):
        (self.folder / "x.toml").write_text(text)
        return run(sys.executable, ROOT / "tests/bench/bench.py", *options,
                   self.folder / "x.toml", O=str(self.folder))

    def test_every_run_is_kept_and_compared_with_the_first(self):
        out = self.folder / "out.json"
        status, text = self.bench(BENCH, "--json", out)
        self.assertEqual(status, 0, text)
        idle, busy = json.loads(out.read_text())["benches"][0]["commands"]
        self.assertEqual((len(idle["runs"]), len(busy["runs"])), (3, 3))
        self.assertEqual(idle["wall_s"]["ratio"], 1)
        self.assertGreater(busy["cpu_s"]["median"], idle["cpu_s"]["median"])
        self.assertGreater(busy["peak_mb"]["min"], 0)

    def test_a_failing_command_is_told(self):
        status, text = self.bench(BENCH.replace("test -f", "echo why >&2; test -d"))
        self.assertEqual(status, 1)
        self.assertIn("ended with status 1", text)
        self.assertIn("why", text)

    def test_a_bench_without_its_tool_is_left_out(self):
        status, text = self.bench(BENCH.replace("[[bench.command]]",
                                                'needs = ["no-such-tool"]\n\n[[bench.command]]', 1))
        self.assertEqual(status, 0, text)
        self.assertIn("left out, needs no-such-tool", text)

    def test_no_such_bench(self):
        status, text = self.bench(BENCH, "--only", "other")
        self.assertEqual((status, text), (1, "bench: no bench is named other\n"))


class Scripts(Folder):
    def test_a_missing_library_is_told_with_its_package(self):
        status, text = run("scripts/find-dependencies.sh", "libdw", "zlib", CC="cc",
                           PKG_CONFIG="false", LIBPERF_DIR="x")
        self.assertEqual(status, 1)
        self.assertRegex(text, r"^perfconv needs .*libdw, zlib: .*'make setup'.* libdw-dev zlib1g-dev")

    def test_a_missing_compiler_is_told(self):
        status, text = run("scripts/find-dependencies.sh", "zlib", CC="no-such-cc",
                           LIBPERF_DIR="x")
        self.assertEqual(status, 1)
        self.assertRegex(text, "^perfconv needs the compiler no-such-cc")

    def test_a_kernel_source_without_libperf_is_told(self):
        status, text = run("scripts/build-libperf.sh", self.folder / "out", self.folder)
        self.assertEqual(status, 1)
        self.assertIn("holds no tools/lib/perf", text)
        self.assertEqual(list((self.folder / "out").iterdir()), [])

    def test_an_unknown_group_of_packages_is_told(self):
        status, text = run("scripts/setup-debian.sh", "other")
        self.assertEqual(status, 1)
        self.assertIn("other is no group of packages", text)

    def test_help_lists_every_target_once(self):
        status, text = run("make", "help")
        self.assertEqual(status, 0)
        targets = re.findall(r"^  ([a-z][a-z -]*?) {2,}\S", text, re.MULTILINE)
        self.assertEqual(len(targets), len(set(targets)))
        self.assertLessEqual({"all", "check", "demo", "setup", "bench", "help"}, set(targets))


def main():
    run_tests(verbosity=2)


if __name__ == "__main__":
    main()
