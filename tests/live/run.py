#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Record programs with perf, convert the captures and check the profiles.

    tests/live/run.py [PERFCONV]

Needs perf with the right to record, and CPython 3.11 to build pyframes for;
what is not there makes the tests that need it skipped, with the reason.
PERFCONV defaults to $PERFCONV, then build/perfconv.
"""
import functools
import json
import os
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import suite  # noqa: E402
import venvs  # noqa: E402
from suite import BUILD, ROOT, interpreters_of, perf_trouble, python_with_pyframes  # noqa: E402

PERFCONV = suite.perfconv_argument()
SECONDS = 2
LEAST_COMPLETE = 0.95
LEAST_COMPLETE_OWN = 0.99
DEPTH = 60
MODES = "merged", "python", "native", "all"
POLLER = "A poller with a long name"
RECEIVER = "MavLinkExternalProxy-Recv"
WORKER = "Recursive worker (20 deep)"

run = functools.partial(suite.run, limit_s=180)


class Recording:
    """A program under perf record in a folder of its own."""

    def __init__(self, folder, command, dump_bytes=65528, **environment):
        self.folder = Path(folder)
        self.capture = self.folder / "perf.data"
        self.side = self.folder / "side"
        self.side.mkdir(exist_ok=True)
        done = run(["perf", "record", "-q", "-N", "-m", "8M", "-e", "cpu-clock", "-F", "499",
                    "-k", "CLOCK_MONOTONIC", "--call-graph", f"dwarf,{dump_bytes}", "-o", self.capture,
                    "--", *command],
                   env=venvs.clean_environment(PYFRAMES_DIR=str(self.side), **environment))
        if done.returncode:
            raise AssertionError(f"perf record failed: {done.stderr}")
        self.stdout = done.stdout

    def convert(self, mode="merged"):
        """The profile, and where it lies."""
        path = self.folder / f"{mode}.speedscope.json"
        done = run([PERFCONV, "convert", "-i", self.capture, "-o", path, "--frames", mode,
                    "--side-dir", self.side])
        if done.returncode:
            raise AssertionError(f"perfconv failed: {done.stderr}")
        with open(path, encoding="utf-8") as file:
            return json.load(file), path


def stacks_of(profile, thread):
    """A thread's stacks as lists of names, root first, with their weights."""
    names = [frame["name"] for frame in profile["shared"]["frames"]]
    found = [one for one in profile["profiles"] if one["name"] == thread]
    if len(found) != 1:
        raise AssertionError(f"{thread} is there {len(found)} times, of "
                             f"{[one['name'] for one in profile['profiles']]}")
    return [([names[i] for i in stack], weight)
            for stack, weight in zip(found[0]["samples"], found[0]["weights"]) if stack]


def meta_of(profile, thread):
    return next(one["perfconv"] for one in profile["profiles"] if one["name"] == thread)


def threads_of(profile):
    """All but the profile that sums them up."""
    return [one for one in profile["profiles"] if "tid" in one["perfconv"]]


def in_order(names, wanted):
    """Whether wanted stand in names in this order."""
    rest = iter(names)
    return all(name in rest for name in wanted)


class Live(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if perf_trouble():
            raise unittest.SkipTest(perf_trouble())
        cls.folder = Path(tempfile.mkdtemp(prefix="perfconv-live-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)


class WithPyframes(Live):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        python, trouble = python_with_pyframes()
        if not python:
            raise unittest.SkipTest(trouble)
        cls.recording = Recording(cls.folder, [python, HERE / "program.py", SECONDS], PYFRAMES="1")
        cls.profiles = {mode: cls.recording.convert(mode)[0] for mode in MODES}
        lines = cls.recording.stdout.splitlines()
        cls.process_seconds = float(lines[0].split()[1])
        cls.thread_seconds = {line.split(" ", 2)[2]: float(line.split()[1]) for line in lines[1:]}

    def test_threads_have_their_full_names(self):
        for mode in MODES:
            names = [one["name"] for one in self.profiles[mode]["profiles"]]
            self.assertEqual(names[0], "MainThread", names)
            for name in POLLER, RECEIVER, WORKER:
                self.assertEqual(names.count(name), 1, names)

    def test_python_functions_stand_root_first(self):
        wanted = {
            "MainThread": ["<module>", "main", "serve", "live task [task]", "step", "crunch"],
            RECEIVER: ["Thread._bootstrap", "Thread._bootstrap_inner", "Thread.run",
                       "compute_outer", "compute_inner", "crunch"],
            WORKER: ["Thread._bootstrap", "Worker.run", *["Worker.descend"] * 21, "crunch"],
            POLLER: ["Thread._bootstrap", "Thread.run", "poll_forever"],
        }
        for mode in "python", "merged", "all":
            for thread, names in wanted.items():
                if thread == "MainThread":  # the coroutine runs below its task, not below serve
                    names = [name for name in names if name != "serve"]
                stacks = stacks_of(self.profiles[mode], thread)
                whole = sum(weight for _, weight in stacks)
                fitting = sum(weight for stack, weight in stacks if in_order(stack, names))
                least = 0.5 if thread != "MainThread" else 0.1
                self.assertGreater(fitting, least * whole, f"{mode} {thread} {stacks[:3]}")

    def test_the_modes_show_what_they_say(self):
        kinds = {mode: {frame["kind"] for frame in self.profiles[mode]["shared"]["frames"]}
                 for mode in MODES}
        self.assertLessEqual(kinds["python"], {"python", "task", "note", "thread"})
        self.assertFalse(kinds["native"] & {"python", "task"})
        self.assertLessEqual({"python", "native"}, kinds["merged"])
        self.assertLessEqual({"python", "native"}, kinds["all"])
        self.assertIn("task", kinds["python"])

    def test_all_shows_the_interpreter_and_merged_does_not(self):
        everything = {name for stack, _ in stacks_of(self.profiles["all"], RECEIVER)
                      for name in stack}
        merged = {name for stack, _ in stacks_of(self.profiles["merged"], RECEIVER)
                  for name in stack}
        self.assertTrue(any("clone" in name or "libc" in name or "start_thread" in name
                            for name in everything), everything)
        self.assertGreater(len(everything), len(merged))

    def test_stacks_are_complete(self):
        for thread in "MainThread", POLLER, RECEIVER, WORKER:
            stacks = meta_of(self.profiles["all"], thread)["stacks"]
            share = stacks["complete"] / max(1, sum(stacks.values()))
            print(f"  complete stacks of {thread}: {100 * share:.1f} % of {sum(stacks.values())}")
            self.assertGreaterEqual(share, LEAST_COMPLETE, f"{thread}: {stacks}")

    def test_cpu_time_agrees_with_the_clock(self):
        """Of threads that compute. One that wakes for less than a sampling period is
        sampled with a bias, since perf's timer begins anew with each burst."""
        profile, seconds = self.profiles["merged"], dict(self.thread_seconds)
        bursts = meta_of(profile, POLLER)["onCpuSeconds"]
        self.assertGreater(bursts, 0)
        total = sum(one["perfconv"]["onCpuSeconds"] for one in threads_of(profile)) - bursts
        process = self.process_seconds - seconds.pop(POLLER)
        self.assertAlmostEqual(total, process, delta=0.1 * process + 0.05)
        for name, expected in seconds.items():
            measured = meta_of(profile, name)["onCpuSeconds"]
            self.assertAlmostEqual(measured, expected, delta=0.15 * expected + 0.05, msg=name)

    def test_modes_do_not_change_the_time(self):
        sums = {mode: [one["perfconv"]["onCpuSeconds"] for one in threads_of(self.profiles[mode])]
                for mode in MODES}
        for mode in MODES[1:]:
            self.assertEqual(sums[mode], sums["merged"])

    def test_timelines_are_of_equal_length(self):
        for one in threads_of(self.profiles["merged"]):
            self.assertEqual(one["startValue"], 0)
            self.assertEqual(sum(one["weights"]), one["endValue"])
            self.assertEqual(one["endValue"], self.profiles["merged"]["profiles"][0]["endValue"])

    def test_converting_again_gives_the_same_bytes(self):
        first = (self.folder / "merged.speedscope.json").read_bytes()
        second = self.recording.convert("merged")[1].read_bytes()
        self.assertEqual(first, second)

    def test_the_file_is_valid(self):
        schema = BUILD / "node" / "node_modules" / "speedscope"
        schemas = sorted(schema.glob("**/file-format-schema.json"))
        if not shutil.which("node") or not schemas:
            self.skipTest("node or npm's speedscope is not there; make check-browser fetches it")
        for mode in MODES:
            done = run(["node", ROOT / "tests" / "browser" / "validate.mjs", BUILD / "node",
                        schemas[0], self.folder / f"{mode}.speedscope.json"])
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_the_metadata_says_which_python(self):
        meta = self.profiles["merged"]["perfconv"]
        self.assertTrue(meta["python"]["version"].startswith("3.11."))
        self.assertEqual(meta["quality"]["sideFiles"]["read"], 1)
        self.assertEqual(meta["quality"]["sideFiles"]["missing"], 0)
        self.assertEqual(meta["quality"]["badRecords"], 0)
        self.assertEqual(meta["clock"], "CLOCK_MONOTONIC")


class Stitching(Live):
    def test_stitched_stacks_are_those_of_full_dumps(self):
        """The short form of tests/bench/stitch.py, which says more."""
        _, reason = python_with_pyframes()
        if reason:
            self.skipTest(reason)
        done = run([sys.executable, ROOT / "tests" / "bench" / "stitch.py", "--seconds", 8,
                    "--calibration", 49, "--sizes", 16384, "--program", "threads", "--program",
                    "twins", "--python", interpreters_of(11)[0]],
                   env=venvs.clean_environment(PERFCONV=str(PERFCONV)))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        stitched = [int(line.split()[-4]) for line in done.stdout.splitlines()
                    if line.startswith("threads") and " complete " not in line]
        self.assertGreater(sum(stitched), 0, done.stdout)


class WithoutPyframes(Live):
    def test_stacks_longer_than_their_copy_are_truncated(self):
        python, _ = python_with_pyframes()
        recording = Recording(self.folder, [python or sys.executable, HERE / "program.py", 0.5],
                              dump_bytes=512)
        profile, _ = recording.convert()
        stacks = profile["perfconv"]["quality"]["stacks"]
        self.assertGreater(stacks["truncated"], 0.5 * sum(stacks.values()), stacks)
        notes = [frame["name"] for frame in profile["shared"]["frames"] if frame["kind"] == "note"]
        self.assertIn("[stack cut]", notes)

    def test_python_converts_without_pyframes(self):
        python, trouble = python_with_pyframes()
        recording = Recording(self.folder, [python or sys.executable, HERE / "program.py", 0.5])
        profile, _ = recording.convert()
        self.assertGreater(profile["perfconv"]["samples"], 10, trouble)
        self.assertNotIn("python", profile["perfconv"])
        self.assertEqual({frame["kind"] for frame in profile["shared"]["frames"]}
                         & {"python", "task"}, set())

    def test_a_program_without_python_converts(self):
        compiler = shutil.which(os.environ.get("CC", "gcc"))
        if not compiler:
            self.skipTest("there is no C compiler")
        program = self.folder / "threads"
        source = ROOT / "tests" / "files" / "recipes" / "threads.c"
        self.assertEqual(run([compiler, "-O2", "-pthread", "-o", program, source]).returncode, 0)
        profile, _ = Recording(self.folder, [program]).convert()
        for thread, function in ("estimator", "estimate"), ("logger", "log_data"):
            stacks = stacks_of(profile, thread)
            whole = sum(weight for _, weight in stacks)
            fitting = sum(weight for stack, weight in stacks if in_order(stack, [function, "spin"]))
            self.assertGreater(fitting, 0.9 * whole, stacks[:3])
        stacks = meta_of(profile, "estimator")["stacks"]
        self.assertGreaterEqual(stacks["complete"], LEAST_COMPLETE * sum(stacks.values()))


class OwnTrampolines:
    """CPython's own perf support: its stubs lie in memory and have no CFI."""
    MINOR, OPTION = None, "perf"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        pythons = interpreters_of(cls.MINOR)
        if not pythons:
            raise unittest.SkipTest(f"there is no CPython 3.{cls.MINOR}")
        cls.recording = Recording(cls.folder, [pythons[0], "-X", cls.OPTION, HERE / "deep.py",
                                               SECONDS / 4, DEPTH])
        pid, *cls.tids = cls.recording.stdout.split()
        for path in f"/tmp/perf-{pid}.map", f"/tmp/jit-{pid}.dump":
            cls.addClassCleanup(Path(path).unlink, missing_ok=True)
        cls.profiles = {mode: cls.recording.convert(mode)[0] for mode in MODES}

    def stacks(self, mode, tid):
        name = next(one["name"] for one in self.profiles[mode]["profiles"]
                    if one["name"].endswith(f"(tid {tid})"))
        return stacks_of(self.profiles[mode], name)

    def test_stacks_are_complete(self):
        stacks = self.profiles["merged"]["perfconv"]["quality"]["stacks"]
        share = stacks["complete"] / max(1, sum(stacks.values()))
        print(f"  complete stacks of 3.{self.MINOR} -X {self.OPTION}, {DEPTH} calls deep: "
              f"{100 * share:.1f} % of {sum(stacks.values())}")
        self.assertGreaterEqual(share, LEAST_COMPLETE_OWN, stacks)

    def test_python_functions_stand_root_first(self):
        starts = ["<module>"], ["Thread._bootstrap", "Thread._bootstrap_inner", "Link.run"]
        for mode in "python", "merged", "all":
            for tid, start in zip(self.tids, starts):
                stacks = self.stacks(mode, tid)
                whole = sum(weight for _, weight in stacks)
                fitting = sum(
                    weight for names, weight in stacks
                    if in_order(names, [*start, "descend", "crunch"])
                    and names.count("descend") == DEPTH + 1)
                self.assertGreater(fitting, 0.7 * whole, f"{mode} {tid} {stacks[:3]}")

    def test_the_modes_show_what_they_say(self):
        kinds = {mode: {frame["kind"] for frame in self.profiles[mode]["shared"]["frames"]}
                 for mode in MODES}
        self.assertLessEqual(kinds["python"], {"python", "note", "thread"})
        self.assertNotIn("python", kinds["native"])
        self.assertLessEqual({"python", "native"}, kinds["all"])
        machinery = {mode: sum("_PyEval_EvalFrameDefault" in names
                               for names, _ in self.stacks(mode, self.tids[0]))
                     for mode in ("merged", "all", "native")}
        self.assertGreater(machinery["all"], 0)
        self.assertGreater(machinery["native"], 0)
        self.assertLess(machinery["merged"], 0.1 * machinery["all"])

    def test_a_function_has_its_file(self):
        frames = self.profiles["merged"]["shared"]["frames"]
        files = {frame["file"] for frame in frames if frame["name"] == "descend"}
        self.assertEqual(files, {str(HERE / "deep.py")})


class OwnTrampolines312(OwnTrampolines, Live):
    MINOR = 12


class OwnTrampolines313(OwnTrampolines, Live):
    MINOR = 13


class Jitdump313(OwnTrampolines, Live):
    MINOR, OPTION = 13, "perf_jit"


def main():
    suite.need_program(PERFCONV)
    suite.run_tests()


if __name__ == "__main__":
    main()
