# SPDX-License-Identifier: GPL-2.0
"""What drives a scenario, against an HTTP server that answers as PAM does."""

import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import support
from pam_profiling import drive
from pam_profiling.messages import ProfilingError

IDENTITY = os.path.join(support.CONTRIB, "vehicle", "identity")
MISSION = "8f14e45f-ceea-4e7a-9d1b-111111111111"
ACCEPTED = {"status": f"SUCCESS: Mission '{MISSION}' accepted and enqueued"}


class StandIn(http.server.BaseHTTPRequestHandler):
    """Answers from a table of path -> (status, JSON); None: never answers."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        path = self.path.partition("?")[0]
        self.server.asked.append((path, body))
        status, value = self.server.answers.get(path, (404, {"detail": "Not Found"}))
        if value is None:
            self.server.released.wait(30)
            return
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(value).encode())

    def log_message(self, *_arguments):
        pass


class Driving(unittest.TestCase):
    def setUp(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), StandIn)
        self.server.daemon_threads = True
        self.server.asked, self.server.answers = [], {}
        self.server.released = threading.Event()
        thread = threading.Thread(target=self.server.serve_forever)
        thread.start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(thread.join)
        self.addCleanup(self.server.shutdown)
        self.addCleanup(self.server.released.set)
        self.said = []
        self.log = tempfile.NamedTemporaryFile("w", encoding="utf-8")
        self.addCleanup(self.log.close)

    def drive(self, *kinds, vehicle=False):
        result = drive.Drive(self.server.server_port, kinds, {"nodes": [1]},
                             self.log.name if vehicle else None, self.said.append)
        self.addCleanup(result.stop)
        result.start()
        return result

    def hear(self, mission, *states):
        for state in states:
            self.log.write(f"vehicle: mission {mission} {state}\n")
        self.log.flush()

    def test_an_error_that_comes_as_http_200_is_a_refusal(self):
        self.server.answers[drive.MISSION_PATHS[0]] = 200, {
            "status": "ERROR: Mission creation failed, error: no nodes"}
        work = self.drive(drive.MISSION)
        support.wait_for(lambda: self.said)
        self.assertIn("ERROR: Mission creation failed", self.said[0])
        self.assertIn("PAM refused", work.refusals[0])

    def test_an_older_pam_has_the_other_url(self):
        self.server.answers[drive.MISSION_PATHS[1]] = 200, ACCEPTED
        work = self.drive(drive.MISSION)
        support.wait_for(lambda: self.said)
        self.assertEqual([path for path, _ in self.server.asked],
                         list(drive.MISSION_PATHS))
        self.assertEqual(work.refusals, [])
        self.assertIn("SUCCESS", work.facts()["answer_mission-execution"])

    def test_a_pam_that_has_neither_is_told(self):
        work = self.drive(drive.MISSION)
        support.wait_for(lambda: work.refusals)
        self.assertIn("HTTP 404", work.refusals[0])

    def test_a_mission_is_over_when_the_vehicle_says_so_of_this_one(self):
        self.server.answers[drive.MISSION_PATHS[0]] = 200, ACCEPTED
        self.hear("another", "COMPLETED")
        work = self.drive(drive.MISSION, vehicle=True)
        support.wait_for(lambda: self.server.asked)
        self.assertEqual(work.missions, {})
        self.hear(MISSION, "READY", "RUNNING", "COMPLETED")
        support.wait_for(lambda: work.missions)
        self.assertEqual(work.missions, {"COMPLETED": 1})
        self.assertEqual(work.facts()["missions_completed"], "1")

    def test_a_command_is_whole_and_a_stop_does_not_wait_for_its_answer(self):
        path, command = drive.WORK[drive.RC]
        self.server.answers[path] = 200, None
        work = self.drive(drive.RC)
        support.wait_for(lambda: self.server.asked)
        _, body = self.server.asked[0]
        self.assertTrue(body["command"].endswith(command))
        self.assertEqual(set(body), {"waitResponse", "messageId", "deviceId",
                                     "command", "timestamp", "payload"})
        begin = time.monotonic()
        work.stop()
        self.assertLess(time.monotonic() - begin, 1.5)
        self.assertEqual((work.refusals, self.said),
                         ([], [f"{drive.RC}: no answer yet; PAM answers when the work is over"]))
        self.assertEqual(work.facts()[f"answer_{drive.RC}"], "none before the recording's end")

    def test_pam_that_is_gone(self):
        port = support.free_port()
        work = drive.Drive(port, [drive.ESC], None, None, self.said.append)
        work.start()
        support.wait_for(lambda: work.refusals)
        self.assertIn("refused", work.refusals[0])


class Missions(unittest.TestCase):
    def test_the_example_is_a_mission(self):
        plan = drive.read_mission(drive.example_mission(support.CONTRIB))
        self.assertEqual([node["type"] for node in plan["nodes"]][::len(plan["nodes"]) - 1],
                         ["Takeoff", "Land"])

    def test_files_that_are_none(self):
        with tempfile.TemporaryDirectory() as folder:
            for text, words in (("{", "is not JSON"), ("[]", "is not a mission plan"),
                                ('{"nodes": []}', "is not a mission plan")):
                path = os.path.join(folder, "plan.json")
                with open(path, "w", encoding="ascii") as stream:
                    stream.write(text)
                with self.assertRaisesRegex(ProfilingError, words):
                    drive.read_mission(path)
            with self.assertRaisesRegex(ProfilingError, "No such file"):
                drive.read_mission(os.path.join(folder, "none"))


class Identity(unittest.TestCase):
    """The hook, on a package of PAM's name and form."""

    SOURCE = """class OrganizationManager:
    def __init__(self, file_path="/opt/droneleaf/x", poll_interval=5.0):
        print(file_path, poll_interval)
"""

    def said_by_pam(self, **environ):
        with tempfile.TemporaryDirectory() as folder:
            package = os.path.join(folder, "petal_app_manager")
            os.mkdir(package)
            for name, text in (("__init__", ""), ("organization_manager", self.SOURCE)):
                with open(os.path.join(package, name + ".py"), "w",
                          encoding="ascii") as stream:
                    stream.write(text)
            result = subprocess.run(
                [sys.executable, "-c", "from petal_app_manager.organization_manager "
                 "import OrganizationManager; OrganizationManager()"],
                env=dict(os.environ, PYTHONPATH=f"{IDENTITY}:{folder}", **environ),
                capture_output=True, text=True, check=False)
            return result.stdout.strip(), result.stderr

    def test_pam_reads_the_file_that_is_named(self):
        self.assertEqual(self.said_by_pam(PAM_IDENTITY_FILE="/x/thing.json"),
                         ("/x/thing.json 5.0", ""))

    def test_without_it_nothing_is_changed(self):
        self.assertEqual(self.said_by_pam(), ("/opt/droneleaf/x 5.0", ""))
