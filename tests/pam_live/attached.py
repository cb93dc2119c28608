# SPDX-License-Identifier: GPL-2.0
"""A PAM that runs is recorded three times, and is afterwards what it was before."""
import glob
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from types import SimpleNamespace

from common import BUILD, PERFCONV, PROFILE_LIMIT_S, PYTHON, ROOT, SCRIPT, Trouble, run
from driven import FileChecks, shown_functions
from pam_profiling import process, services
from pam_profiling.app import Pam
from pam_profiling.messages import Steps
from pam_profiling.preflight import free_port
from pam_profiling.target import ask_target
from pam_profiling.user import InvokingUser

TIMES, RECORD_S = 3, 5
# What PAM uses depends on what else the machine does, so a second PAM that is left alone tells
# how much it would have been.
CPU_SPAN_S, CPU_SPANS, CPU_POINTS = 4, 3, 1.0
KILL_BYTES = 6_000_000


class RunningPam:
    """PAM with a sleeping pyframes, its services and the vehicle, as a board has them."""

    def __init__(self, folder):
        self.children, self.stop = process.Children(), SimpleNamespace(
            count=0, wait=lambda seconds: time.sleep(seconds))
        self.port = free_port(9000)
        user = InvokingUser()
        user.own(folder)
        environ = user.environment()
        target = ask_target(str(PYTHON), user, environ)
        around = services.Services(str(folder), str(ROOT / "contrib"), str(PYTHON), user,
                                   self.children, self.stop)
        around.start_redis()
        around.start_broker()
        around.start_side_service()
        around.start_vehicle()
        environ.update(around.environment(self.port, environ))
        environ.update(PYFRAMES="agent", PYFRAMES_DIR=str(folder / "pyframes"),
                       PETAL_LOG_DIR="logs")
        self.pam = Pam(target, SimpleNamespace(pam=str(folder), folder=str(folder)), self.port,
                       user, self.children, self.stop)
        self.pam.start(environ)
        self.pam.wait_healthy(Steps())
        self.pam.wait_vehicle()

    @property
    def pid(self):
        return self.pam.pid

    def threads(self):
        return sorted(os.listdir(f"/proc/{self.pid}/task"))

    def descriptors(self):
        """What is open, without the numbers of sockets that come and go with requests."""
        links = []
        for name in os.listdir(f"/proc/{self.pid}/fd"):
            try:
                link = os.readlink(f"/proc/{self.pid}/fd/{name}")
            except OSError:
                continue
            links.append(link.split(":")[0] if link.startswith(("socket:", "pipe:")) else link)
        return sorted(links)


def cpu_more(one, other):
    """CPU that one PAM uses more than the other, in percent of a core: the median of spans."""
    def used():
        return [process.process_cpu_seconds(pam.pid) for pam in (one, other)]

    points = []
    for _ in range(CPU_SPANS):
        begin, before = time.monotonic(), used()
        time.sleep(CPU_SPAN_S)
        seconds, after = time.monotonic() - begin, used()
        points.append([100 * (later - earlier) / seconds
                       for earlier, later in zip(before, after)])
    print(f"  CPU of PAM, and of the one left alone, % of a core: "
          f"{', '.join(f'{mine:.1f} and {alone:.1f}' for mine, alone in points)}", flush=True)
    return statistics.median(mine - alone for mine, alone in points)


def is_open(path):
    """True while a process has the file open."""
    for link in glob.iglob("/proc/[0-9]*/fd/*"):
        try:
            if os.readlink(link) == str(path):
                return True
        except OSError:
            pass
    return False


class Attached(FileChecks, unittest.TestCase):
    """What three recordings of one PAM leave behind, and what they hold."""

    scenario = "idle-with-leaffc"

    @classmethod
    def setUpClass(cls):
        Trouble.skip()
        cls.folder = Path(tempfile.mkdtemp(prefix="pam-attach-", dir=BUILD))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.pams = []
        for name in "recorded", "alone":
            os.mkdir(cls.folder / name)
            pam = RunningPam(cls.folder / name)
            cls.addClassCleanup(pam.children.stop_all)
            cls.pams.append(pam)
        cls.pam = cls.pams[0]
        cls.cpu_before = cpu_more(*cls.pams)
        cls.before, cls.during = cls.look(), []
        for number in range(TIMES):
            last = number == TIMES - 1
            if last:
                cls.killed = cls.killed_recording()
            done = cls.attach("--duration", RECORD_S, "--output", cls.folder / str(number),
                              *([] if last else ["--no-convert"]))
            print(done.stdout, flush=True)
            if done.returncode:
                raise AssertionError(f"profile_pam.py ended with status {done.returncode}")
            cls.during.append(cls.look())
        cls.cpu_after = cpu_more(*cls.pams)
        path, = (cls.folder / str(TIMES - 1)).glob("*.speedscope.json")
        with open(path, encoding="utf-8") as stream:
            cls.file = json.load(stream)

    @classmethod
    def command(cls, *arguments):
        return [str(part) for part in (
            sys.executable, SCRIPT, "--scenario", cls.scenario, "--attach", "--port",
            cls.pam.port, "--perfconv", PERFCONV, *arguments)]

    @classmethod
    def attach(cls, *arguments):
        return run(cls.command(*arguments), PROFILE_LIMIT_S)

    @classmethod
    def killed_recording(cls):
        """Kill -9 a recording in the middle: (PAM's status then, the file of its capture)."""
        folder = cls.folder / "killed"
        profiler = subprocess.Popen(
            cls.command("--duration", 120, "--output", folder), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            data = cls.wait_for(lambda: next(
                (path for path in folder.glob("*/perf.data")
                 if path.stat().st_size > KILL_BYTES), None))
        finally:
            profiler.kill()
            profiler.wait()
        # perf ends by itself, and closes its file.
        cls.wait_for(lambda: not is_open(data))
        return cls.pam.pam.proxy_status(), data

    @staticmethod
    def wait_for(condition, seconds=60):
        end = time.monotonic() + seconds
        while not (value := condition()):
            if time.monotonic() > end:
                raise AssertionError(f"not so within {seconds} s")
            time.sleep(0.1)
        return value

    @classmethod
    def look(cls):
        return SimpleNamespace(status=cls.pam.pam.proxy_status(), threads=cls.pam.threads(),
                               files=cls.pam.descriptors())

    # PAM is told "vehicle" by the runs that start one.
    test_what_pam_is_stands_in_the_file = None

    def test_pam_and_its_petals_stand_in_the_file(self):
        values = self.file["perfconv"]["values"]
        self.assertEqual(values["attached_to"], str(self.pam.pid))
        self.assertIn("petal-leafsdk", values["enabled_petals"])

    def test_health_is_the_same_per_proxy(self):
        self.assertGreaterEqual(len(self.before.status), 4)
        for after in self.during:
            self.assertEqual(after.status, self.before.status)

    def test_no_thread_is_left(self):
        """PAM's own pools grow by themselves; what is asked is who has come."""
        names = self.comms()
        self.assertFalse([name for name in names if "pyframes" in name], names)
        self.assertLessEqual(len(self.during[-1].threads) - len(self.before.threads), 2)

    def comms(self):
        return [Path(f"/proc/{self.pam.pid}/task/{tid}/comm").read_text().strip()
                for tid in self.during[-1].threads]

    def test_no_descriptor_is_left(self):
        for after in self.during:
            self.assertEqual([link for link in after.files if "pyframes" in link], [])
        self.assertLessEqual(len(self.during[-1].files) - len(self.before.files), 2)

    def test_it_costs_no_cpu_afterwards(self):
        print(f"  more than the one left alone: {self.cpu_before:.1f} before, "
              f"{self.cpu_after:.1f} after, % of a core")
        self.assertLessEqual(self.cpu_after, self.cpu_before + CPU_POINTS)

    def test_kill_9_leaves_pam_running_and_a_capture_that_converts(self):
        status, data = self.killed
        self.assertEqual(status, self.before.status)
        path = data.parent / "killed.speedscope.json"
        done = run([PERFCONV, "convert", "-i", data, "-o", path], PROFILE_LIMIT_S)
        self.assertEqual(done.returncode, 0, done.stdout)
        with open(path, encoding="utf-8") as stream:
            shown = shown_functions(json.load(stream))
        self.assertTrue(("MavLinkExternalProxy-Recv", "MavLinkExternalProxy._io_read_once")
                        in shown, f"{len(shown)} others are shown")

    def test_pyframes_sleeps_again(self):
        done = run([PYTHON, "-m", "pyframes", "status", self.pam.pid], 30,
                   env=dict(os.environ, PYFRAMES="0"))
        self.assertFalse(json.loads(done.stdout)["active"], done.stdout)


ATTACHED = ("Attached",)
