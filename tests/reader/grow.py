#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Make a long capture of a short one.

    tests/reader/grow.py IN OUT BYTES [--no-rounds]

The records of IN come again and again, each time later by IN's length, until OUT
has about BYTES; FORK, EXIT, COMM and MMAP records come once.  With --no-rounds
the FINISHED_ROUND records are left out, as from an old perf or a tool of another
make.
"""
import argparse
import struct
from pathlib import Path

from records import PerfFile

FINISHED_ROUND = 68
AGAIN = {9, 14, 15, FINISHED_ROUND}


def span_of(capture):
    times = []
    for kind, _, record in capture.records():
        at = capture.time_at(kind, record)
        if at is not None and kind in AGAIN:
            times.append(struct.unpack_from("<Q", record, at)[0])
    return max(times) - min(times) + 1


class Turn:
    """Records one behind the other, and where in them their times stand."""

    def __init__(self, capture, records):
        self.bytes, self.times = bytearray(), []
        for kind, record in records:
            at = capture.time_at(kind, record)
            if at is not None:
                time, = struct.unpack_from("<Q", record, at)
                self.times.append((len(self.bytes) + at, time))
            self.bytes += record

    def shifted(self, by):
        for at, time in self.times:
            struct.pack_into("<Q", self.bytes, at, time + by)
        return self.bytes


def grow(capture, out, size, rounds):
    kept = [(kind, record) for kind, _, record in capture.records()
            if rounds or kind != FINISHED_ROUND]
    span, first = span_of(capture), Turn(capture, kept)
    again = Turn(capture, [item for item in kept if item[0] in AGAIN])
    out.write(capture.raw[:capture.data_at])
    written, turn = out.write(first.bytes), 1
    while written < size:
        written += out.write(again.shifted(turn * span))
        turn += 1
    at = capture.data_at + written + 16 * len(capture.features)
    for content in capture.features.values():
        out.write(struct.pack("<QQ", at, len(content)))
        at += len(content)
    for content in capture.features.values():
        out.write(content)
    out.seek(48)
    out.write(struct.pack("<Q", written))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("input", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("bytes", type=int)
    parser.add_argument("--no-rounds", action="store_true")
    args = parser.parse_args()
    with open(args.output, "wb") as out:
        grow(PerfFile(args.input.read_bytes()), out, args.bytes, not args.no_rounds)


if __name__ == "__main__":
    main()
