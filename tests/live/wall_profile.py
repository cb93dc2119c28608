# SPDX-License-Identifier: GPL-2.0
"""Reads wall-clock profiles back, for tests that know what was so."""
import bisect
import json
import subprocess
from pathlib import Path

LIMIT_S = 240
NOT_LET = {"[run queue]", "[preempted]"}
# Notes that say something else than why a thread waits; the kernel's switching
# is the thread's own time on the CPU.
NO_REASONS = {"[running]", "[switching]", "[stack cut]", "[shortened]", "[no Python]"}


def run(command, **options):
    """Run a command to its end; fails the test with its words."""
    done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=LIMIT_S, check=False, **options)
    if done.returncode:
        raise AssertionError(f"{command[0]} ended with status {done.returncode}: {done.stderr}")
    return done


class Timeline:
    """A thread's slices: (begin, end) in ns on the capture's clock, frames root first.

    meta    what the file says about the thread: pid, tid ...
    """

    def __init__(self, profile, frames, origin_ns):
        self.name, self.meta = profile["name"], profile.get("perfconv", {})
        self.begins, self.slices = [], []
        at = origin_ns
        for stack, weight in zip(profile["samples"], profile["weights"]):
            self.begins.append(at)
            self.slices.append((at, at + weight, [frames[index] for index in stack]))
            at += weight
        self.end = at

    def at(self, time_ns):
        """The frames at a moment, or None outside of the capture."""
        index = bisect.bisect_right(self.begins, time_ns) - 1
        return self.slices[index][2] if index >= 0 and time_ns < self.end else None

    def between(self, begin_ns, end_ns):
        """(ns, frames) of each slice, as far as it lies in a span of time."""
        for begin, end, stack in self.slices:
            part = min(end, end_ns) - max(begin, begin_ns)
            if part > 0:
                yield part, stack

    def all(self):
        """(ns, frames) of each slice."""
        return self.between(0, self.end)


def python_names(stack, known=None):
    """The bare names of a stack's Python functions, root first."""
    names = [frame["name"].split(" ")[0] for frame in stack if frame["kind"] == "python"]
    return [name for name in names if known is None or name in known]


def reason_of(stack):
    """Why a thread waits, as the profile says; None while it runs."""
    return next((frame["name"] for frame in reversed(stack) if frame["kind"] == "note"
                 and frame["name"] not in NO_REASONS), None)


class Capture:
    """A converted capture: its file, its threads' Timelines, when it began and ended."""

    def __init__(self, perfconv, data, side):
        path = Path(data).with_suffix(".speedscope.json")
        run([perfconv, "convert", "-i", data, "-o", path, "--side-dir", side])
        with open(path, encoding="utf-8") as file:
            self.file = json.load(file)
        info = json.loads(run([perfconv, "info", data, "--json"]).stdout)
        self.begin_ns, self.end_ns = info["timeSpanNs"]
        self.lost = info["quality"]["lostEvents"]
        frames = self.file["shared"]["frames"]
        self.timelines = [Timeline(one, frames, self.begin_ns) for one in self.file["profiles"]]

    def thread(self, name):
        """The one thread of that name; with several processes its pid follows it."""
        found = [one for one in self.timelines if one.name.split(" (pid ")[0] == name]
        if len(found) != 1:
            raise AssertionError(f"{name} is there {len(found)} times, of "
                                 f"{[one.name for one in self.timelines]}")
        return found[0]
