# SPDX-License-Identifier: GPL-2.0
"""What good-waits.data records: threads that wait, each for something else."""
import select
import threading
import time

import pyframes

pyframes.start()

SECONDS = 0.4
END = time.monotonic() + SECONDS
LOCK = threading.Lock()


def nap():
    time.sleep(0.012)


def sleeper():
    while time.monotonic() < END:
        nap()


def poller():
    while time.monotonic() < END:
        select.select([], [], [], 0.02)


def holder():
    while time.monotonic() < END:
        with LOCK:
            time.sleep(0.015)
        time.sleep(0.003)


def wanter():
    while time.monotonic() < END:
        with LOCK:
            pass
        time.sleep(0.002)


def compute():
    return sum(i * i for i in range(20000))


def worker():
    while time.monotonic() < END:
        compute()


def never():
    threading.Event().wait(SECONDS)


for function in sleeper, poller, holder, wanter, worker, worker, never:
    threading.Thread(target=function, name=f"thread {function.__name__}").start()
