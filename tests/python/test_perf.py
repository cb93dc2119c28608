# SPDX-License-Identifier: GPL-2.0
"""Plain perf record and plain perf script show whole mixed stacks, to the thread's root.

perf is run as a user would: --call-graph dwarf,65528 and perf script --no-inline.
A level of Python takes 370 to 500 bytes of stack with our trampolines, so a dump
of 65,528 bytes holds the programs below (depth below 60) several times over.
PERF_SECONDS is the CPU time that each takes (default 1), however busy the machine is.
"""

import collections
import os
import re
import shutil
import subprocess
import sys
import unittest

from support import EMULATOR, SECONDS, Case

ROOT = re.compile(r"(__libc_start_call_main|__libc_start_main.*|_start|start_thread|(__)?clone3?)"
                  r"(\+0x[0-9a-f]+)?$")
LEAST = 0.99

THREADED = """
    import threading, time
    def leaf(n):
        total = 0
        for i in range(n):
            total += i * i
        return total
    class Worker:
        def middle(self):
            return [leaf(2000) for _ in range(3)]
        def outer(self):
            while time.process_time() < {seconds}:
                self.middle()
    threads = [threading.Thread(target=Worker().outer, name="worker-%d" % i) for i in range(2)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
"""
ASYNCIO = """
    import asyncio, time
    def burn():
        total = 0
        for i in range(4000):
            total += i * i
        return total
    async def inner():
        burn()
        await asyncio.sleep(0)
    async def worker():
        while time.process_time() < {seconds}:
            await inner()
    async def main():
        await asyncio.gather(*[asyncio.create_task(worker(), name="task-%s" % c)
                               for c in "ab"])
    asyncio.run(main())
"""
POLLING = """
    import select, socket, threading, time
    def poll():
        a, b = socket.socketpair()
        while time.process_time() < {seconds}:
            select.select([a], [], [], 0.0)
    thread = threading.Thread(target=poll, name="poller")
    thread.start(); thread.join()
"""


def perf_reason():
    """Why perf cannot be used here, or None."""
    if not shutil.which("perf"):
        return "perf is not installed"
    probe = subprocess.run(["perf", "record", "-q", "-e", "cpu-clock", "-o", "/dev/null",
                            "true"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return "perf may not record here" if probe.returncode else None


PERF_REASON = perf_reason()


@unittest.skipIf(PERF_REASON, PERF_REASON)
class Perf(Case):
    def record(self, program):
        """Samples as (comm, user frames leaf first)."""
        seconds = float(os.environ.get("PERF_SECONDS", "1"))
        script = self.write("program.py", program.format(seconds=seconds))
        data = os.path.join(self.directory, "perf.data")
        subprocess.run(["perf", "record", "-q", "-N", "-F", "199", "-e", "cpu-clock", "-k",
                        "CLOCK_MONOTONIC", "--call-graph", "dwarf,65528", "-m", "8M", "-o", data,
                        sys.executable, script], check=True, timeout=SECONDS,
                       env=self.environment(), stderr=subprocess.DEVNULL)
        text = subprocess.run(["perf", "script", "--no-inline", "--max-stack", "512", "-i", data],
                              check=True, timeout=SECONDS, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True, errors="replace").stdout
        samples = []
        for block in text.split("\n\n"):
            lines = block.strip("\n").splitlines()
            head = re.match(r"(.*?)\s+\d+ +[\d.]+:", lines[0]) if lines else None
            if head:
                frames = [re.match(r"\s*[0-9a-f]+ (.*) \(", line) for line in lines[1:]]
                samples.append((head.group(1), [f.group(1) for f in frames if f]))
        return samples

    def check(self, samples, chain, what):
        """>= 99 % of the samples reach the root and contain the chain, leaf first, in order."""
        whole = rooted = 0
        missing = collections.Counter()
        for _, frames in samples:
            rooted += bool(frames) and ROOT.match(frames[-1]) is not None
            shown = [re.sub(r"\+0x[0-9a-f]+$", "", frame) for frame in frames
                     if frame.startswith(("py::", "task:"))]
            shown = [frame.rpartition(":")[0] if frame.startswith("py::") else frame
                     for frame in shown]
            rest = iter(shown)
            fits = all(any(re.fullmatch(name, frame) for frame in rest) for name in chain)
            whole += fits
            if not fits:
                missing[tuple(frames[-2:])] += 1
        words = "%s: %d samples, %d reach the root, %d with the whole chain" % (
            what, len(samples), rooted, whole)
        if os.environ.get("PYFRAMES_TEST_VERBOSE"):
            sys.stderr.write(words + "\n")
        self.assertGreater(len(samples), 20, words)
        # One odd sample is no failure where a busy machine allowed fewer than a hundred.
        least = len(samples) - max(1, (1 - LEAST) * len(samples))
        self.assertGreaterEqual(rooted, least, (words, missing.most_common(3)))
        self.assertGreaterEqual(whole, least, (words, missing.most_common(3)))

    def test_threads(self):
        samples = [s for s in self.record(THREADED) if s[0].startswith("worker-")
                   and any("py::leaf" in frame for frame in s[1])]
        self.assertEqual({comm for comm, _ in samples}, {"worker-0", "worker-1"})
        self.check(samples, [r"py::leaf", r"py::Worker\.middle", r"py::Worker\.outer",
                             r"py::Thread\.run", r"py::Thread\._bootstrap_inner",
                             r"py::Thread\._bootstrap"], "threads")

    def test_asyncio(self):
        samples = [s for s in self.record(ASYNCIO) if any("py::burn" in f for f in s[1])]
        self.check(samples, [r"py::burn", r"py::inner", r"py::worker", r"task:task-[ab]",
                             r"py::Handle\._run", r"py::BaseEventLoop\._run_once",
                             r"py::BaseEventLoop\.run_forever",
                             r"py::BaseEventLoop\.run_until_complete"], "asyncio")

    def test_select(self):
        samples = [s for s in self.record(POLLING)
                   if s[0] == "poller" and any("select" in frame for frame in s[1])]
        self.check(samples, [r"py::poll", r"py::Thread\.run"], "select")

    def test_run_command(self):
        script = self.write("program.py", THREADED.format(seconds=1))
        data = os.path.join(self.directory, "perf.data")
        subprocess.run(["perf", "record", "-q", "-N", "-F", "99", "-e", "cpu-clock",
                        "--call-graph", "dwarf,32768", "-m", "8M", "-o", data, sys.executable,
                        "-m", "pyframes", "run", script], check=True, timeout=SECONDS,
                       env=self.environment(None), stderr=subprocess.DEVNULL)
        text = subprocess.run(["perf", "script", "--no-inline", "-i", data], check=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                              errors="replace").stdout
        self.assertIn("py::Worker.middle:", text)


@unittest.skipUnless(shutil.which("eu-stack"), "eu-stack is not installed")
@unittest.skipIf(EMULATOR, "eu-stack would see the emulator")
class EuStack(Case):
    def test_names_are_there(self):
        program = """
            import time
            def inner():
                print("ready", flush=True)
                time.sleep(60)
            def outer():
                inner()
            outer()
        """
        process = self.start_python(program)
        try:
            done = subprocess.run(["eu-stack", "-p", str(process.pid)], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True, timeout=SECONDS)
        finally:
            process.kill()
            process.communicate()
        self.assertIn("py::inner:", done.stdout, done.stderr)
        self.assertIn("py::outer:", done.stdout, done.stderr)


if __name__ == "__main__":
    unittest.main()
