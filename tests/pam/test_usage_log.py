# SPDX-License-Identifier: GPL-2.0
"""CPU and memory over a recording: our own looks, and those of a monitor beside it."""

import contextlib
import datetime
import io
import json
import os
import shutil
import sys
import tempfile
import time
import unittest.mock

import support
from pam_profiling import snapshots, usage_log

SPIN = "x = bytearray(80_000_000)\nwhile True: pass"


class UsageLog(support.ServiceCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="test-usage-")
        self.addCleanup(shutil.rmtree, self.folder)

    def spinner(self):
        return self.start([sys.executable, "-c", SPIN]).pid

    def noted(self, log, count=2):
        """The log once it has looked that often."""
        def enough():
            log.note()
            return len(log.looks()) >= count
        with unittest.mock.patch.object(log, "_interval_s", 0.2):
            support.wait_for(enough)
        return log.looks()

    def test_a_process_that_computes(self):
        pid = self.spinner()
        support.wait_for(lambda: usage_log.resident_bytes(pid) > 80_000_000)
        log = usage_log.UsageLog([pid])
        begin = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        looks = self.noted(log)
        self.assertTrue(all(one["memory_bytes"] > 80_000_000 for one in looks))
        self.assertGreater(looks[0]["time_ns"], begin)
        self.assertLess(looks[0]["time_ns"], looks[1]["time_ns"])
        self.assertGreater(max(one["cpu_percent"] for one in looks), 5)

    def test_a_process_that_ends_takes_no_look_with_it(self):
        process = self.start([sys.executable, "-c", SPIN])
        log = usage_log.UsageLog([process.pid])
        self.noted(log, 1)
        self.end(process)
        log._interval_s = 0
        log.note()
        self.assertEqual(len(log.looks()), 1)

    def test_a_long_recording_keeps_its_bounds(self):
        log = usage_log.UsageLog([os.getpid()])
        log._interval_s = 0
        with unittest.mock.patch.object(usage_log, "MOST_LOOKS", 8):
            for _ in range(9):
                log.note()
        self.assertEqual(len(log.looks()), 5)

    def test_looks_that_are_joined_keep_the_cpu_time(self):
        log = usage_log.UsageLog([os.getpid()])
        log._begin = 0
        looks = [(1, 50, 1), (4, 10, 9), (5, 100, 2), (6, 20, 3), (8, 35, 4)]
        log._looks = [usage_log.look(*one) for one in looks]
        log._thin()
        self.assertEqual(log.looks(), [usage_log.look(4, 20, 9), usage_log.look(6, 60, 3),
                                       usage_log.look(8, 35, 4)])

    def test_a_process_found_late_counts_from_then_on(self):
        log = usage_log.UsageLog([os.getpid()])
        used = iter([{(1, "7"): 4.0}, {(1, "7"): 4.5, (2, "8"): 60.0},
                     {(1, "7"): 5.0, (2, "8"): 60.5}, {(1, "9"): 90.0, (2, "8"): 61.0}])
        moments = iter(range(10**9, 5 * 10**9, 10**9))
        log._time, log._family_time, log._used = 0, 10**15, {(1, "7"): 4.0}
        with unittest.mock.patch.object(log, "_cpu_seconds", lambda: next(used)), \
                unittest.mock.patch.object(usage_log, "now_ns", lambda: next(moments)), \
                unittest.mock.patch.object(usage_log, "resident_bytes", lambda pid: 1):
            for _ in range(4):
                log.note()
        self.assertEqual([one["cpu_percent"] for one in log.looks()], [0, 50, 100, 50])

    def test_no_file_has_a_number_that_is_none(self):
        data = os.path.join(self.folder, "perf.data")
        path = snapshots.write(data, [])
        for value in float("nan"), float("inf"):
            with self.assertRaises(ValueError):
                snapshots.write(data, [], [usage_log.look(7, value, 1000)])
        with open(path, encoding="utf-8") as stream:
            self.assertEqual(json.load(stream)["usage"], [])

    def test_the_file_has_them(self):
        data = os.path.join(self.folder, "perf.data")
        looks = [usage_log.look(7, 12.345, 1000)]
        with open(snapshots.write(data, [], looks), encoding="utf-8") as stream:
            self.assertEqual(json.load(stream)["usage"], [
                {"time_ns": 7, "cpu_percent": 12.35, "memory_bytes": 1000}])

    def test_the_file_has_the_scenario(self):
        data = os.path.join(self.folder, "perf.data")
        for scenario in "idle-no-leaffc", None:
            path = snapshots.write(data, [], scenario=scenario)
            with open(path, encoding="utf-8") as stream:
                self.assertEqual(json.load(stream).get("scenario"), scenario)

    # ----- a monitor beside it -------------------------------------------

    def tables(self, name, tid, rows):
        """A monitor's tables: rows of (seconds from now, CPU, MB)."""
        base = os.path.join(self.folder, f"pam_{name}_20260101_000000")
        now = datetime.datetime.now().astimezone()
        with open(base + "_threads.csv", "w", encoding="ascii") as stream:
            stream.write(f"elapsed_seconds,thread,tid,cpu_percent\n1,MainThread,{tid},1\n")
        with open(base + "_cpu.csv", "w", encoding="ascii") as stream:
            stream.write("elapsed_seconds,cpu_percent,memory_mb,memory_percent,timestamp\n")
            for seconds, cpu, memory in rows:
                when = now + datetime.timedelta(seconds=seconds)
                stream.write(f"1,{cpu},{memory},1,{when.isoformat(timespec='milliseconds')}\n")
        return base + "_cpu.csv"

    def looks_of_monitor(self, *pids):
        now = usage_log.now_ns()
        return usage_log.monitor_looks(self.folder, set(pids), now - 10 * 10**9, now)

    def test_a_monitor_s_looks_take_the_place_of_ours(self):
        pid = self.spinner()
        self.tables("idle", pid, [(-9, 50, 100), (-5, 60, 101), (-1, 70, 102)])
        log = usage_log.UsageLog([pid], self.folder)
        log._begin -= 10 * 10**9
        looks = log.looks()
        self.assertEqual([one["cpu_percent"] for one in looks], [50, 60, 70])
        self.assertEqual(looks[2]["memory_bytes"], 102_000_000)

    def test_a_monitor_that_saw_a_part_of_it_is_not_enough(self):
        pid = self.spinner()
        self.tables("idle", pid, [(-5, 60, 101), (-1, 70, 102)])
        log = usage_log.UsageLog([pid], self.folder)
        log._begin -= 10 * 10**9
        self.assertEqual(log.looks(), [])

    def test_only_those_of_this_process_and_this_time(self):
        self.tables("other", 5, [(-3, 1, 1), (-2, 1, 1), (-1, 1, 1)])
        self.tables("mine", 4, [(-60, 1, 1), (-2, 2, 2), (60, 3, 3)])
        looks = self.looks_of_monitor(4)
        self.assertEqual([one["cpu_percent"] for one in looks], [2])
        self.assertLess(abs(usage_log.now_ns() - 2 * 10**9 - looks[0]["time_ns"]), 10**9)

    def test_what_is_no_table_of_ours_is_passed_over(self):
        path = self.tables("mine", 4, [(-2, 2, 2)])
        os.rename(path, self.folder + "/else")
        for make in (lambda: os.symlink(self.folder + "/else", path), lambda: os.mkfifo(path),
                     lambda: os.mkdir(path), lambda: open(path, "w").close(),
                     lambda: self.write(path, "timestamp,cpu_percent,memory_mb\nx,y,z\n"),
                     lambda: self.write(path, "timestamp,cpu_percent,memory_mb\n2026")):
            make()
            self.assertEqual(self.told(4)[0], [])
            (os.rmdir if os.path.isdir(path) else os.unlink)(path)

    def told(self, *pids):
        """A monitor's looks, and what was said."""
        with contextlib.redirect_stderr(io.StringIO()) as words:
            return self.looks_of_monitor(*pids), words.getvalue()

    def test_figures_of_no_machine_leave_their_table_out(self):
        good = self.tables("good", 4, [(-2, 2, 2)])
        for row in (("nan", 1), ("inf", 1), (-5, 1), ("1e300", 1), (1, "inf"), (1, "-20"),
                    (1, "1e300"), (1, ""), ("7" * 200_000, 1), (1, "7" * 5000)):
            with self.subTest(str(row)[:20]):
                path = self.tables("bad", 4, [(-3, 1, 1), (-2, *row), (-1, 1, 1)])
                looks, words = self.told(4)
                self.assertEqual([one["cpu_percent"] for one in looks], [2])
                self.assertRegex(words, rf"\A  '{path}' is left out.*\n\Z")
                self.assertLess(len(words), 300)
        os.unlink(good)
        log = usage_log.UsageLog([4], self.folder)
        with contextlib.redirect_stderr(io.StringIO()):
            self.assertEqual(log.looks(), [])

    def test_a_table_without_threads_is_told(self):
        path = self.tables("mine", 4, [(-2, 2, 2)])
        threads = path.replace("_cpu", "_threads")
        for text in "tid\nx\n", "tid\n" + "7" * 200_000 + "\n", "a,b\n1,2\n", None:
            if text:
                self.write(threads, text)
            else:
                os.unlink(threads)
            looks, words = self.told(4)
            self.assertEqual(looks, [])
            self.assertEqual(words.count(path), 1, words)

    def test_tables_from_before_the_recording_are_not_read(self):
        path = self.tables("mine", 4, [(-2, 2, 2)])
        self.write(path, "no table\n1\n")
        os.utime(path, (time.time() - 60, time.time() - 60))
        self.assertEqual(self.told(4), ([], ""))

    def test_of_a_long_table_the_end_is_read(self):
        path = self.tables("mine", 4, [(-9, 1, 1)] * 400 + [(-2, 2, 2)])
        with open(path, "a", encoding="ascii") as stream:
            stream.write("1,3,3,1,2026-01-0")  # a line that is being written
        with unittest.mock.patch.object(usage_log, "MOST_BYTES", 300):
            looks, words = self.told(4)
        self.assertEqual(words, "")
        self.assertEqual(looks[-1]["cpu_percent"], 2)
        self.assertLess(len(looks), 8)

    @staticmethod
    def write(path, text):
        with open(path, "w", encoding="ascii") as stream:
            stream.write(text)
