# SPDX-License-Identifier: GPL-2.0
"""monitor_pam.py on the stand-in for PAM, and its picture."""

import csv
import glob
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

import support
from pam_profiling import picture, usage

SVG = "{http://www.w3.org/2000/svg}"
HAS_PYFRAMES = importlib.util.find_spec("pyframes") is not None


class Monitor(support.ServiceCase):
    def setUp(self):
        self.output = os.path.join(tempfile.mkdtemp(prefix="test-monitor-"), "out")
        self.addCleanup(shutil.rmtree, os.path.dirname(self.output), True)
        self.port = support.free_port()

    def start_pam(self, **environ):
        environ = dict(os.environ, PYTHONPATH=os.path.join(support.STAND_IN, "site"),
                       **environ)
        process = self.start(
            [sys.executable, "-m", "uvicorn", "petal_app_manager.main:app",
             "--port", str(self.port)], env=environ, cwd="/")
        support.wait_for(lambda: support.accepts(self.port))
        return process

    def options(self, *arguments):
        return ["--scenario", "unit-test", "--output", self.output, "--port",
                str(self.port), "--interval", "0.3", *arguments]

    def monitor(self, *arguments):
        return support.run_script("monitor_pam.py", *self.options(*arguments))

    def rows(self, end):
        path, = glob.glob(f"{self.output}/pam_unit-test_*_{end}.csv")
        with open(path, newline="", encoding="utf-8") as stream:
            return list(csv.DictReader(stream))

    def test_tables_and_picture(self):
        self.start_pam()
        result = self.monitor("--duration", "1.5", "--plot")
        self.assertEqual(result.returncode, 0, result.stderr)
        rows, threads = self.rows("cpu"), self.rows("threads")
        self.assertEqual(list(rows[0]), ["elapsed_seconds", "cpu_percent", "memory_mb",
                                         "memory_percent", "timestamp"])
        self.assertEqual(len(rows), 5)
        for row in rows:
            parts = [float(part["cpu_percent"]) for part in threads
                     if part["elapsed_seconds"] == row["elapsed_seconds"]]
            self.assertAlmostEqual(sum(parts), float(row["cpu_percent"]), delta=0.1)
            self.assertGreater(float(row["memory_mb"]), 5)
            self.assertRegex(row["timestamp"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]")
        self.assertGreater(sum(float(row["cpu_percent"]) for row in rows), 10)
        self.assertIn("MainThread", {part["thread"] for part in threads})
        path, = glob.glob(f"{self.output}/*_cpu.svg")
        root = xml.etree.ElementTree.parse(path).getroot()
        words = [element.text for element in root.iter(SVG + "text")]
        self.assertTrue(any("unit-test" in word for word in words), words)
        self.assertEqual(len(list(root.iter(SVG + "polyline"))), 2)

    def after_two_looks(self, action, *arguments):
        """Do action(monitor) once it has looked twice; (its status, its words)."""
        process = self.start([sys.executable, os.path.join(support.SCRIPTS, "monitor_pam.py"),
                              *self.options(*arguments)], stderr=subprocess.PIPE)
        support.wait_for(lambda: glob.glob(self.output + "/*_cpu.csv")
                         and len(self.rows("cpu")) >= 2)
        action(process)
        words = process.stderr.read()
        return process.wait(), words

    def test_ctrl_c_ends_it_and_the_files_are_whole(self):
        self.start_pam()
        status, words = self.after_two_looks(
            lambda process: process.send_signal(signal.SIGINT))
        self.assertEqual(status, 0, words)
        self.assertIn("% of a core", words)

    def test_pam_that_ends_is_told(self):
        pam = self.start_pam()
        status, words = self.after_two_looks(lambda _process: pam.kill(), "--duration", "60")
        self.assertEqual(status, 1, words)
        self.assertIn(f"PAM (pid {pam.pid}) has ended", words)

    def test_nobody_there(self):
        result = self.monitor()
        self.assertEqual(result.returncode, 1)
        self.assertIn("Nothing listens on port", result.stderr)
        self.assertFalse(os.path.exists(self.output))

    @unittest.skipUnless(HAS_PYFRAMES, "this Python has no pyframes")
    def test_a_sleeping_pyframes_tells_the_threads_names(self):
        self.start_pam(PYFRAMES="agent",
                       PYFRAMES_DIR=os.path.join(os.path.dirname(self.output), "frames"))
        self.monitor("--duration", "0.6")
        names = {row["thread"] for row in self.rows("threads")}
        self.assertTrue(any("spin" in name for name in names), names)


class Picture(unittest.TestCase):
    @staticmethod
    def sample(seconds, **threads):
        return usage.Sample(seconds, {(number, name): percent for number, (name, percent)
                                      in enumerate(threads.items())}, 1e8)

    def test_the_busiest_threads_have_colours_and_the_rest_is_one(self):
        many = {f"t{number:02}": float(number) for number in range(12)}
        stacked = picture.stacked([self.sample(1.0, **many), self.sample(2.0, **many)])
        self.assertEqual([name for name, _ in stacked][:2], ["t11", "t10"])
        self.assertEqual(len(stacked), picture.MOST_THREADS + 1)
        self.assertEqual(stacked[-1], (picture.REST, [10.0, 10.0]))

    def test_a_thread_that_comes_later_was_not_there_before(self):
        stacked = dict(picture.stacked([self.sample(1.0, a=1.0), self.sample(2.0, a=1.0, b=5.0)]))
        self.assertEqual(stacked["b"], [0.0, 5.0])

    def test_names_are_escaped(self):
        text = picture.draw("<b>&", [self.sample(1.0, **{"<i>": 1.0})])
        xml.etree.ElementTree.fromstring(text)
        self.assertNotIn("<i>", text)

    def test_all_words_lie_on_the_picture(self):
        root = xml.etree.ElementTree.fromstring(
            picture.draw("title", [self.sample(1.0, a=1.0), self.sample(300.0, a=1.0)]))
        for element in root.iter(SVG + "text"):
            self.assertLess(float(element.get("y")) + 4, float(root.get("height")), element.text)
            self.assertLess(float(element.get("x")), float(root.get("width")), element.text)

    def test_steps_are_round_and_four_to_ten(self):
        for largest in (0.3, 1, 7, 66.9, 100, 155, 3600, 86400):
            step = picture.round_step(largest)
            self.assertTrue(4 <= largest / step <= 10.01, (largest, step))
        self.assertEqual(picture.round_step(0), 1.0)
