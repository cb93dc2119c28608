# SPDX-License-Identifier: GPL-2.0
"""scripts/perf-pyrecord: any program, recorded with the settings for PAM."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

import support
from pam_profiling.permission import find_permission

PROGRAM = os.path.join(support.SCRIPTS, "perf-pyrecord")


class Pyrecord(support.ServiceCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as folder:
            permission, problem = find_permission(folder)
        if permission is None:
            raise unittest.SkipTest(problem)

    def setUp(self):
        folder = tempfile.mkdtemp(prefix="test-pyrecord-")
        self.addCleanup(shutil.rmtree, folder)
        self.data = os.path.join(folder, "perf.data")

    def run_it(self, *arguments):
        return subprocess.run(
            [PROGRAM, "-o", self.data, *arguments], stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=60, check=False)

    def test_the_command_it_prints(self):
        words = self.run_it("--print").stdout.split()
        self.assertEqual([word for word in words if word != "sudo"][-1][:12],
                         "--user-regs=")
        self.assertIn("CLOCK_MONOTONIC", words)

    def test_a_command_runs_with_pyframes_and_its_own_output(self):
        done = self.run_it("--", sys.executable, "-c",
                           "import os; print(os.environ['PYFRAMES'])")
        self.assertEqual((done.returncode, done.stdout), (0, "1\n"),
                         done.stderr)
        self.assertGreater(os.path.getsize(self.data), 1000)
        self.assertLess(done.stderr.index("perf warns of a subset"),
                        done.stderr.index("WARNING: The use of --call-graph"))

    def test_a_command_under_sudo_is_the_user_s(self):
        """Only perf keeps the privilege; the user gets the file."""
        if os.geteuid() != 0:
            self.skipTest("needs root")
        done = subprocess.run(
            [PROGRAM, "-o", self.data, "--", "/usr/bin/python3", "-c",
             "import os; print(os.getuid(), os.getgid(), os.getgroups(), 'SUDO_UID' in os.environ);"
             "raise SystemExit(3)"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
            env={**os.environ, "SUDO_UID": "4321", "SUDO_GID": "4322"})
        self.assertEqual(done.stdout, "4321 4322 [] False\n", done.stderr)
        self.assertEqual(done.returncode, 3, done.stderr)
        found = os.stat(self.data)
        self.assertEqual((found.st_uid, found.st_gid), (4321, 4322))
        self.assertGreater(found.st_size, 1000)

    def test_ctrl_c_keeps_the_recording_of_a_process(self):
        program = self.start([sys.executable, "-c", "while True: pass"])
        recorder = self.start([PROGRAM, "-o", self.data, "-p",
                               str(program.pid)], stderr=subprocess.PIPE)
        threads = self.data + ".threads.json"
        support.wait_for(lambda: os.path.exists(threads), 30)
        recorder.send_signal(signal.SIGINT)
        words = recorder.stderr.read()
        self.assertEqual(recorder.wait(), 0, words)
        self.assertIn("stopped early", words)
        self.assertIn("perfconv convert -i", words)
        with open(threads, encoding="utf-8") as stream:
            looks = json.load(stream)["snapshots"]
        self.assertEqual([look["when"] for look in looks], ["start", "end"])
        self.assertIsNone(program.poll())

    def test_what_cannot_be_recorded_is_a_usage_error(self):
        for arguments in (("-p", "0"), ("-p", "x"), (),
                          ("-p", "1", "--", "true"), ("--duration", "0")):
            done = self.run_it(*arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn("perf-pyrecord: error:", done.stderr)
