#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Watch the CPU time and memory of a running PAM, by thread.

    pam_<scenario>_<YYYYMMDD_HHMMSS>_cpu.csv       the whole of PAM
    pam_<scenario>_<YYYYMMDD_HHMMSS>_threads.csv   each of its threads
    pam_<scenario>_<YYYYMMDD_HHMMSS>_cpu.svg       a picture, with --plot

PAM is the process that listens on --port, with its workers. It is only looked
at, in /proc, so this can run all day, and beside a profile. Standard library
only; needs pam_profiling/ beside it.
"""

import argparse
import csv
import datetime
import os
import re
import sys
import time

SCRIPT_FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, SCRIPT_FOLDER)

from pam_profiling import find_pam, picture, usage  # noqa: E402
from pam_profiling.messages import (  # noqa: E402
    ProfilingError, say, terminal_columns)
from pam_profiling.capture import shorter_path  # noqa: E402
from pam_profiling.process import StopRequest  # noqa: E402
from pam_profiling.user import InvokingUser  # noqa: E402

COLUMNS = ("elapsed_seconds", "cpu_percent", "memory_mb", "memory_percent",
           "timestamp")
THREAD_COLUMNS = ("elapsed_seconds", "thread", "tid", "cpu_percent")
LOG_INTERVAL_S = 10.0
SHOWN_THREADS = 8


def parse_arguments(argv):
    parser = argparse.ArgumentParser(
        description="Watch the CPU time and memory of a running PAM.")
    parser.add_argument("--scenario", default="monitor", metavar="NAME",
                        help="label, part of the files' names (default: "
                             "%(default)s)")
    parser.add_argument("--interval", type=float, default=1.0,
                        metavar="SECONDS",
                        help="between two looks (default: 1)")
    parser.add_argument("--duration", type=float, default=0.0,
                        metavar="SECONDS",
                        help="how long (default: until Ctrl+C)")
    parser.add_argument("--output", default="profiles", metavar="DIR",
                        help="folder for the files (default: %(default)s)")
    parser.add_argument("--plot", action="store_true",
                        help="draw a picture at the end")
    parser.add_argument("--port", type=int, default=9000,
                        help="PAM's port (default: %(default)s)")
    parser.add_argument("--pid", type=int, help="watch this process instead")
    parser.add_argument("--wait", type=float, default=0.0, metavar="SECONDS",
                        help="how long to wait for a PAM that does not run yet")
    arguments = parser.parse_args(argv)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}",
                        arguments.scenario):
        parser.error("--scenario becomes part of a file name: use letters, "
                     "digits, '-', '_' and '.'")
    if not 0.1 <= arguments.interval <= 3600:
        parser.error("--interval is in seconds, from 0.1 to 3600")
    if arguments.duration and arguments.duration < arguments.interval:
        parser.error("--duration is shorter than one --interval")
    return arguments


class Tables:
    """The CSV files of a run, written line by line: a kill leaves them whole."""

    def __init__(self, folder, scenario, user):
        stamp = time.strftime("%Y%m%d_%H%M%S")
        self.base = os.path.join(folder, f"pam_{scenario}_{stamp}")
        self.user = user
        self.memory = usage.memory_bytes()
        user.make_directory(folder)
        self._files = []
        self._totals = self._open("_cpu.csv", COLUMNS)
        self._threads = self._open("_threads.csv", THREAD_COLUMNS)

    def _open(self, end, columns):
        path = self.base + end
        # New: nobody's link is followed, nobody's file written over.
        file = open(path, "x", newline="", encoding="utf-8")
        self.user.own(path)
        self._files.append(file)
        table = csv.writer(file)
        table.writerow(columns)
        return table

    def add(self, sample):
        when = datetime.datetime.fromtimestamp(sample.time).astimezone()
        self._totals.writerow([
            f"{sample.elapsed_s:.3f}", f"{sample.cpu_percent:.2f}",
            f"{sample.memory_bytes / 1e6:.1f}",
            f"{100 * sample.memory_bytes / self.memory:.2f}",
            when.isoformat(timespec="milliseconds")])
        self._threads.writerows(
            [f"{sample.elapsed_s:.3f}", name, tid, f"{percent:.2f}"]
            for (tid, name), percent in sorted(sample.threads.items()))
        for file in self._files:
            file.flush()

    def plot(self, title, samples):
        """Draw the picture; returns its path."""
        path = self.base + "_cpu.svg"
        with open(path, "x", encoding="utf-8") as file:
            file.write(picture.draw(title, samples))
        self.user.own(path)
        return path

    def close(self):
        for file in self._files:
            file.close()

    def paths(self):
        return [file.name for file in self._files]


class Screen:
    """A line that is renewed on a terminal; in a log one every 10 s."""

    def __init__(self):
        self.tty = sys.stderr.isatty()
        self._next_s = 0.0

    def show(self, sample):
        busiest = sorted(sample.threads.items(), key=lambda item: -item[1])[:2]
        line = (f"  {sample.elapsed_s:6.0f} s   CPU {sample.cpu_percent:5.1f} %"
                f"   {sample.memory_bytes / 1e6:.1f} MB   "
                + "  ".join(f"{name} {percent:.1f} %"
                            for (_, name), percent in busiest))
        if self.tty:
            sys.stderr.write("\r\x1b[K" + line[:terminal_columns() - 1])
            sys.stderr.flush()
        elif sample.elapsed_s >= self._next_s:
            self._next_s = sample.elapsed_s + LOG_INTERVAL_S
            say(line)

    def end(self):
        if self.tty:
            sys.stderr.write("\r\x1b[K")


def await_pam(arguments, stop):
    """PAM's pid; raises ProfilingError when it does not come in time."""
    end = time.monotonic() + arguments.wait
    while True:
        try:
            return find_pam.find(arguments.port, arguments.pid)
        except ProfilingError:
            if time.monotonic() >= end or stop.wait(0.5):
                raise


def watch(arguments, looks, tables, stop):
    """Look until the end; returns (samples, what went wrong or "")."""
    samples, screen = [], Screen()
    begin = time.monotonic()
    end = begin + (arguments.duration or float("inf"))
    due, problem = begin, ""
    while due + arguments.interval <= end + 1e-6:
        due += arguments.interval
        stop.wait(due - time.monotonic())
        if not looks.is_running():
            problem = f"PAM (pid {looks.pid}) has ended: its log tells why."
            break
        sample = looks.look()
        samples.append(sample)
        tables.add(sample)
        screen.show(sample)
        if stop.count:
            break
    screen.end()
    return samples, problem


def summary(samples):
    """The answer, on one screen."""
    cpu = [sample.cpu_percent for sample in samples]
    memory = [sample.memory_bytes / 1e6 for sample in samples]
    say(f"{samples[-1].elapsed_s:.1f} s, {len(samples)} looks: CPU "
        f"{picture.mean(cpu):.1f} % of a core ({min(cpu):.1f} to "
        f"{max(cpu):.1f}), memory {picture.mean(memory):.1f} MB "
        f"({memory[0]:.1f} to {memory[-1]:.1f})")
    say()
    say(f"{'thread':<32}{'CPU':>8}{'most':>9}")
    sums = {}
    for sample in samples:
        for key, percent in sample.threads.items():
            sums.setdefault(key, []).append(percent)
    order = sorted(sums.items(), key=lambda item: -sum(item[1]))
    for (_, name), values in order[:SHOWN_THREADS]:
        say(f"{picture.short(name, 31):<32}{sum(values) / len(samples):6.1f} %"
            f"{max(values):7.1f} %")
    if len(order) > SHOWN_THREADS:
        rest = sum(sum(values) for _, values in order[SHOWN_THREADS:])
        say(f"({len(order) - SHOWN_THREADS} more with "
            f"{rest / len(samples):.1f} %)")
    say()


def monitor(arguments, stop):
    """The whole run; returns the exit status."""
    pid = await_pam(arguments, stop)
    say(f"PAM, process {pid}, scenario {arguments.scenario}: every "
        f"{arguments.interval:g} s, Ctrl+C stops and keeps")
    looks = usage.Usage(pid, usage.ThreadNames(pid))
    user = InvokingUser()
    tables = Tables(arguments.output, arguments.scenario, user)
    try:
        samples, problem = watch(arguments, looks, tables, stop)
    finally:
        tables.close()
    if samples:
        summary(samples)
    paths = tables.paths()
    if arguments.plot and samples:
        when = time.strftime("%Y-%m-%d %H:%M:%S",
                             time.localtime(samples[0].time))
        paths.append(tables.plot(f"PAM, {arguments.scenario}, {when}", samples))
    for path in paths:
        say(shorter_path(path))
    if problem:
        say(f"monitor_pam.py: {problem}")
    # Without a duration it is watched for as long as it is there.
    return 1 if problem and arguments.duration else 0


def main(argv=None):
    arguments = parse_arguments(argv)
    stop = StopRequest()
    try:
        return monitor(arguments, stop)
    except ProfilingError as error:
        say(f"monitor_pam.py: {error}")
        return 1
    except OSError as error:
        say(f"monitor_pam.py: {error.filename or 'a file'}: {error.strerror}; "
            "check the folder's owner and free space.")
        return 1
    finally:
        stop.release()


if __name__ == "__main__":
    sys.exit(main())
