#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Take other programs and the machine's particulars out of a capture of modes.c.

    tidy.py IN.data OUT.data

Kept are the records of processes that are called modes, of the idle task and of
kernel threads; paths become /recorded/NAME; the host's name becomes "recorded".
"""
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "reader"))
from records import SAMPLE, PerfFile  # noqa: E402

COMM, MMAP, EXIT, FORK, MMAP2 = 3, 1, 4, 7, 10
KEPT = {1, 4, 5, 6, 7, 11, 12, 21, 23, 29}
PROGRAM = b"modes"


def pid_of(capture, kind, record):
    """The process a record is about, or None."""
    if kind in (COMM, MMAP, MMAP2, EXIT, FORK):
        return struct.unpack_from("<I", record, 8)[0]
    at = capture.time_at(kind, record)
    first = capture.attrs[0]
    if at is None or not first.sample_type & 2:
        return None
    return struct.unpack_from("<I", record, at - 8)[0]


def programs(capture):
    """Processes that are ever called modes, and kernel threads: those without mappings."""
    named, mapped = set(), set()
    for kind, _, record in capture.records():
        if kind == COMM and record[16:].split(b"\0")[0] == PROGRAM:
            named.add(pid_of(capture, kind, record))
        elif kind in (MMAP, MMAP2):
            mapped.add(pid_of(capture, kind, record))
    return named, mapped


def renamed(capture, kind, record):
    """A mapping of a file outside /recorded becomes one inside."""
    at = 8 + 32 if kind == MMAP else 8 + 64
    end = len(record) - capture.trailer_bytes()
    path = record[at:end].rstrip(b"\0")
    if not path.startswith(b"/") or path.startswith((b"//", b"/memfd")):
        return record
    name = b"/recorded/" + path.rsplit(b"/", 1)[1] + b"\0"
    name += bytes(-len(name) % 8)
    whole = bytearray(record[:at] + name + record[end:])
    whole[6:8] = struct.pack("<H", len(whole))
    return bytes(whole)


def formats(capture):
    """TRACING_DATA with the formats of the capture's own tracepoints only."""
    raw = capture.features[1]
    at = raw.index(b"header_event\0") + len(b"header_event\0")
    at += 8 + struct.unpack_from("<Q", raw, at)[0]
    head, wanted = raw[:at], {attr.config for attr in capture.attrs if attr.kind == 2}
    at += 4
    for _ in range(struct.unpack_from("<I", raw, at - 4)[0]):
        at += 8 + struct.unpack_from("<Q", raw, at)[0]
    systems, at = [], at + 4
    for _ in range(struct.unpack_from("<I", raw, at - 4)[0]):
        end = raw.index(b"\0", at) + 1
        name, texts = raw[at:end], []
        count, at = struct.unpack_from("<I", raw, end)[0], end + 4
        for _ in range(count):
            size = struct.unpack_from("<Q", raw, at)[0]
            text = raw[at + 8:at + 8 + size]
            if int(text.split(b"ID: ")[1].split(b"\n")[0]) in wanted:
                texts.append(struct.pack("<Q", size) + text)
            at += 8 + size
        if texts:
            systems.append(name + struct.pack("<I", len(texts)) + b"".join(texts))
    return head + struct.pack("<II", 0, len(systems)) + b"".join(systems) + bytes(16)


def tidied(raw):
    capture = PerfFile(raw)
    named, mapped = programs(capture)
    data = b""
    for kind, _, record in capture.records():
        pid = pid_of(capture, kind, record)
        if kind < 64 and pid is not None and pid not in named and (
                pid in mapped and pid != 0xffffffff or kind in (COMM, FORK, EXIT)):
            continue
        if kind == SAMPLE and pid not in named and pid:
            continue
        data += renamed(capture, kind, record) if kind in (MMAP, MMAP2) else record
    host = b"recorded\0".ljust(64, b"\0")
    features = {bit: content for bit, content in capture.features.items() if bit in KEPT}
    if 1 in features:
        features[1] = formats(capture)
    features[3] = struct.pack("<I", len(host)) + host
    head = bytearray(raw[:capture.data_at])
    struct.pack_into("<Q", head, 48, len(data))
    bits = sum(1 << bit for bit in features)
    struct.pack_into("<4Q", head, 72, *(bits >> 64 * i & (1 << 64) - 1 for i in range(4)))
    index, body = b"", b""
    for _, content in sorted(features.items()):
        at = len(head) + len(data) + 16 * len(features) + len(body)
        index += struct.pack("<QQ", at, len(content))
        body += content
    return bytes(head) + data + index + body


if __name__ == "__main__":
    Path(sys.argv[2]).write_bytes(tidied(Path(sys.argv[1]).read_bytes()))
