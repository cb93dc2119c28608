# SPDX-License-Identifier: GPL-2.0
"""What is shown while a run goes on: 80 columns, progress, cost."""

import io
import os
import unittest
import unittest.mock

import support  # noqa: F401  (makes scripts importable)
from pam_profiling import process, progress
from pam_profiling.messages import Steps


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


class Progress(unittest.TestCase):
    def test_the_bar_fits_80_columns_with_all_its_words(self):
        for duration, elapsed in ((30, 18), (300, 299), (86400, 86400)):
            screen = Screen()
            with unittest.mock.patch.object(progress, "terminal_columns",
                                            return_value=80):
                progress.RecordingProgress("x", duration, screen).update(
                    elapsed, 0.01 * elapsed, 11_200_000 * elapsed)
            line = screen.getvalue().removeprefix("\r\x1b[K")
            self.assertLess(len(line), 80, line)
            self.assertIn("perf 1.0 % CPU, 11.2 MB/s", line)
            self.assertTrue(line.endswith("Ctrl+C stops and keeps"), line)

    def test_a_log_gets_a_line_every_10_s(self):
        log = io.StringIO()
        shown = progress.RecordingProgress("idle", 30, log)
        for elapsed in range(31):
            shown.update(elapsed, 0.0, 0)
        lines = log.getvalue().splitlines()
        self.assertEqual(len(lines), 3)
        self.assertIn("recording idle  10 / 30 s", lines[0])

    def test_steps_in_a_log_are_one_line_each(self):
        log = io.StringIO()
        steps = Steps(log)
        steps.begin("first")
        steps.note("half way")
        steps.begin("second")
        steps.done("healthy")
        lines = log.getvalue().splitlines()
        self.assertEqual(len(lines), 2)
        self.assertRegex(lines[0], r"^  first +ok  0\.0 s$")
        self.assertRegex(lines[1], r"^  second +healthy  0\.0 s$")


class Cost(unittest.TestCase):
    def test_cpu_seconds_grow_and_a_missing_process_has_none(self):
        before = process.process_cpu_seconds(os.getpid())
        sum(range(2_000_000))
        self.assertGreater(process.process_cpu_seconds(os.getpid()), before)
        self.assertEqual(process.process_cpu_seconds(2**22 + 1), 0.0)
