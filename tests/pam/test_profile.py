# SPDX-License-Identifier: GPL-2.0
"""profile_pam.py as a person runs it, on a stand-in for PAM.

perf, redis and the signals are real; only PAM (620 MB) and perfconv are not.
"""

import glob
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import unittest

import support
from pam_profiling.permission import find_permission

PERFCONV = """#!/bin/sh
printf '%s\\n' "$@" > "$0.$1"
[ "$1" = report ] && { echo "HIGH  busy-wait  Recv"; exit; }
[ "$1" = bundle ] && input=$2
while [ $# -gt 0 ]; do
    [ "$1" = -i ] && input=$2
    [ "$1" = -o ] && output=$2
    shift
done
[ -s "$input" ] || exit 1
echo '{}' > "$output"
echo "$output" >&2
"""


def count_samples(path):
    """Samples that perf itself finds in a capture."""
    script = subprocess.run(["perf", "script", "-i", path, "-F", "tid"],
                            capture_output=True, text=True, check=False)
    return len(script.stdout.splitlines())


class Case(support.ServiceCase):
    """Runs profile_pam.py with a stand-in perfconv; a subclass says how."""

    @classmethod
    def setUpClass(cls):
        if sys.version_info[:2] != (3, 11):
            raise unittest.SkipTest("profile_pam.py wants CPython 3.11, and "
                                    "the tests run on another")
        with tempfile.TemporaryDirectory() as folder:
            permission, problem = find_permission(folder)
        if permission is None:
            raise unittest.SkipTest(problem)

    def setUp(self):
        folder = tempfile.mkdtemp(prefix="test-profile-")
        self.addCleanup(shutil.rmtree, folder, True)
        self.output = os.path.join(folder, "profiles")
        self.perfconv = os.path.join(folder, "perfconv")
        with open(self.perfconv, "w", encoding="ascii") as stream:
            stream.write(PERFCONV)
        os.chmod(self.perfconv, 0o755)
        self.environ = dict(
            os.environ, PYTHONPATH=os.path.join(support.STAND_IN, "site"))

    def run_profile(self, *arguments, **options):
        return self.run_command(self.command(*arguments, **options))

    def run_command(self, command):
        return subprocess.run(
            command, env=self.environ, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=60, check=False)

    def arguments(self):
        """What perfconv was called with to convert."""
        with open(self.perfconv + ".convert", encoding="utf-8") as stream:
            return stream.read().splitlines()

    def with_redis(self):
        self.environ["PETAL_REDIS_HOST"] = "127.0.0.1"
        self.environ["PETAL_REDIS_PORT"] = str(self.start_redis())

    def left_running(self):
        """Command lines of the run's processes: all name the output."""
        left = []
        for path in glob.glob("/proc/[0-9]*/cmdline"):
            try:
                with open(path, "rb") as stream:
                    words = stream.read().decode("utf-8", "replace")
            except OSError:
                continue
            if self.output in words and "profile_pam.py" not in words:
                left.append(words.replace("\0", " "))
        return left

    def assert_nothing_left(self):
        self.assertEqual(self.left_running(), [])

    def act_during(self, action, *arguments, recorded, begun="*/pam.log",
                   **options):
        """Start a long run and do `action(process)` in the middle of it.

        recorded   bytes of perf.data to wait for; 0: only until `begun` is there
        Returns (status, all words of the run).
        """
        process = self.start(
            self.command(*arguments, duration="60"), env=self.environ,
            stderr=subprocess.PIPE, **options)

        def far_enough():
            names = glob.glob(os.path.join(
                self.output, "*/perf.data" if recorded else begun))
            return names and os.path.getsize(names[0]) >= recorded

        support.wait_for(far_enough, 30)
        action(process)
        words = process.stderr.read()
        return process.wait(), words

    def interrupt(self, number, recorded=1_000_000, **options):
        """The same with a signal as the action."""
        return self.act_during(
            lambda process: process.send_signal(number), recorded=recorded,
            **options)


class Launching(Case):
    """profile_pam.py that starts PAM."""

    def command(self, *arguments, duration="1"):
        return [sys.executable,
                os.path.join(support.SCRIPTS, "profile_pam.py"),
                "--scenario", "unit-test", "--duration", duration,
                "--output", self.output, "--port", str(support.free_port()),
                "--python", sys.executable, "--perfconv", self.perfconv,
                "--no-pyframes", *arguments]


class Profile(Launching):
    """From the start to what is left behind."""

    def test_a_whole_profile(self):
        self.with_redis()
        result = self.run_profile()
        self.assertEqual(result.returncode, 0, result.stderr)
        files = sorted(os.listdir(self.output))
        self.assertEqual(len(files), 2, files)
        self.assertRegex(files[0], r"^pam_unit-test_\d{8}_\d{6}_perf"
                                   r"\.speedscope\.json$")
        self.assertEqual(files[1], files[0].replace("speedscope.json", "tar.zst"))
        for name in files:
            self.assertIn(name, result.stderr)
        self.assertIn("HIGH  busy-wait  Recv", result.stderr)
        self.assertRegex(result.stderr, r"why: +perfconv report .*\.json")
        mode = os.stat(os.path.join(self.output, files[1])).st_mode
        self.assertEqual(stat.S_IMODE(mode), 0o600)
        arguments = self.arguments()
        self.assertEqual(arguments[0], "convert")
        self.assertEqual(arguments[arguments.index("--scenario") + 1],
                         "unit-test")
        self.assertTrue(any(argument.startswith("duration_s=1.")
                            for argument in arguments))
        self.assert_nothing_left()

    def test_two_runs_at_once_keep_out_of_each_others_way(self):
        self.with_redis()
        runs = [self.start(self.command(), env=self.environ,
                           stderr=subprocess.PIPE) for _ in range(2)]
        words = [run.stderr.read() for run in runs]
        statuses = [run.wait() for run in runs]
        self.assertIn(0, statuses, words)
        for status, text in zip(statuses, words):
            if status:
                self.assertIn("is taken by another run", text)
        self.assert_nothing_left()

    def test_dropped_into_a_source_checkout_and_keeping_the_capture(self):
        self.with_redis()
        checkout = os.path.join(os.path.dirname(self.output), "checkout")
        tools = os.path.join(checkout, "tools", "profiling")
        shutil.copytree(os.path.join(support.SCRIPTS, "pam_profiling"),
                        os.path.join(tools, "pam_profiling"))
        shutil.copy(os.path.join(support.SCRIPTS, "profile_pam.py"), tools)
        shutil.copytree(os.path.join(support.STAND_IN, "site"),
                        os.path.join(checkout, "src"))
        shutil.copy(os.path.join(support.STAND_IN, "config.json"), checkout)
        del self.environ["PYTHONPATH"]
        command = self.command("--keep")
        command[1] = os.path.join(tools, "profile_pam.py")
        result = subprocess.run(
            command, env=self.environ, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(
            len(glob.glob(self.output + "/*.speedscope.json")), 1)
        folder, = glob.glob(os.path.join(self.output, "*_perf"))
        self.assertEqual(stat.S_IMODE(os.stat(folder).st_mode), 0o700)
        data = os.path.join(folder, "perf.data")
        self.assertGreater(count_samples(data), 10)
        with open(data + ".threads.json", encoding="utf-8") as stream:
            looks = json.load(stream)["snapshots"]
        self.assertEqual([look["when"] for look in looks], ["start", "end"])
        self.assertGreaterEqual(looks[1]["time_ns"] - looks[0]["time_ns"], 10**9)
        used = [sum(thread["schedstat"][0] for thread in look["threads"])
                for look in looks]
        self.assertGreater(used[1], used[0])

    def test_ctrl_c_while_recording_keeps_what_there_is(self):
        self.with_redis()
        status, words = self.interrupt(signal.SIGINT)
        self.assertEqual(status, 0, words)
        self.assertIn("stopped early", words)
        self.assertEqual(
            len(glob.glob(self.output + "/*.speedscope.json")), 1)
        self.assert_nothing_left()

    def test_ctrl_c_while_pam_starts_keeps_nothing(self):
        self.with_redis()
        self.environ["STAND_IN_DEAF"] = "1"
        status, words = self.interrupt(signal.SIGTERM, recorded=0)
        self.assertEqual(status, 128 + signal.SIGTERM, words)
        self.assertIn("stopped before anything was recorded", words)
        self.assertEqual(os.listdir(self.output), [])
        self.assert_nothing_left()

    def test_sigint_works_in_a_background_job_that_ignores_it(self):
        self.with_redis()
        status, words = self.interrupt(
            signal.SIGINT, preexec_fn=lambda: signal.signal(
                signal.SIGINT, signal.SIG_IGN))
        self.assertEqual(status, 0, words)
        self.assert_nothing_left()

    def test_kill_9_leaves_no_process_and_a_readable_capture(self):
        self.with_redis()
        self.interrupt(signal.SIGKILL, recorded=3_000_000)
        support.wait_for(lambda: not self.left_running())
        data, = glob.glob(self.output + "/*/perf.data")
        self.assertGreater(count_samples(data), 30)
        self.assertTrue(os.path.exists(data + ".threads.json"))

    def test_pam_that_ends_during_the_profile(self):
        self.with_redis()
        sign = self.perfconv + ".leave"
        self.environ["STAND_IN_EXIT"] = sign
        status, words = self.act_during(
            lambda _process: os.mkdir(sign), recorded=1_000_000)
        self.assertEqual(status, 1)
        self.assertIn("PAM ended by itself with status 3 (last words: stand-in: out of "
                      "fuel)", words)
        self.assertEqual(
            len(glob.glob(self.output + "/*.speedscope.json")), 1)

    def test_failing_conversion_keeps_the_capture(self):
        self.with_redis()
        with open(self.perfconv, "w", encoding="ascii") as stream:
            stream.write("#!/bin/sh\nexit 1\n")
        result = self.run_profile()
        self.assertEqual(result.returncode, 1)
        self.assertIn("perfconv failed with status 1", result.stderr)
        self.assertEqual(len(glob.glob(self.output + "/*/perf.data")), 1)

    def test_startup_and_shutdown_are_recorded_as_phases(self):
        self.with_redis()
        result = self.run_profile("--startup", "--shutdown", "--keep")
        self.assertEqual(result.returncode, 0, result.stderr)
        spans = dict(re.findall(r"phase_(\w+)_s=([\d.]+-[\d.]+)",
                                "\n".join(self.arguments())))
        self.assertEqual(list(spans), ["startup", "steady", "shutdown"])
        times = [float(end) for span in spans.values() for end in span.split("-")]
        self.assertEqual(times, sorted(times))
        self.assertGreaterEqual(times[3] - times[2], 0.9)
        data, = glob.glob(self.output + "/*/perf.data")
        names = subprocess.run(
            ["perf", "script", "-i", data, "--show-task-events", "-F", "comm"],
            capture_output=True, text=True, check=False).stdout
        self.assertIn("PERF_RECORD_EXIT", names)
        self.assertRegex(names, r"PERF_RECORD_COMM exec: \S*python")
        with open(data + ".threads.json", encoding="utf-8") as stream:
            looks = json.load(stream)["snapshots"]
        self.assertEqual([look["when"] for look in looks], ["start", "end"])
        self.assertTrue(looks[1]["threads"])

    def test_until_ctrl_c(self):
        self.with_redis()
        process = self.start(self.command(duration="0"), env=self.environ,
                             stderr=subprocess.PIPE)
        support.wait_for(lambda: any(
            os.path.getsize(path) > 1_000_000 for path in
            glob.glob(self.output + "/*/perf.data")), 30)
        process.send_signal(signal.SIGINT)
        words = process.stderr.read()
        self.assertEqual(process.wait(), 0, words)
        self.assertIn("until Ctrl+C", words)

    def test_view_opens_it_where_there_is_a_screen_else_says_how(self):
        self.with_redis()
        self.environ.pop("DISPLAY", None)
        result = self.run_profile("--view")
        self.assertIn("perfconv view ", result.stderr)
        folder = os.path.dirname(self.perfconv)
        with open(os.path.join(folder, "speedscope"), "w", encoding="ascii") as stream:
            stream.write('#!/bin/sh\necho "$1" > "$0.shown"\n')
        os.chmod(stream.name, 0o755)
        self.environ.update(DISPLAY=":9", PATH=folder + ":" + os.environ["PATH"])
        shutil.rmtree(self.output)
        result = self.run_profile("--view")
        self.assertEqual(result.returncode, 0, result.stderr)
        shown, = glob.glob(self.output + "/*.speedscope.json")
        with open(stream.name + ".shown", encoding="utf-8") as stream:
            self.assertEqual(stream.read().strip(), shown)

    def test_failing_bundle_keeps_the_capture(self):
        self.with_redis()
        with open(self.perfconv, "w", encoding="ascii") as stream:
            stream.write(PERFCONV.replace("&& input=$2", "&& exit 1", 1))
        result = self.run_profile()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("could not be made: the capture is kept", result.stderr)
        self.assertEqual(len(glob.glob(self.output + "/*/perf.data")), 1)
        self.assertEqual(len(glob.glob(self.output + "/*.json")), 1)

    def test_all_problems_are_told_within_3_s_and_nothing_is_started(self):
        self.environ["PETAL_REDIS_PORT"] = str(support.free_port())
        self.environ["PYTHONPATH"] = ""
        watch = support.Stopwatch()
        result = subprocess.run(
            [*self.command()[:-1], "--perfconv", "/nowhere/perfconv"],
            env=self.environ, capture_output=True, text=True, timeout=60,
            check=False)
        self.assertLess(watch.seconds(), 3.0)
        self.assertEqual(result.returncode, 1)
        self.assertIn("Redis does not answer", result.stderr)
        self.assertIn("/nowhere/perfconv is not a program", result.stderr)
        self.assertFalse(os.path.exists(self.output))

    def test_a_scenario_that_is_no_file_name(self):
        result = support.run_script(
            "profile_pam.py", "--scenario", "../x", "--duration", "1")
        self.assertEqual(result.returncode, 2)
        self.assertIn("becomes part of a file name", result.stderr)
