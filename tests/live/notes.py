# SPDX-License-Identifier: GPL-2.0
"""A program that notes, for every wait, which functions it is in.

    notes.py REPORT.json

Each thread waits in ways that are hard to tell apart from outside: bursts of
short waits that hide a long one, two callers that reach one function at the
same depth, recursion to a different depth each time, and one wait that lasts
from before the recording to after it. REPORT.json gets, for each thread's
name, a list of [begin_ns, end_ns, [function, ...]], outermost function first,
on CLOCK_MONOTONIC. Prints "ready" when all threads run, and ends when it reads
a line.
"""
import json
import random
import select
import sys
import threading
import time

NOTES = {}
DONE = threading.Event()


class Noter:
    """A thread whose waits are noted."""

    def __init__(self, function):
        self.notes = NOTES.setdefault(function.__name__, [])
        self.random = random.Random(function.__name__)
        self.thread = threading.Thread(target=function, args=(self,), name=function.__name__)
        self.thread.start()


def nap(noter, path, seconds):
    """The one place that sleeps: its callers are what must be told apart."""
    begin = time.monotonic_ns()
    time.sleep(seconds)
    noter.notes.append([begin, time.monotonic_ns(), [*path, "nap"]])


def left(noter, path, seconds):
    nap(noter, [*path, "left"], seconds)


def right(noter, path, seconds):
    nap(noter, [*path, "right"], seconds)


def deeper(noter, path, depth, seconds):
    path = [*path, "deeper"]
    if depth:
        deeper(noter, path, depth - 1, seconds)
    else:
        nap(noter, path, seconds)


def bursts(noter):
    """30 switches within milliseconds, then a long sleep, from changing callers."""
    while not DONE.is_set():
        for _ in range(30):
            left(noter, ["bursts"], 0.0001)
        noter.random.choice([left, right])(noter, ["bursts"], 0.3)


def twins(noter):
    """Two callers, the same depth, the same sleep."""
    while not DONE.is_set():
        noter.random.choice([left, right])(noter, ["twins"], noter.random.choice([0.002, 0.02]))


def divers(noter):
    while not DONE.is_set():
        deeper(noter, ["divers"], noter.random.randrange(8), 0.01)


def polls(noter):
    """select() with a large frame, mostly short."""
    while not DONE.is_set():
        begin = time.monotonic_ns()
        select.select([], [], [], noter.random.choice([0.001, 0.001, 0.05]))
        noter.notes.append([begin, time.monotonic_ns(), ["polls"]])


def still(noter):
    """Waits before, during and after the recording."""
    begin = time.monotonic_ns()
    DONE.wait()
    noter.notes.append([begin, time.monotonic_ns(), ["still", "Event.wait", "Condition.wait"]])


def main():
    noters = [Noter(function) for function in (bursts, twins, divers, polls, still)]
    print("ready", flush=True)
    sys.stdin.readline()
    DONE.set()
    for noter in noters:
        noter.thread.join()
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(NOTES, file)


main()
