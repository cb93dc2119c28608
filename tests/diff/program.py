#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A service in small: threads that get the same work again and again.

    program.py SECONDS [PERCENT]

Each worker takes a message every 20 ms and sleeps for the rest, so that the work
of a second is the same whatever the machine does else. PERCENT makes checksum()
do so much more.
"""
import sys
import threading
import time
import zlib

PERIOD_S = 0.02
TEXT = ",".join(str(number) for number in range(400))
NOISE = bytes(range(256)) * 2400
NUMBERS = [number * 2654435761 & 0xffff for number in range(3500)]


def parse(text):
    total = 0
    for word in text.split(","):
        total += int(word)
    return total


def checksum(rounds):
    total = 0
    for number in range(rounds):
        total = (total * 31 + number) & 0xffff
    return total


def compress(noise):
    return len(zlib.compress(noise, 1))


def render(rows):
    return "".join(f"<{row:04d}>" for row in range(rows))


def arrange(numbers):
    return sorted(numbers, key=lambda number: number ^ 0x55)[0]


def reader(rounds):
    for _ in range(16):
        parse(TEXT)
    checksum(rounds)
    arrange(NUMBERS)
    render(2500)


def writer(_):
    compress(NOISE)
    render(4000)


def serve(step, rounds, end):
    due = time.monotonic()
    while due < end:
        step(rounds)
        due += PERIOD_S
        time.sleep(max(0.0, due - time.monotonic()))


def main():
    seconds = float(sys.argv[1])
    rounds = round(15000 * (1 + float(sys.argv[2] if len(sys.argv) > 2 else 0) / 100))
    end = time.monotonic() + seconds
    threads = [threading.Thread(target=serve, name=name, args=(step, rounds, end))
               for name, step in (("reader_0", reader), ("reader_1", reader),
                                  ("writer", writer))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
