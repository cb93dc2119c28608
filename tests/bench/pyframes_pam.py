#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What pyframes, perf and py-spy cost the real PAM, in turns within one run.

    tests/bench/pyframes_pam.py [--rounds N] [--seconds N] [--restart] [--python EXE]

Installs PAM below the build folder at need, starts it with the services and the
simulated vehicle of contrib/vehicle, waits until it hears the vehicle, and then
measures spans of one state after the other, every other round in reverse order:

    nothing           pyframes is dormant
    pyframes          its hook is on
    pyframes + perf   and perf record takes 99 stacks a second, dumps of 64 KiB
    py-spy            py-spy record --idle at 100 Hz

One PAM lives through all spans (attach and detach switch the hook), so that no
difference between two starts counts; with --restart each span gets its own PAM,
started with PYFRAMES=1 or without pyframes.

A PAM that does not hear the vehicle spins in its receiver thread: a span at whose
begin or end that is so is measured again.  CPU is the process's user and system
time, of one core; a tool's is counted until its file is written.  "stopped" is the
share of time that a thread was held stopped, on average and for two of them.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import pyframes_tools as tools
from pyframes_tools import venvs
from pam_profiling import services
from pam_profiling.app import Pam
from pam_profiling.capture import Capture
from pam_profiling.messages import Steps
from pam_profiling.preflight import free_port
from pam_profiling.process import Children, StopRequest
from pam_profiling.target import ask_target
from pam_profiling.user import InvokingUser

STATES = ("nothing", "pyframes", "pyframes + perf", "py-spy")
SETTLE_S = 10
ATTEMPTS = 3


def cpu_seconds(pid, tid=None):
    """CPU time of a process, or of one of its threads."""
    path = "/proc/%d/stat" % pid if tid is None else "/proc/%d/task/%d/stat" % (pid, tid)
    with open(path) as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Rig:
    """PAM and what it needs around it."""

    def __init__(self, python, folder):
        self.user, self.stop, self.children = InvokingUser(), StopRequest(), Children()
        self.target = ask_target(python, self.user, self.user.environment())
        self.capture = Capture(folder, "cost", self.user)
        self.capture.create()
        self.port = free_port(9000)
        around = services.Services(
            self.capture.folder, services.find_contrib(os.path.join(tools.ROOT, "scripts")),
            self.target.executable, self.user, self.children, self.stop)
        for start in (around.start_redis, around.start_broker, around.start_side_service,
                      around.start_vehicle):
            start()
        self.environment = {**self.user.environment(), **around.environment(self.port),
                            "PETAL_LOG_DIR": "logs", "PYFRAMES_DIR": self.capture.pyframes}
        self.pam = None

    def start(self, mode):
        """A new PAM with PYFRAMES=mode, or without it; waits until it works."""
        self.pam = Pam(self.target, self.capture, self.port, self.user, self.children, self.stop)
        self.pam.start({**self.environment, **({"PYFRAMES": mode} if mode else {})})
        self.pam.wait_healthy(Steps())
        self.pam.wait_vehicle(60)
        time.sleep(SETTLE_S)

    def end(self):
        self.pam.stop()
        self.pam = None

    def hears_vehicle(self):
        return self.pam.proxy_status().get("ext_mavlink") == "healthy"

    def command(self, *words):
        subprocess.run([self.target.executable, "-m", "pyframes", *words, str(self.pam.pid)],
                       env=self.environment, check=True, stdout=subprocess.DEVNULL)

    def receiver_tid(self):
        """The receiver thread: the busiest beside the main one (its name is longer than comm)."""
        pid = self.pam.pid
        tids = [int(name) for name in os.listdir("/proc/%d/task" % pid) if int(name) != pid]
        return max(tids, key=lambda tid: cpu_seconds(pid, tid))


class Span:
    """One state for some seconds: shares of the time, in per cent."""

    def __init__(self, rig, state, seconds, py_spy):
        pid = rig.pam.pid
        receiver = rig.receiver_tid()
        with tempfile.TemporaryDirectory(prefix="pyframes-bench-") as folder:
            tool = None
            if state == "py-spy":
                tool = tools.PySpy(py_spy, pid, folder, "--idle")
            elif state == "pyframes + perf":
                tool = tools.PerfRecord(folder, ["-p", str(pid)])
            watch = tools.StopWatch(pid, folder)
            time.sleep(1)
            counted = [(pid,), (pid, receiver)]
            used = tool.cpu_seconds() if tool else 0.0
            begin, before = time.monotonic(), [cpu_seconds(*ids) for ids in counted]
            time.sleep(seconds)
            wall, after = time.monotonic() - begin, [cpu_seconds(*ids) for ids in counted]
            stopped = watch.stop()
            used = tool.stop() - used if tool else 0.0
        self.cpu, self.receiver = (100 * (b - a) / wall for a, b in zip(before, after))
        self.tool = 100 * used / wall
        per_thread = [100 * value / watch.seconds for value in stopped.values()]
        self.stopped = statistics.mean(per_thread)
        self.stopped_main = 100 * stopped[pid] / watch.seconds
        self.stopped_receiver = 100 * stopped[receiver] / watch.seconds


def measure(rig, state, options, py_spy):
    for _ in range(ATTEMPTS):
        if options.restart:
            rig.start("1" if state.startswith("pyframes") else None)
        elif state.startswith("pyframes"):
            rig.command("attach")
        heard = rig.hears_vehicle()
        span = Span(rig, state, options.seconds, py_spy)
        heard = heard and rig.hears_vehicle()
        if options.restart:
            rig.end()
        elif state.startswith("pyframes"):
            rig.command("detach")
        print("%-16s PAM %5.1f %% (receiver %4.1f)  tool %4.1f %%  stopped %4.1f %% (main %4.1f, "
              "receiver %4.1f)  load %.1f%s"
              % (state, span.cpu, span.receiver, span.tool, span.stopped, span.stopped_main,
                 span.stopped_receiver, os.getloadavg()[0],
                 "" if heard else "  vehicle not heard, again"), flush=True)
        if heard:
            return span
    raise SystemExit("PAM did not hear the vehicle")


def summarise(spans):
    print("\nmedians of %d rounds; per cent of a core, or of the time" % len(spans["nothing"]))
    for state, found in spans.items():
        pairs = [span.cpu - base.cpu for span, base in zip(found, spans["nothing"])]
        middle = {key: statistics.median(getattr(span, key) for span in found)
                  for key in ("cpu", "tool", "stopped", "stopped_main", "stopped_receiver")}
        print("%-16s PAM %5.1f (%+.1f)  tool %4.1f  stopped %4.1f (main %4.1f, receiver %4.1f)"
              % (state, middle["cpu"], statistics.median(pairs), middle["tool"], middle["stopped"],
                 middle["stopped_main"], middle["stopped_receiver"]))


def installed_pam():
    """The Python of build/pam/venv, with the pyframes of this checkout in it."""
    venv = os.path.join(venvs.build_dir(), "pam", "venv")
    subprocess.run([sys.executable, os.path.join(tools.ROOT, "scripts", "install_pam.py"),
                    "--venv", venv], check=True)
    return os.path.join(venv, "bin", "python")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=20, help="length of a span")
    parser.add_argument("--restart", action="store_true", help="a new PAM for each span")
    parser.add_argument("--python", metavar="EXE", help="a Python with PAM and pyframes in it")
    options = parser.parse_args()
    py_spy = tools.find_py_spy()
    if not py_spy or not tools.find_perf():
        raise SystemExit("py-spy and perf are needed, and perf's privilege")
    folder = tempfile.mkdtemp(prefix="pyframes-bench-")
    rig = Rig(options.python or installed_pam(), folder)
    try:
        if not options.restart:
            rig.start("agent")
        spans = {state: [] for state in STATES}
        for number in range(options.rounds):
            for state in STATES[::1 - 2 * (number % 2)]:
                spans[state].append(measure(rig, state, options, py_spy))
        summarise(spans)
    finally:
        rig.children.stop_all()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
