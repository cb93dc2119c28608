# SPDX-License-Identifier: GPL-2.0
"""Wall-clock profiles against programs that know what they waited for.

waits.py times its own waits: each must appear under its function, with its
reason, as long as the program's own clock says. notes.py notes which functions
it is in: no stack that is shown for a wait may be another.

Recorded as scripts/perf-pyrecord records, with pyframes, on every CPython from
3.11 on that is found. By themselves, in this folder:

    O=../../build python3 -m unittest -v known_waits
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
BUILD = Path(os.environ.get("O") or ROOT / "build").resolve()
RECORD = ROOT / "scripts" / "perf-pyrecord"

sys.path[:0] = [str(ROOT / "tests" / "python"), str(ROOT / "scripts")]
import venvs  # noqa: E402
from pam_profiling.permission import find_permission  # noqa: E402
from wall_profile import (  # noqa: E402
    LIMIT_S, NOT_LET, Capture, python_names, reason_of)

SHARE, LEAST_NS, LEAST_CPU_NS = 0.03, 8_000_000, 20_000_000
# What perf does at a switch counts as the thread's CPU time.
PERF_AT_SWITCH_NS = 30_000
SLEEP, POLL = {"[sleep]"}, {"[poll]"}
# What each function of waits.py waits for; a page that is read from the disk
# is waited for as either.
REASONS = {
    "sleep_1ms": SLEEP, "sleep_5ms": SLEEP, "sleep_50ms": SLEEP, "sleep_200ms": SLEEP,
    "sleep_burst": SLEEP, "wait_for_lock": {"[lock]"}, "wait_for_gil": {"[GIL wait]"},
    "wait_in_epoll": POLL, "wait_in_select": POLL, "wait_in_poll": POLL,
    "wait_in_recv": {"[socket]"}, "wait_in_connect": {"[socket]"}, "wait_in_fsync": {"[disk]"},
    "wait_in_page_fault": {"[page fault]", "[disk]"}, "wait_for_child": {"[child]"},
}
# These start and join a server: that wait is theirs, too, in threading's functions.
SERVED = {"wait_for_lock", "wait_for_gil", "wait_in_recv", "wait_in_connect"}
FOR_A_SERVER = {"[lock]", "[GIL wait]"}
NOTES_RECORDED_S = 8

SLIVER_NS = 1_000_000


class Interpreters(unittest.TestCase):
    """What both tests need; a subclass per program."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.mkdtemp(prefix="known-waits-", dir=BUILD)
        cls.addClassCleanup(shutil.rmtree, folder, ignore_errors=True)
        cls.folder = Path(folder)
        cls.perfconv = os.environ.get("PERFCONV") or str(BUILD / "perfconv")
        permission, problem = find_permission(folder)
        if problem:
            raise unittest.SkipTest(problem)
        if permission.settings.losses():
            raise unittest.SkipTest(permission.settings.losses()[0])

    def pythons(self):
        found = [python for python in venvs.interpreters()
                 if int(venvs.version(python).split(".")[1]) >= 11]
        if not found:
            self.skipTest("there is no CPython 3.11 or newer")
        return [(venvs.version(python), venvs.make(python, "live")) for python in found]

    def new_folder(self, version):
        folder = self.folder / f"{type(self).__name__}-{version}"
        (folder / "side").mkdir(parents=True)
        return folder

    def record(self, python, folder, program, arguments, seconds):
        """Record a program of this folder from when it is ready, and convert.

        waits.py begins when it reads a line, and its end ends the recording;
        notes.py ends when it reads one.
        """
        data, environment = folder / "perf.data", venvs.clean_environment(
            PYFRAMES="1", PYFRAMES_AGENT="1", PYFRAMES_DIR=str(folder / "side"))
        process = self.start([python, HERE / program, folder / "report.json", *arguments],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        self.assertEqual(process.stdout.readline(), "ready\n")
        recorder = self.start([RECORD, "-o", data, "-p", process.pid, "--duration", seconds,
                               "--python", python], stderr=subprocess.PIPE)
        while not Path(f"{data}.threads.json").exists() and recorder.poll() is None:
            time.sleep(0.02)
        if program == "waits.py":
            process.communicate("go\n", timeout=LIMIT_S)
        words = recorder.communicate(timeout=LIMIT_S)[1]
        self.assertEqual(recorder.returncode, 0, words)
        if program == "notes.py":
            process.communicate("stop\n", timeout=LIMIT_S)
        self.assertEqual(process.returncode, 0)
        return Capture(self.perfconv, data, folder / "side")

    def start(self, command, **options):
        process = subprocess.Popen(list(map(str, command)), text=True, **options)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process


def report_of(folder):
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))


class KnownWaits(Interpreters):
    def test_each_wait_has_its_function_reason_and_length(self):
        for version, python in self.pythons():
            with self.subTest(python=version):
                self.check(version, python)

    def check(self, version, python):
        folder = self.new_folder(version)
        scratch = folder / "scratch"
        scratch.mkdir()
        capture = self.record(python, folder, "waits.py", [scratch], LIMIT_S)
        self.assertEqual(capture.lost, 0)
        truth = report_of(folder)
        self.assertEqual(set(truth), set(REASONS))
        print(f"  Python {version}, ms     clock  profile   waited  {'reason':>9}"
              f"  run queue: clock  profile   running")
        wrong = []
        for name, clock in truth.items():
            wrong += self.compare(name, clock, capture.thread(name))
        self.assertEqual(wrong, [])

    def compare(self, name, clock, timeline):
        """Print a line of figures; returns sentences about what is not as it should be."""
        reasons = REASONS[name] | (FOR_A_SERVER if name in SERVED else set())
        total = reason = not_let = running = elsewhere = 0
        for weight, stack in timeline.all():
            names, why = python_names(stack), reason_of(stack)
            if name not in names:
                continue
            total += weight
            running += weight if why is None else 0
            not_let += weight if why in NOT_LET else 0
            reason += weight if why in reasons else 0
            elsewhere += weight if why in reasons and names[-1] != name else 0
        switching = PERF_AT_SWITCH_NS * clock["slices"]
        off_cpu = clock["wall_ns"] - clock["cpu_ns"]
        waited = off_cpu - clock["delay_ns"]
        print("    {:<20}{:9.1f}{:9.1f}{:9.1f}{:11.1f}{:18.1f}{:9.1f}{:10.1f}".format(
            name, *(value / 1e6 for value in (clock["wall_ns"], total, waited, reason,
                                              clock["delay_ns"], not_let, running))))
        return [f"{name}: {what}: {shown / 1e6:.1f} ms, not {expected / 1e6:.1f} ms"
                for what, shown, expected, least in (
                    ("in all", total, clock["wall_ns"], LEAST_NS),
                    ("for its reason or not let run", reason + not_let, off_cpu,
                     LEAST_CPU_NS + switching),
                    ("of its reason at least", min(reason, waited), waited, LEAST_NS),
                    ("of its reason under another function",
                     0 if name in SERVED else elsewhere, 0, LEAST_NS),
                    ("on the CPU", running, clock["cpu_ns"], LEAST_CPU_NS + switching))
                if abs(shown - expected) > max(SHARE * expected, least)]


class NotedStacks(Interpreters):
    def test_no_wait_shows_another_stack(self):
        for version, python in self.pythons():
            with self.subTest(python=version):
                self.check(version, python)

    def check(self, version, python):
        folder = self.new_folder(version)
        capture = self.record(python, folder, "notes.py", [], NOTES_RECORDED_S)
        notes = report_of(folder)
        print(f"  Python {version}, waits     whole  shortened  unknown    wrong   time whole")
        for name in notes:
            with self.subTest(python=version, thread=name):
                self.compare(name, notes[name], capture)

    def compare(self, name, notes, capture):
        known = {function for _, _, path in notes for function in path}
        timeline = capture.thread(name)
        counts = {"whole": 0, "shortened": 0, "unknown": 0, "wrong": 0}
        whole_ns = all_ns = 0
        wrong = []
        for begin, end, path in notes:
            cut = begin < capture.begin_ns or end > capture.end_ns
            begin, end = max(begin, capture.begin_ns), min(end, capture.end_ns)
            if end <= begin or (cut and end - begin < SLIVER_NS):
                continue  # what is left of it may be the way into the wait or out of it
            stacks = [timeline.at(begin + (end - begin) * part // 10) for part in (2, 5, 8)]
            kinds = [self.judge(stack, path, known) for stack in stacks]
            kind = max(kinds, key=list(counts).index)
            counts[kind] += 1
            all_ns += end - begin
            whole_ns += end - begin if kind == "whole" else 0
            wrong += [(f"{(begin - capture.begin_ns) / 1e9:.6f} s", end - begin, path,
                       python_names(stack, known)) for stack, kind in zip(stacks, kinds)
                      if kind == "wrong"]
        share = whole_ns / max(1, all_ns)
        print(f"    {name:<18}" + "".join(f"{count:9d}" for count in counts.values())
              + f"{100 * share:11.1f} %")
        self.assertEqual(wrong, [], f"{name}: when, ns, noted and shown")
        self.assertGreaterEqual(share, 0.95, name)

    @staticmethod
    def judge(stack, path, known):
        """How a stack that is shown stands to the one that was noted."""
        names = python_names(stack or [], known)
        if names == path:
            return "whole"
        if not names:
            return "unknown"
        return "shortened" if names == path[:len(names)] else "wrong"
