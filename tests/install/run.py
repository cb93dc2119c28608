#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What make install puts below a fresh DESTDIR works from there: programs, manual pages,
completion, perf speedscope; make dist holds the sources; the wheels work.

    tests/install/run.py

Environment: O, the build folder; MAKEFLAGS, as make sets it.
"""
import functools
import json
import os
import re
import shutil
import sys
import tarfile
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import suite  # noqa: E402
from suite import BUILD, ROOT  # noqa: E402
from terminal import Terminal  # noqa: E402
from wheels import Troubles, Wheels  # noqa: E402,F401 pylint: disable=unused-import

CAPTURE = ROOT / "tests/files/good-python-threads.data"
WORDS = re.compile(r"--\w+ takes (.*), not \?")
BASH = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
_perfconv
printf '%s\\n' "${COMPREPLY[@]}"
"""
# zsh's own functions only show what they were given.
ZSH = """
fpath=($1 $fpath); shift
_arguments() { print -rl -- "$@" }
_describe() { print -rl -- ${(P)2} }
words=("$@"); CURRENT=$#
autoload -U _perfconv
_perfconv
"""

run = functools.partial(suite.run, limit_s=300)


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="perfconv-install-"))
        cls.destination = cls.folder / "root"
        done = cls.make("install", f"DESTDIR={cls.destination}", "PREFIX=/opt/here")
        if done.returncode:
            raise AssertionError(done.stdout + done.stderr)
        cls.prefix = cls.destination / "opt/here"
        cls.bin = cls.prefix / "bin"
        cls.environment = {**os.environ, "PATH": f"{cls.bin}:{os.environ['PATH']}"}

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder, ignore_errors=True)

    @classmethod
    def make(cls, *words):
        return run([os.environ.get("MAKE", "make"), "-C", ROOT, "--no-print-directory", *words])

    def run_it(self, *command, **options):
        return run(command, env=self.environment, cwd=self.folder, **options)

    def options(self, *command):
        """Every spelling that --help has."""
        text = self.run_it(*command, "--help").stdout
        lines = re.findall(r"^ {2,6}(-\S.*?)(?:  .*)?$", text, re.MULTILINE)
        return {name for line in lines for name in re.findall(r"(?:^|, )(--?[a-zA-Z][\w-]*)", line)}

    def commands(self):
        return re.findall(r"^  ([a-z]+) ", self.run_it("perfconv", "--help").stdout, re.MULTILINE)

    def test_programs_run(self):
        self.assertRegex(self.run_it("perfconv", "--version").stdout, r"^perfconv \d")
        self.assertIn("perf-pyrecord", self.run_it("perf-pyrecord", "--help").stdout)

    def test_nothing_points_out_of_the_destination(self):
        for path in self.destination.rglob("*"):
            if path.is_symlink():
                self.assertFalse(os.path.isabs(os.readlink(path)), path)
                self.assertTrue(path.exists(), path)

    def test_pages_are_there_for_every_program(self):
        pages = {path.stem for path in (self.prefix / "share/man/man1").iterdir()}
        programs = {path.name for path in self.bin.iterdir()}
        self.assertEqual(pages, programs | {f"perfconv-{name}" for name in self.commands()})

    def test_man_finds_them(self):
        if not shutil.which("man"):
            self.skipTest("man is not installed")
        for name in "perfconv", "perfconv-convert", "perf-speedscope":
            done = run(["man", "-w", name], env={**os.environ,
                                                 "MANPATH": str(self.prefix / "share/man")})
            self.assertEqual(done.stdout.strip(),
                             str(self.prefix / f"share/man/man1/{name}.1"), done.stderr)

    def test_perf_speedscope(self):
        if not shutil.which("perf"):
            self.skipTest("perf is not installed")
        shutil.copy(CAPTURE, self.folder / "perf.data")
        plain = self.run_it("perf", "speedscope", "-q")
        self.assertEqual(plain.returncode, 0, plain.stderr)
        ours = self.run_it("perfconv", "convert", "-q", "-i", "perf.data", "-o", "-")
        self.assertEqual((self.folder / "perf.speedscope.json").read_text(), ours.stdout)

    def test_perf_speedscope_of_a_pipe(self):
        if not shutil.which("perf"):
            self.skipTest("perf is not installed")
        trial = self.run_it("perf", "record", "-e", "cpu-clock:u", "-o", "/dev/null", "true")
        if trial.returncode:
            self.skipTest("perf may not record here")
        done = self.run_it("sh", "-c", "perf record -q -e cpu-clock:u -g -o - -- "
                           "sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); done' | "
                           "perf speedscope -q -i - -o out.json")
        self.assertEqual(done.returncode, 0, done.stderr)
        profile = json.loads((self.folder / "out.json").read_text())
        self.assertGreater(profile["perfconv"]["samples"], 10)

    def bash(self, *words):
        file = self.prefix / "share/bash-completion/completions" / words[0]
        done = self.run_it("bash", "--norc", "-c", BASH, "bash", file, *words)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return set(done.stdout.split("\n")) - {""}

    def test_bash_completes_commands_and_options(self):
        self.assertEqual(self.bash("perfconv", ""),
                         {"--help", "--version", *self.commands()})
        for command in [["perfconv", name] for name in self.commands()] + [
                ["perf-speedscope"], ["perf-pyrecord"]]:
            names = self.options(*command)
            self.assertIn("--help", names)
            self.assertEqual(self.bash(*command, "-"), names, command)
            self.assertEqual(self.bash(*command, "--h"), {"--help"})

    def test_bash_completes_values(self):
        for option in "--frames", "--view", "--format":
            said = self.run_it("perfconv", "convert", option, "?").stderr
            words = set(re.findall(r"\w+", WORDS.search(said).group(1))) - {"or"}
            self.assertEqual(self.bash("perfconv", "convert", option, ""), words)
            self.assertEqual(self.bash("perfconv", "convert", option, "=", ""), words)
        said = self.run_it("perf-pyrecord", "--mode", "?").stderr
        modes = set(re.findall(r"'(\w+)'", said.partition("choose from")[2]))
        self.assertEqual(self.bash("perf-pyrecord", "--mode", ""), modes)
        self.assertIn(str(os.getpid()), self.bash("perfconv", "doctor", "--pid", ""))
        self.assertEqual(self.bash("perfconv", "convert", "--scenario", ""), set())
        (self.folder / "name with spaces").touch()
        self.assertEqual(self.bash("perfconv", "convert", "-i", "name"), {"name with spaces"})

    def zsh(self, *words):
        if not shutil.which("zsh"):
            self.skipTest("zsh is not installed")
        done = self.run_it("zsh", "-f", "-c", ZSH, "zsh",
                           self.prefix / "share/zsh/site-functions", *words)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.splitlines()

    def test_zsh_completes_commands_and_options(self):
        self.assertEqual([line.partition(":")[0] for line in self.zsh("perfconv", "")],
                         self.commands())
        for command in [["perfconv", name] for name in self.commands()] + [
                ["perf-speedscope"], ["perf-pyrecord"]]:
            names = {re.match(r"\([^)]*\)(--?[\w-]+)\[", line).group(1)
                     for line in self.zsh(*command, "") if line.startswith("(-")}
            self.assertEqual(names, self.options(*command), command)

    def test_zsh_completes_the_same_values_as_bash(self):
        lists = dict(re.findall(r"\)(--\w+)\[.*\]:\w+:\((.*)\)$",
                                "\n".join(self.zsh("perfconv", "convert", "")), re.MULTILINE))
        self.assertEqual(set(lists), {"--frames", "--view", "--format"})
        for option, words in lists.items():
            self.assertEqual(set(words.split()), self.bash("perfconv", "convert", option, ""))

    def check_tab(self, shell, set_up):
        terminal = Terminal(shell, env={**self.environment, "TERM": "dumb"}, cwd=self.folder)
        self.addCleanup(terminal.close)
        terminal.check_tab(set_up)

    def test_tab_in_bash(self):
        folder = self.prefix / "share/bash-completion/completions"
        self.check_tab(["bash", "--norc", "-i"], f". {folder}/perfconv")

    def test_tab_in_zsh(self):
        if not shutil.which("zsh"):
            self.skipTest("zsh is not installed")
        self.check_tab(["zsh", "-f", "-i"], f"fpath=({self.prefix}/share/zsh/site-functions "
                       "$fpath); autoload -U compinit; compinit -u -D")

    def test_uninstall_leaves_nothing(self):
        other = self.folder / "other"
        for target in "install", "uninstall":
            done = self.make(target, f"DESTDIR={other}")
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([path for path in other.rglob("*") if not path.is_dir()], [])


class Dist(unittest.TestCase):
    def test_the_archive_holds_the_sources(self):
        if run(["git", "-C", ROOT, "rev-parse", "HEAD"]).returncode:
            self.skipTest("no git here")
        done = run([os.environ.get("MAKE", "make"), "-C", ROOT, "--no-print-directory", "dist"])
        self.assertEqual(done.returncode, 0, done.stderr)
        archive, = BUILD.glob("perfconv-*.tar.gz")
        name = archive.name[:-len(".tar.gz")]
        with tarfile.open(archive) as content:
            names = set(content.getnames())
        listed = run(["git", "-C", ROOT, "ls-tree", "-r", "--name-only", "HEAD"]).stdout.split()
        self.assertEqual({f"{name}/{path}" for path in listed} - names, set())
        before = archive.read_bytes()
        run([os.environ.get("MAKE", "make"), "-C", ROOT, "dist"])
        self.assertEqual(archive.read_bytes(), before)


def main():
    suite.run_tests()


if __name__ == "__main__":
    main()
