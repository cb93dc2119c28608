# SPDX-License-Identifier: GPL-2.0
"""Shared by the tests: paths, free ports, real services, child processes."""

import os
import shutil
import socket
import subprocess
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
REPOSITORY = os.path.dirname(os.path.dirname(HERE))
SCRIPTS = os.path.join(REPOSITORY, "scripts")
CONTRIB = os.path.join(REPOSITORY, "contrib")
STAND_IN = os.path.join(HERE, "stand_in")

for folder in (SCRIPTS, CONTRIB):
    if folder not in sys.path:
        sys.path.insert(0, folder)


def free_port(kind=socket.SOCK_STREAM):
    """A loopback port that is free now."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(condition, seconds=10.0):
    """Poll until `condition()` is true and return its value.

    Raises AssertionError when it never is.
    """
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not true within {seconds:g} s")
        time.sleep(0.02)


def accepts(port):
    """True when something accepts TCP connections on a loopback port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


class Stopwatch:
    """Seconds since it was made; where the machine is busy, those of CPU in children.

    For limits that a person would feel: other work is not to be blamed on ours.
    """

    def __init__(self):
        self._wall, self._cpu = time.monotonic(), self._children()

    @staticmethod
    def _children():
        times = os.times()
        return times.children_user + times.children_system

    def seconds(self):
        if os.getloadavg()[0] > os.cpu_count():
            return self._children() - self._cpu
        return time.monotonic() - self._wall


class ServiceCase(unittest.TestCase):
    """A test that starts programs; each is ended by its pid afterwards."""

    def start(self, command, **options):
        """Start a program; its stderr is a pipe."""
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=options.pop("stderr", subprocess.DEVNULL), text=True,
            **options)
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process.stderr:
            process.stderr.close()

    def need_program(self, name):
        """Path of a program; skips the test when it is not installed."""
        path = shutil.which(
            name, path=os.environ.get("PATH", "") + ":/usr/sbin")
        if not path:
            self.skipTest(f"{name} is not installed")
        return path

    def start_redis(self):
        """A real redis on a free port; returns the port."""
        program = self.need_program("redis-server")
        port = free_port()
        self.start([program, "--bind", "127.0.0.1", "--port", str(port),
                    "--save", "", "--appendonly", "no"], cwd="/tmp")
        wait_for(lambda: accepts(port))
        return port


def run_script(name, *arguments, timeout=60, **options):
    """Run one of scripts/; returns the completed process with its words."""
    return subprocess.run(
        [sys.executable, os.path.join(SCRIPTS, name), *arguments],
        stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=timeout, check=False, **options)
