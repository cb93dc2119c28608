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


def shifted(capture, kind, record, by):
    at = capture.time_at(kind, record)
    if at is None or not by:
        return record
    time, = struct.unpack_from("<Q", record, at)
    return record[:at] + struct.pack("<Q", time + by) + record[at + 8:]


def grow(capture, out, size, rounds):
    kept = [(kind, record) for kind, _, record in capture.records()
            if rounds or kind != FINISHED_ROUND]
    span, turn, written = span_of(capture), 0, 0
    out.write(capture.raw[:capture.data_at])
    while written < size:
        for kind, record in kept:
            if turn == 0 or kind in AGAIN:
                out.write(shifted(capture, kind, record, turn * span))
                written += len(record)
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
