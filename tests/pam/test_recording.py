# SPDX-License-Identifier: GPL-2.0
"""What is recorded: settings and fall-backs, snapshots, frame pointers, losses."""

import json
import os
import re
import shutil
import struct
import subprocess
import tempfile
import threading
import time
import unittest
import unittest.mock

import support
from pam_profiling import (
    frame_pointers, perf_data, perf_event, permission, recorder, settings, snapshots)

NOBODY = 65534

# A perf that accepts all but what it is told to refuse.
PICKY_PERF = """#!/bin/sh
case "$*" in *"$REFUSED"*) echo "event syntax error" >&2; exit 129;; esac
while [ $# -gt 0 ]; do [ "$1" = -o ] && : >"$2"; shift; done
"""


class Folder(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="test-recording-")
        self.addCleanup(shutil.rmtree, self.folder)

    def write(self, name, data):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as stream:
            stream.write(data)
        return path


class Recorder(Folder):
    def test_a_monitor_s_tables_are_read_when_perf_is_off(self):
        done = unittest.mock.Mock()
        done.children.stop.return_value = 0
        done.usage.own_looks.return_value = done.usage.looks.return_value = []
        done.permission.prefix = []
        one = recorder.Recorder(done.permission, os.path.join(self.folder, "perf.data"),
                                self.folder, done.children, done.user, done.stacks)
        one.child, one._usage, one._command = done.child, done.usage, done.command
        one._pids, one._snapshots = [os.getpid()], [{}]
        one._control, one._answers = os.pipe()
        one._fifos = [self.write("fifo", b"")]
        self.assertEqual(one.stop(), "")
        calls = [name for name, *_ in done.mock_calls if name.startswith(("usage", "command"))]
        self.assertEqual(calls, ["usage.own_looks", "usage.end", "command", "command",
                                 "usage.looks"])


class Options(unittest.TestCase):
    def test_each_part_is_recorded_once(self):
        """Two events of one software counter in a capture mix up their ids."""
        names = [event.split("/")[0] for event in settings.Settings().events()]
        self.assertEqual(names, ["cpu-clock", "cpu-clock", "context-switches",
                                 "sched:sched_switch"])

    def test_frame_pointers_need_no_copies(self):
        options = " ".join(settings.Settings().with_frame_pointers().options())
        self.assertNotIn("dwarf", options)
        self.assertIn("sched:sched_switch/call-graph=fp/", options)

    def test_copies_at_every_switch_can_be_left_out(self):
        events = settings.Settings().events()
        self.assertEqual(events[-1], "sched:sched_switch/call-graph=dwarf,stack-size=2048/")
        events = settings.Settings(switch_bytes=0).events()
        self.assertEqual(events[-1], "sched:sched_switch/call-graph=fp/")

    def test_all_registers_of_the_dwarf_unwinder_are_named(self):
        for machine, count in ("x86_64", 17), ("aarch64", 33):
            names = settings.Settings(machine=machine).registers().split(",")
            self.assertEqual(len(set(names)), count, machine)
        self.assertIsNone(settings.Settings(machine="armv7l").registers())

    def test_an_unknown_machine_is_told(self):
        words = " ".join(settings.Settings(machine="armv7l").losses())
        self.assertIn("armv7l", words)
        self.assertEqual(settings.Settings(machine="x86_64").losses(), [])

    def test_user_space_only_is_asked_of_every_event(self):
        events = settings.Settings(switches=False, kernel=False).events()
        self.assertTrue(all(event.endswith("/u") for event in events), events)

    def test_values_that_perf_would_refuse(self):
        for option in ("--rate=0", "--dump-bytes=70000", "--dump-bytes=9001",
                       "--buffer=3M", "--buffer=4", "--buffer=0K"):
            result = support.run_script("profile_pam.py", "--scenario", "x",
                                        option)
            self.assertEqual(result.returncode, 2, option)
            self.assertIn(option.partition("=")[0], result.stderr)


class FallBacks(Folder):
    def found_when_refused(self, refused):
        path = self.write("perf", PICKY_PERF.encode())
        os.chmod(path, 0o755)
        environ = {"PATH": self.folder + ":/usr/bin:/bin", "REFUSED": refused}
        with unittest.mock.patch.dict(os.environ, environ), \
                unittest.mock.patch.object(os, "geteuid", return_value=0):
            return permission.find_permission(self.folder)[0].settings

    def test_nothing_refused(self):
        self.assertEqual(self.found_when_refused("nothing").losses(), [])

    def test_no_tracepoints(self):
        found = self.found_when_refused("sched:sched_switch")
        self.assertTrue(found.kernel)
        self.assertIn("not explained", " ".join(found.losses()))

    def test_no_tracepoints_has_another_remedy_for_root(self):
        found = self.found_when_refused("sched:sched_switch")
        for user, remedy in (0, "mount it"), (1000, "run with sudo"):
            with unittest.mock.patch.object(os, "geteuid", return_value=user):
                self.assertIn(remedy, " ".join(found.losses()))

    def test_no_kernel(self):
        found = self.found_when_refused("name=switch")
        self.assertFalse(found.kernel)
        self.assertIn("no kernel frames", " ".join(found.losses()))

    def test_an_unprivileged_user_gets_what_the_kernel_allows(self):
        if os.geteuid() != 0:
            self.skipTest("only root can become another user")
        if not shutil.which("perf"):
            self.skipTest("perf is not installed")
        modules = shutil.copytree(
            os.path.join(support.SCRIPTS, "pam_profiling"),
            os.path.join(self.folder, "pam_profiling"))
        os.chmod(self.folder, 0o777)
        os.chmod(modules, 0o755)
        question = ("from pam_profiling import permission; import shutil;"
                    "shutil.which = lambda name: '/usr/bin/' + name "
                    "if name == 'perf' else None;"
                    "found, words = permission.find_permission('.');"
                    "print(words or found.settings)")
        result = subprocess.run(
            ["/usr/bin/python3", "-c", question], cwd=self.folder, user=NOBODY,
            group=NOBODY, extra_groups=[], capture_output=True, text=True,
            env={"PYTHONPATH": self.folder, "PATH": "/usr/bin:/bin"},
            check=False, timeout=60)
        if perf_event.paranoid_level() > 2:
            self.assertIn("perf_event_paranoid", result.stdout)
        else:
            self.assertIn("switches=False", result.stdout, result.stderr)
            self.assertIn(f"kernel={perf_event.paranoid_level() < 2}",
                          result.stdout)


class Losses(Folder):
    def capture(self, *records):
        data = b"".join(struct.pack("<IHH", kind, 0, 8 + len(body)) + body
                        for kind, body in records)
        header = struct.pack("<8sQQQQQQ", b"PERFILE2", 104, 144, 104, 0, 104,
                             len(data)).ljust(104, b"\0")
        return self.write("perf.data", header + data)

    def test_both_counts_of_a_loss_count_once(self):
        path = self.capture((9, bytes(40)), (2, struct.pack("<QQ", 7, 30)),
                            (2, struct.pack("<QQ", 8, 12)),
                            (13, struct.pack("<Q", 42)), (3, bytes(16)))
        self.assertEqual(perf_data.count_lost(path), 42)

    def test_nothing_lost(self):
        self.assertEqual(perf_data.count_lost(self.capture((9, bytes(8)))), 0)

    def test_odd_files_have_lost_nothing(self):
        whole = open(self.capture((2, struct.pack("<QQ", 1, 5))), "rb").read()
        for data in b"", b"x", whole[:50], whole[:-6], bytes(200):
            self.assertEqual(
                perf_data.count_lost(self.write("odd", data)), 0)
        self.assertEqual(perf_data.count_lost(self.folder + "/none"), 0)


class Snapshots(Folder):
    def test_a_sleeping_thread(self):
        ready, release = threading.Event(), threading.Event()
        tid = []

        def sleeper():
            tid.append(threading.get_native_id())
            ready.set()
            release.wait()

        thread = threading.Thread(target=sleeper)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(release.set)
        ready.wait()

        def asleep():
            found, = [one for one in snapshots.take([os.getpid()], "start")
                      ["threads"] if one["tid"] == tid[0]]
            return found if found["state"] == "S" else None

        found = support.wait_for(asleep)
        self.assertEqual(found["pid"], os.getpid())
        self.assertEqual(len(found["schedstat"]), 3)
        self.assertGreaterEqual(found["voluntary"], 1)
        self.assertGreater(found["start_ticks"], 0)
        number = found["syscall"].split()[0]
        self.assertNotEqual(number, "running")
        if os.geteuid() == 0:
            self.assertTrue(any("futex" in name for name in found["stack"]))

    def test_descendants_are_in_the_family(self):
        child = subprocess.Popen(
            ["sh", "-c", "sleep 60 & echo $!; wait"], stdout=subprocess.PIPE,
            text=True)
        self.addCleanup(child.stdout.close)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        grandchild = int(child.stdout.readline())
        self.addCleanup(os.kill, grandchild, 9)
        self.assertEqual(snapshots.family([child.pid]),
                         sorted([child.pid, grandchild]))

    def test_the_file(self):
        begin = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        both = [snapshots.take([os.getpid()], when) for when in
                (snapshots.START, snapshots.END)]
        path = snapshots.write(os.path.join(self.folder, "perf.data"), both)
        self.assertTrue(path.endswith("/perf.data.threads.json"))
        with open(path, encoding="utf-8") as stream:
            read = json.load(stream)
        self.assertEqual(read["version"], 1)
        self.assertEqual([one["when"] for one in read["snapshots"]],
                         ["start", "end"])
        self.assertLessEqual(begin, read["snapshots"][0]["time_ns"])
        self.assertIn("comm", read["snapshots"][1]["threads"][0])

    def test_the_machine_is_looked_at(self):
        machine = snapshots.take([os.getpid()], "start")["machine"]
        with open("/proc/vmstat", encoding="ascii") as stream:
            now = {name: int(value) for name, value in map(str.split, stream)}
        self.assertLessEqual(machine["swapped_in_pages"], now["pswpin"])
        self.assertLessEqual(machine["swapped_out_pages"], now["pswpout"])
        self.assertLessEqual(machine.get("mhz", 0), 10000)

    def test_who_has_ended_is_left_out(self):
        child = subprocess.Popen(["true"])
        child.wait()
        self.assertEqual(snapshots.take([child.pid], "end")["threads"], [])


class FramePointers(Folder):
    SOURCE = "".join(
        f"int leaf_{i}(int); int f_{i}(int x) "
        f"{{ return leaf_{i}(x) + leaf_{i}(x + 1) * {i}; }}\n"
        for i in range(200))

    def built(self, compiler, flag):
        if not shutil.which(compiler):
            self.skipTest(f"{compiler} is not installed")
        source = self.write("functions.c", self.SOURCE.encode())
        target = source[:-2] + flag + ".so"
        subprocess.run(
            [compiler, "-O2", flag, "-shared", "-fPIC", "-nostdlib",
             "-Wl,--allow-shlib-undefined", "-o", target, source], check=True)
        return target

    def check(self, compiler):
        self.assertTrue(frame_pointers.kept(
            self.built(compiler, "-fno-omit-frame-pointer")))
        self.assertFalse(frame_pointers.kept(
            self.built(compiler, "-fomit-frame-pointer")))

    def test_x86_64(self):
        self.check("x86_64-linux-gnu-gcc")

    def test_aarch64(self):
        self.check("aarch64-linux-gnu-gcc")

    def test_odd_files_have_none(self):
        fifo = os.path.join(self.folder, "fifo")
        os.mkfifo(fifo)
        elf = self.write("elf", b"\x7fELF\x02\x01" + b"\xff" * 60)
        for path in (fifo, elf, self.write("empty", b""), self.folder,
                     self.folder + "/none", None):
            self.assertFalse(frame_pointers.kept(path))

    def test_this_interpreter_is_found(self):
        path = frame_pointers.interpreter_file(os.getpid())
        self.assertTrue(os.path.samefile(path, "/proc/self/exe")
                        or re.search(r"libpython3", path), path)
        self.assertIsInstance(frame_pointers.kept(path), bool)
        self.assertIsNone(frame_pointers.interpreter_file(2 ** 30))


