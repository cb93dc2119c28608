#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""perfconv's command line as a person or script meets it.

    tests/cli/run.py [PERFCONV]

PERFCONV defaults to $PERFCONV, then build/perfconv.  Exit status 0 is done, 1
failed, 2 wrong usage; stdout carries data, stderr words.
"""
import gzip
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

from command_line import (FILES, HEADER_BYTES, ATTR_BYTES, LIMIT_S, NOBODY, PERFCONV,
                          CommandLine, small_capture)
import suite
from bundle import Bundle, HostileBundle, RedactedBundle  # noqa: F401  the loader finds them
from diff import Diff  # noqa: F401
from doctor import Machine, Targets, Words  # noqa: F401
from files_elsewhere import Debuginfod, Symfs  # noqa: F401
from waits import Waits  # noqa: F401


def allow_interrupts():
    """In the background of a script the shell has had them ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Usage(CommandLine):
    def test_help_lists_the_commands(self):
        for flag in "--help", "-h", "help":
            done = self.run_it(flag)
            self.assertEqual((done.returncode, done.stderr), (0, b""))
            self.assertIn("convert", done.stdout.decode())

    def test_help_of_convert_lists_its_options(self):
        for flag in "--help", "-h":
            done = self.run_it("convert", flag)
            text = done.stdout.decode()
            self.assertEqual((done.returncode, done.stderr), (0, b""))
            for option in ("--input", "--output", "--frames", "--scenario", "--meta",
                           "--side-dir", "--help"):
                self.assertIn(option, text)
            for mode in "merged", "python", "native", "all":
                self.assertIn(mode, text)

    def test_help_fits_the_terminal(self):
        for args in ["--help"], ["convert", "--help"], ["bundle", "--help"], ["diff", "--help"]:
            for line in self.run_it(*args).stdout.decode().splitlines():
                self.assertLessEqual(len(line), 80, line)

    def test_version(self):
        done = self.run_it("--version")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout.decode(), r"^perfconv \d+\.\d+\.\d+\n$")

    def test_no_command_is_wrong_usage(self):
        done = self.run_it()
        self.assertEqual((done.returncode, done.stdout), (2, b""))
        self.assertIn("usage:", done.stderr.decode())

    def test_unknown_command(self):
        self.assert_one_sentence(self.run_it("convrt"), 2, "convrt", "--help")

    def test_unknown_long_option(self):
        self.assert_one_sentence(self.run_it("convert", "--frame-kind=x"), 2, "--frame-kind")

    def test_unknown_short_option(self):
        self.assert_one_sentence(self.run_it("convert", "-x"), 2, "-x")

    def test_unknown_short_option_among_others(self):
        self.assert_one_sentence(self.run_it("convert", "-qxi", "f"), 2, "-x is no option")

    def test_option_without_its_value(self):
        self.assert_one_sentence(self.run_it("convert", "-i"), 2, "-i", "value")
        self.assert_one_sentence(self.run_it("convert", "--frames"), 2, "--frames", "value")

    def test_value_where_none_is_taken(self):
        self.assert_one_sentence(self.run_it("convert", "--quiet=yes"), 2, "--quiet=yes", "no value")
        self.assert_one_sentence(self.run_it("convert", "--help=yes"), 2, "--help=yes", "no value")

    def test_bad_frames(self):
        done = self.run_it("convert", "--frames", "everything")
        self.assert_one_sentence(done, 2, "everything", "merged", "python", "native", "all")

    def test_bad_meta(self):
        for value in "novalue", "=value":
            self.assert_one_sentence(self.run_it("convert", "--meta", value), 2, "KEY=VALUE")

    def test_wrong_usage_writes_nothing(self):
        self.write("perf.data", small_capture())
        self.run_it("convert", "--frames", "bad")
        self.assertEqual(self.entries(), ["perf.data"])


class Input(CommandLine):
    def test_the_capture_is_an_argument_or_an_option(self):
        self.write("one.data", small_capture())
        for command in ["info", "--json"], ["convert", "-q", "-o", "-"]:
            said = [self.run_it(*command, *form).stdout
                    for form in (["one.data"], ["-i", "one.data"], ["--input=one.data"])]
            self.assertTrue(said[0])
            self.assertEqual(said, said[:1] * 3)
            self.assert_one_sentence(self.run_it(*command, "-i", "one.data", "two.data"), 1,
                                     "two.data")

    def test_missing(self):
        self.refuse(self.folder / "none.data", "does not exist", "name the capture")

    def test_missing_default(self):
        self.assert_one_sentence(self.run_it("convert"), 1, "perf.data")

    def test_empty(self):
        self.refuse(self.write("empty.data", b""), "empty")

    def test_foreign(self):
        elf = Path(sys.executable).resolve().read_bytes()[:65536]
        for name, content in [("program", elf),
                              ("notes.txt", b"Dear diary, today I profiled nothing.\n" * 9),
                              ("capture.gz", gzip.compress(small_capture(1000))),
                              ("zeros", bytes(4096)),
                              ("short", b"PERF")]:
            with self.subTest(name):
                self.refuse(self.write(name, content), "record")

    def test_written_to_a_pipe(self):
        self.refuse(self.write("pipe.data", struct.pack("<8sQ", b"PERFILE2", 16)), "names no events")

    def test_a_folder(self):
        (self.folder / "perf.data").mkdir()
        self.refuse(self.folder / "perf.data", "folder")

    def test_the_profile_of_a_folder_lies_beside_it(self):
        folder = self.folder / "perf.data"
        folder.mkdir()
        (folder / "data").write_bytes(small_capture())
        done = self.run_it("convert", "-q", "perf.data/")
        self.assertEqual((done.returncode, self.entries()),
                         (0, ["perf.data", "perf.speedscope.json"]), done.stderr)

    def test_a_fifo_does_not_hang(self):
        os.mkfifo(self.folder / "fifo")
        self.refuse(self.folder / "fifo", "regular file")

    def test_a_device(self):
        self.refuse("/dev/zero", "regular file")

    def test_an_event_that_is_not_there(self):
        done = self.run_it("convert", "-i", self.write("perf.data", small_capture()), "--event",
                           "cpu-clock", "--event", "cycles")
        self.assert_one_sentence(done, 1, "perf.data", "cycles", "perfconv info")

    def test_unreadable(self):
        os.chmod(self.folder, 0o777)
        path = self.write("secret.data", small_capture())
        path.chmod(0)
        prefix = []
        if os.geteuid() == 0:
            if not shutil.which("setpriv"):
                self.skipTest("root reads everything, and there is no setpriv")
            prefix = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
            if subprocess.run([*prefix, "test", "-x", PERFCONV], check=False).returncode:
                copy = self.folder / "perfconv"
                shutil.copy(PERFCONV, copy)
                prefix.append(copy)
            else:
                prefix.append(PERFCONV)
        else:
            prefix = [PERFCONV]
        done = subprocess.run([*prefix, "convert", "-i", path, "-o", self.folder / "out"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=LIMIT_S, check=False)
        self.assert_one_sentence(done, 1, str(path), "may not be read", "owner")
        self.assertFalse((self.folder / "out").exists())

    def test_cut_inside_header_or_attrs(self):
        whole = small_capture()
        for length in [1, 7, 8, 15, 16, 17, 60, 103, 104, 105, 150, 200, 247]:
            with self.subTest(length):
                self.refuse(self.write("cut.data", whole[:length]), "record it again")

    def test_cut_inside_the_records(self):
        whole = small_capture()
        for length in range(HEADER_BYTES + ATTR_BYTES, len(whole), 7):
            with self.subTest(length):
                self.write("cut.data", whole[:length])
                done = self.run_it("convert", "-q", "-i", "cut.data")
                said = done.stderr.decode()
                self.assertEqual(done.returncode, 0, said)
                self.assertIn("cannot be read on", said)
                profile = json.loads((self.folder / "cut.speedscope.json").read_text())
                self.assertTrue(profile["perfconv"]["quality"]["cut"])
                self.assertEqual(profile["perfconv"]["samples"],
                                 (length - HEADER_BYTES - ATTR_BYTES) // 40)

    def test_a_name_cannot_steer_the_terminal(self):
        done = self.run_it("convert", "-i", "a\x1b[31m\nb.data")
        said = done.stderr.decode()
        self.assertEqual(done.returncode, 1)
        self.assertNotIn("\x1b", said)
        self.assertEqual(said.count("\n"), 1)


class Output(CommandLine):
    def setUp(self):
        super().setUp()
        self.capture = self.write("run.data", small_capture())

    def profile(self, name):
        return json.loads((self.folder / name).read_text())

    def test_default_name(self):
        done = self.run_it("convert", "-i", "run.data")
        self.assertEqual((done.returncode, done.stdout), (0, b""))
        self.assertIn("run.speedscope.json", done.stderr.decode())
        self.assertEqual(self.entries(), ["run.data", "run.speedscope.json"])
        self.assertEqual(self.profile("run.speedscope.json")["perfconv"]["samples"], 3)

    def test_default_input_and_name(self):
        shutil.copy(self.capture, self.folder / "perf.data")
        self.assertEqual(self.run_it("convert").returncode, 0)
        self.assertIn("perf.speedscope.json", self.entries())

    def test_default_name_without_suffix(self):
        shutil.copy(self.capture, self.folder / "capture")
        self.assertEqual(self.run_it("convert", "-i", "capture").returncode, 0)
        self.assertIn("capture.speedscope.json", self.entries())

    def test_standard_output_carries_only_the_profile(self):
        done = self.run_it("convert", "-i", "run.data", "-o", "-")
        self.assertEqual(done.returncode, 0)
        self.assertEqual(json.loads(done.stdout)["perfconv"]["samples"], 3)
        self.assertEqual(self.entries(), ["run.data"])

    def test_quiet_says_nothing(self):
        done = self.run_it("convert", "-q", "-i", "run.data")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))

    def test_a_folder_that_is_not_there(self):
        done = self.run_it("convert", "-i", "run.data", "-o", "none/out.json")
        self.assert_one_sentence(done, 1, "none/out.json", "cannot be written")

    def test_a_folder_instead_of_a_file(self):
        (self.folder / "sub").mkdir()
        done = self.run_it("convert", "-i", "run.data", "-o", "sub")
        self.assert_one_sentence(done, 1, "sub", "cannot be written")
        self.assertEqual(self.entries(), ["run.data", "sub"])

    def test_an_unwritable_folder(self):
        if os.geteuid() == 0:
            folder = "/proc"  # where root cannot write either
        else:
            folder = self.folder / "sub"
            folder.mkdir(0o500)
        done = self.run_it("convert", "-i", "run.data", "-o", f"{folder}/out.json")
        self.assert_one_sentence(done, 1, f"{folder}/out.json", "cannot be written")

    def test_a_full_disk(self):
        done = self.run_it("convert", "-q", "-i", "run.data", "-o", "/dev/full")
        self.assert_one_sentence(done, 1, "/dev/full", "No space left")

    def test_a_full_disk_on_standard_output(self):
        with open("/dev/full", "wb") as full:
            done = self.run_it("convert", "-q", "-i", "run.data", "-o", "-", stdout=full)
        self.assertEqual(done.returncode, 1)
        self.assertIn("No space left", done.stderr.decode())

    def test_a_failed_conversion_keeps_the_old_file(self):
        self.write("out.json", b"old")
        self.assertEqual(self.run_it("convert", "-i", "none", "-o", "out.json").returncode, 1)
        self.assertEqual((self.folder / "out.json").read_bytes(), b"old")

    def test_the_capture_is_not_overwritten(self):
        path = self.write("x.data", small_capture())
        done = self.run_it("convert", "-i", path, "-o", "x.data")
        self.assert_one_sentence(done, 1, "x.data", "the input itself")
        self.assertEqual(path.read_bytes(), small_capture())

    def test_what_report_and_diff_read_is_not_overwritten(self):
        capture = (FILES / "good-waits.data").read_bytes()
        self.write("x.data", capture)
        self.write("y.data", capture)
        for name in "x", "y":
            self.run_it("convert", "-i", "x.data", "-o", f"{name}.json")
        os.link(self.folder / "x.json", self.folder / "other-name")
        before = self.entries()
        content = {name: (self.folder / name).read_bytes() for name in before}
        for args in (["report", "x.data", "-o", "x.data"], ["report", "x.json", "-o", "./x.json"],
                     ["report", "x.json", "-f", "html", "-o", "other-name"],
                     ["diff", "x.data", "y.data", "-o", "x.data"],
                     ["diff", "x.json", "y.json", "-o", "y.json"],
                     ["diff", "y.json", "--after", "y.data", "--after", "x.json",
                      "-o", "other-name"]):
            done = self.run_it(*args)
            self.assert_one_sentence(done, 1, args[-1], "is the input itself")
            self.assertEqual({name: (self.folder / name).read_bytes() for name in self.entries()},
                             content)

    def test_an_interrupt_leaves_nothing_behind(self):
        self.write("x.data", small_capture(samples=400000, step_ns=3000000))
        before = self.entries()
        with subprocess.Popen([PERFCONV, "convert", "-q", "-i", "x.data", "-o", "out.json",
                               "--max-samples", "10000000"],
                              cwd=self.folder, stdin=subprocess.DEVNULL,
                              preexec_fn=allow_interrupts) as running:
            deadline = time.monotonic() + LIMIT_S
            while not any(name.startswith("out.json.") for name in self.entries()):
                self.assertIsNone(running.poll(), "it ended before it began to write")
                self.assertLess(time.monotonic(), deadline)
            running.send_signal(signal.SIGINT)
            self.assertEqual(running.wait(LIMIT_S), -signal.SIGINT)
        self.assertEqual(self.entries(), before)

    def test_a_conversion_replaces_the_old_file(self):
        self.write("out.json", b"old" * 100000)
        self.assertEqual(self.run_it("convert", "-i", "run.data", "-o", "out.json").returncode, 0)
        self.assertEqual(self.profile("out.json")["exporter"], "perfconv")
        self.assertEqual(self.entries(), ["out.json", "run.data"])

    def test_scenario_and_values_are_in_the_file(self):
        done = self.run_it("convert", "-q", "-i", "run.data", "-o", "out.json", "--scenario",
                           "idle-no-leaffc", "--meta", "pam=0.3.1", "--meta", "a=b=c",
                           "--meta", "empty=")
        self.assertEqual(done.returncode, 0)
        meta = self.profile("out.json")["perfconv"]
        self.assertEqual(meta["scenario"], "idle-no-leaffc")
        self.assertEqual(meta["values"], {"pam": "0.3.1", "a": "b=c", "empty": ""})

    def test_frames_are_named_in_the_file(self):
        for mode in "merged", "python", "native", "all":
            done = self.run_it("convert", "-q", "-i", "run.data", "-o", "out.json",
                               "--frames", mode)
            self.assertEqual(done.returncode, 0)
            self.assertEqual(self.profile("out.json")["perfconv"]["frames"], mode)

    def test_the_same_input_gives_the_same_bytes(self):
        self.run_it("convert", "-q", "-i", "run.data", "-o", "one.json")
        self.run_it("convert", "-q", "-i", "run.data", "-o", "two.json")
        self.assertEqual((self.folder / "one.json").read_bytes(),
                         (self.folder / "two.json").read_bytes())

    def test_a_capture_without_samples_warns(self):
        self.write("idle.data", small_capture(0))
        done = self.run_it("convert", "-q", "-i", "idle.data")
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertIn("no samples", done.stderr.decode())
        self.assertEqual(self.profile("idle.speedscope.json")["profiles"], [])


class GeneratedCode(CommandLine):
    """Perf maps and jitdumps that are not there, or must not be used."""
    NAMES = {"good-xperf-dwarf.data", "good-xperf-jit.data"}

    def setUp(self):
        super().setUp()
        for path in FILES.iterdir():
            if path.name in self.NAMES or path.suffix in (".map", ".dump"):
                shutil.copy(path, self.folder)
        shutil.copytree(FILES / "skeletons", self.folder / "skeletons")
        self.dump = next(self.folder.glob("jit-*.dump"))

    def warnings(self, capture, *options):
        done = self.run_it("convert", "-q", "-i", capture, "-o", "out.json", *options)
        said = done.stderr.decode()
        self.assertEqual(done.returncode, 0, said)
        return [line for line in said.splitlines() if "perf map" in line or "perf-" in line
                or "jit" in line]

    def counts(self, capture):
        done = self.run_it("info", "--json", capture)
        return json.loads(done.stdout)["generatedCode"]

    def test_files_beside_the_capture_are_read(self):
        self.assertEqual(self.warnings("good-xperf-dwarf.data"), [])
        self.assertEqual(self.counts("good-xperf-dwarf.data")["perfMaps"], 1)
        self.assertEqual(self.warnings("good-xperf-jit.data"), [])
        self.assertEqual(self.counts("good-xperf-jit.data"), {
            "perfMaps": 0, "jitdumps": 1, "missing": 0, "refused": 0, "stale": 0, "untimed": 0,
            "cut": 0, "badEntries": 0, "droppedEntries": 0})
        self.assertIn("code     1 perf maps, 0 jitdumps",
                      self.run_it("info", "good-xperf-dwarf.data").stdout.decode())

    def stacks(self, capture, frames):
        """Names of each thread's stacks, root first, each once; by the thread's place."""
        done = self.run_it("convert", "-q", "-i", capture, "-o", "-", "--frames", frames)
        profile = json.loads(done.stdout)
        names = [frame["name"] for frame in profile["shared"]["frames"]]
        return [{tuple(names[i] for i in stack) for stack in one["samples"] if stack}
                for one in profile["profiles"]]

    def test_pythons_own_trampolines_are_python_frames(self):
        bootstrap = ("Thread._bootstrap", "Thread._bootstrap_inner")
        for capture in self.NAMES:
            main, link, *_ = self.stacks(capture, "python")
            self.assertIn(("<module>", *["recurse"] * 5, "spin"), main)
            self.assertIn((*bootstrap, "Link.run", "Link.decode", "spin"), link)
            merged = self.stacks(capture, "merged")
            self.assertTrue(any(stack[:3] == (*bootstrap, "Link.run") and "builtin_sum" in stack
                                for stack in merged[1]), merged[1])
            self.assertFalse(any("_PyEval_EvalFrameDefault" in stack for stack in merged[1]))
            whole = self.stacks(capture, "all")
            self.assertTrue(all(stack.count("_PyEval_EvalFrameDefault") > 2
                                for stack in whole[1] if stack[-1] == "builtin_sum"), whole[1])
            native = self.stacks(capture, "native")
            self.assertFalse(any("spin" in stack for stack in native[1]))

    def test_stacks_through_trampolines_are_complete(self):
        for capture, expected in (("good-xperf-dwarf.data", (20, 3, 0)),
                                  ("good-xperf-jit.data", (21, 2, 0)),
                                  ("good-xperf-fp.data", (0, 0, 24))):
            shutil.copy(FILES / capture, self.folder)
            done = self.run_it("info", "--json", capture)
            stacks = json.loads(done.stdout)["quality"]["stacks"]
            self.assertEqual((stacks["complete"], stacks["truncated"], stacks["lost"]), expected)

    def test_files_in_the_side_folder_are_read(self):
        (self.folder / "side").mkdir()
        self.dump.rename(self.folder / "side" / self.dump.name)
        self.assertEqual(self.warnings("good-xperf-jit.data", "--side-dir", "side"), [])

    def test_what_is_missing_is_told(self):
        for path in self.folder.glob("perf-*.map"):
            path.unlink()
        said, = self.warnings("good-xperf-dwarf.data")
        self.assertIn("1 processes ran code that they generated and nobody names", said)
        self.assertIn("--side-dir", said)

    def test_a_link_is_not_followed(self):
        self.dump.rename(self.folder / "elsewhere")
        self.dump.symlink_to("elsewhere")
        said, = self.warnings("good-xperf-jit.data")
        self.assertIn(f"{self.dump.name}: is a symbolic link and not followed", said)
        self.assertEqual(self.counts("good-xperf-jit.data")["refused"], 1)

    def test_a_strangers_file_is_not_read(self):
        if os.geteuid():
            self.skipTest("files cannot be given away: not root")
        os.chown(self.dump, 54321, 54321)
        said, = self.warnings("good-xperf-jit.data")
        self.assertIn(f"{self.dump.name}: belongs to user 54321", said)
        self.assertIn("--side-dir", said)

    def test_a_fifo_does_not_hang(self):
        self.dump.unlink()
        os.mkfifo(self.dump)
        said, = self.warnings("good-xperf-jit.data")
        self.assertIn("special file", said)

    def test_a_damaged_dump_names_what_it_can(self):
        raw = self.dump.read_bytes()
        self.dump.write_bytes(raw[:len(raw) // 2])
        said, = self.warnings("good-xperf-jit.data")
        self.assertIn("1 jitdumps end inside a record", said)
        self.dump.write_bytes(b"none" + raw[4:])
        said, = self.warnings("good-xperf-jit.data")
        self.assertIn("is no jitdump", said)

    def test_odd_lines_are_told(self):
        for path in self.folder.glob("perf-*.map"):
            path.write_bytes(b"not a line\n" + path.read_bytes())
        said, = self.warnings("good-xperf-dwarf.data")
        self.assertIn("1 entries make no sense", said)


def main():
    suite.need_program(PERFCONV)
    suite.run_tests()


if __name__ == "__main__":
    main()
