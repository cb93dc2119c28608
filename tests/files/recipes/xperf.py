# SPDX-License-Identifier: GPL-2.0
"""A small program to record under python -X perf: threads, a recursion."""
import sys
import threading
import time


def spin(seconds):
    end = time.thread_time() + seconds
    total = 0
    while time.thread_time() < end:
        total += sum(range(500))
    return total


def recurse(depth):
    return spin(0.04) if depth == 0 else recurse(depth - 1)


class Link(threading.Thread):
    def run(self):
        self.decode()

    def decode(self):
        spin(0.04)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.activate_stack_trampoline(sys.argv[1])
    link = Link()
    link.start()
    recurse(4)
    link.join()
