# SPDX-License-Identifier: GPL-2.0
"""What the live test records under python -X perf: a recursion in two threads.

    deep.py SECONDS DEPTH

Prints the process's number, then those of its two threads.
"""
import os
import sys
import threading
import time

SECONDS, DEPTH = float(sys.argv[1]), int(sys.argv[2])


def crunch(seconds):
    end = time.thread_time() + seconds
    total = 0
    while time.thread_time() < end:
        total += sum(range(300))
    return total


def descend(depth):
    return descend(depth - 1) if depth else crunch(SECONDS)


class Link(threading.Thread):
    def run(self):
        descend(DEPTH)


link = Link()
link.start()
descend(DEPTH)
link.join()
print(os.getpid(), threading.get_native_id(), link.native_id)
