# SPDX-License-Identifier: GPL-2.0
"""What holds of each scenario's file: valid, all threads by name, the function that marks it."""
import json
import re
import shutil
import tempfile
import unittest
from pathlib import Path

from common import BUILD, Trouble, profile
from pam_profiling.user import InvokingUser

# As PAM names them; how many RedisProxy threads there are depends on what was asked so far.
THREADS = ("MainThread", "uvloop_0", "RedisProxy_0", "MQTTProxy_0", "MavLinkExternalProxy-Recv",
           "MavLinkExternalProxy-Send", "MavLinkExternalProxy_0", "BlenderPositionSender")
NATIVE_THREADS, NATIVE = 4, r"libuv-worker( \(tid \d+\))?"
# Scenario -> (thread, function) that PAM runs in this one.
RECEIVER, MAIN = "MavLinkExternalProxy-Recv", "MainThread"
MARKS = {
    "idle-no-leaffc": [(RECEIVER, "ExternalProxy._recv_body"),
                       (RECEIVER, "MavLinkExternalProxy._io_read_once")],
    "idle-with-leaffc": [(RECEIVER, "MAVLink.decode"), (RECEIVER, "mavfile.recv_match")],
    "esc-calibration": [
        (MAIN, "PetalUserJourneyCoordinator._test_esc_calibration_message_handler"),
        (MAIN, "ESCCalibrationController._send_throttle_command")],
    "rc-stream": [(MAIN, "BasePubSubController._publishing_loop"),
                  (MAIN, "MQTTProxy.publish_message")],
    "mission-execution": [(MAIN, "MissionManager._mission_runner_loop"),
                          (MAIN, "Mission.run_step")],
}


def shown_functions(file):
    """(thread, function) of every frame that has time in a profile."""
    names = [frame["name"].split(" ")[0] for frame in file["shared"]["frames"]]
    return {(one["name"], names[index]) for one in file["profiles"]
            for stack in one["samples"] for index in stack}


class FileChecks:
    """For a TestCase with `scenario`, and `file`, the speedscope file that was read."""

    def test_the_file_is_valid(self):
        self.assertEqual(self.file["$schema"],
                         "https://www.speedscope.app/file-format-schema.json")
        frames = len(self.file["shared"]["frames"])
        for one in self.file["profiles"]:
            self.assertEqual(len(one["samples"]), len(one["weights"]), one["name"])
            self.assertEqual(sum(one["weights"]), one["endValue"] - one["startValue"])
            self.assertTrue(all(0 <= index < frames for stack in one["samples"]
                                for index in stack), one["name"])
        self.assertEqual(self.file["perfconv"]["scenario"], self.scenario)

    def test_the_threads_have_their_names(self):
        names = [one["name"] for one in self.file["profiles"]]
        for name in THREADS:
            self.assertEqual(names.count(name), 1, f"{name} of {names}")
        native = [name for name in names if re.fullmatch(NATIVE, name)]
        self.assertEqual(len(native), NATIVE_THREADS, names)

    def test_the_function_that_marks_the_scenario(self):
        shown = shown_functions(self.file)
        missing = [mark for mark in MARKS[self.scenario] if mark not in shown]
        self.assertEqual(missing, [], f"{len(shown)} others are shown")

    def test_what_pam_is_stands_in_the_file(self):
        values = self.file["perfconv"]["values"]
        for key in ("pam_version", "petal_versions", "enabled_petals", "enabled_proxies",
                    "python_version", "pyframes_version", "vehicle"):
            self.assertTrue(values.get(key), key)


class Recorded(FileChecks, unittest.TestCase):
    """A profile of a PAM that was started for it; a subclass names the scenario."""

    scenario = None
    record_s = 10
    options = ()

    @classmethod
    def setUpClass(cls):
        if not cls.scenario:
            raise unittest.SkipTest("not a scenario")
        Trouble.skip()
        cls.folder = Path(tempfile.mkdtemp(prefix="pam-live-", dir=BUILD))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        InvokingUser().own(cls.folder)
        done = profile("--scenario", cls.scenario, "--duration", cls.record_s,
                       "--output", cls.folder, *cls.options)
        cls.words = done.stdout
        print(done.stdout, flush=True)
        if done.returncode:
            raise AssertionError(f"profile_pam.py ended with status {done.returncode}")
        path, = cls.folder.glob("*.speedscope.json")
        with open(path, encoding="utf-8") as stream:
            cls.file = json.load(stream)

    def test_cpu_and_memory_over_time_stand_in_the_file(self):
        """Of all threads, as their own times say; the looks count what is stolen, too."""
        looks = self.file["perfconv"]["report"]["usage"]
        self.assertGreaterEqual(len(looks), self.record_s // 2)
        times = [look["timeNs"] for look in looks]
        self.assertEqual(times, sorted(times))
        threads = self.file["perfconv"]["report"]["threads"]
        shown = 100 * sum(thread["onCpuNs"] for thread in threads) / (
            self.file["perfconv"]["durationSeconds"] * 1e9)
        mean = sum(look["cpuPercent"] for look in looks) / len(looks)
        print(f"  {self.scenario}: CPU {mean:.1f} % by the looks, {shown:.1f} % by the threads")
        self.assertLess(abs(mean - shown), max(5, 0.3 * shown))
        for look in looks:
            self.assertTrue(50e6 < look["memoryBytes"] < 1e9, look)


class Driven(Recorded):
    """A scenario that is driven for some seconds."""

    options = ("--drive",)

    def test_what_was_driven_stands_in_the_file(self):
        self.assertEqual(self.file["perfconv"]["values"]["drive"], self.scenario)


class EscCalibration(Driven):
    scenario = "esc-calibration"
    # Ten commands a second are sent in a fraction of a millisecond each.
    options = ("--drive", "--rate", "499")


class RcStream(Driven):
    scenario = "rc-stream"

    def test_the_vehicle_s_rate_stands_in_the_file(self):
        self.assertEqual(self.file["perfconv"]["values"]["vehicle_rates"], "rc_channels=50")


class MissionExecution(Driven):
    scenario = "mission-execution"
    # Two waits of 2 s, arming and landing remain.
    record_s = 20
    options = ("--drive", "--flight-time", "0")

    def test_pam_took_the_mission_and_the_vehicle_flew_it(self):
        self.assertIn("PAM answered", self.words)
        self.assertIn("SUCCESS: Mission", self.words)
        self.assertIn("COMPLETED after", self.words)
        self.assertEqual(self.file["perfconv"]["values"]["missions_completed"], "1")


DRIVEN = ("EscCalibration", "RcStream", "MissionExecution")
