#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Make a capture small, and its conversion the same on every machine.

    portable.py IN.data OUT.data

- Stack dumps and registers become callchains, by perf's own unwinder.
- Mapped files get the paths /recorded/NAME, where no machine has any; those
  that pyframes wrote keep theirs, for they are found beside the capture.
- Host name and kernel release are replaced, build-ids are left out.

For captures of one event without kernel samples, in this machine's byte order.
"""
import re
import struct
import subprocess
import sys
from pathlib import Path

HEADER = struct.Struct("<8s8Q4Q")
MMAP2, SAMPLE, FINISHED_ROUND = 10, 9, 68
IDENTIFIER, IP, TID, TIME, ADDR = 1 << 16, 1, 2, 4, 8
READ, CALLCHAIN, ID, CPU, PERIOD, STACK_USER = 1 << 4, 1 << 5, 1 << 6, 1 << 7, 1 << 8, 1 << 13
BEFORE_CALLCHAIN = IDENTIFIER | IP | TID | TIME | ADDR | ID | CPU | PERIOD
EXEC = 4
CONTEXT_USER = (1 << 64) - 512
MMAP2_NAME = 8 + 64
TRAILER = TID | TIME | ID | CPU | IDENTIFIER
KEPT_FEATURES = {5, 6, 11, 12, 29}  # VERSION ARCH CMDLINE EVENT_DESC CLOCK_DATA
HOSTNAME, OSRELEASE = 3, 4
PYFRAMES_FILE = re.compile(r"^pyframes-[0-9a-f]{32}-\d+\.so$")
PERF_LINE = re.compile(r"^\s*([0-9a-f]+)(?: .*)? \((.*)\)$")


def bits(value):
    return bin(value).count("1")


def string(text):
    content = text.encode() + b"\0"
    content += bytes(-len(content) % 64)
    return struct.pack("<I", len(content)) + content


class Capture:
    def __init__(self, path):
        self.path = path
        self.bytes = path.read_bytes()
        fields = HEADER.unpack_from(self.bytes)
        self.attr_bytes, self.attrs_at, attrs, self.data_at, self.data_n = fields[2:7]
        self.features = fields[9]
        if fields[0] != b"PERFILE2" or attrs != self.attr_bytes:
            sys.exit(f"{path}: needs one event")
        self.attr = bytearray(self.bytes[self.attrs_at:self.attrs_at + self.attr_bytes - 16])
        self.sample_type = struct.unpack_from("<Q", self.attr, 24)[0]
        if self.sample_type & READ:
            sys.exit(f"{path}: holds counts of its events, which are not handled")
        self.maps = []
        self.chains = self.unwind() if self.sample_type & STACK_USER else None

    def records(self):
        at = self.data_at
        while at < self.data_at + self.data_n:
            kind, misc, size = struct.unpack_from("<IHH", self.bytes, at)
            yield kind, misc, self.bytes[at:at + size]
            at += size

    def feature(self, wanted):
        at = self.data_at + self.data_n
        for number in range(64):
            if self.features >> number & 1:
                if number == wanted:
                    offset, size = struct.unpack_from("<QQ", self.bytes, at)
                    return self.bytes[offset:offset + size]
                at += 16
        return None

    def trailer_bytes(self):
        return 8 * bits(self.sample_type & TRAILER)

    def mapping(self, record):
        start, length, offset = struct.unpack_from("<QQQ", record, 16)
        name = record[MMAP2_NAME:len(record) - self.trailer_bytes()].rstrip(b"\0").decode()
        return start, length, offset, name

    def address(self, offset, dso):
        """The address of a file offset, for perf prints those."""
        for start, length, file_offset, name in self.maps:
            if name == dso and file_offset <= offset < file_offset + length:
                return start + offset - file_offset
        return offset

    def unwind(self):
        """perf's stacks, leaf first, by (tid, time)."""
        self.maps = [self.mapping(record) for kind, _, record in self.records()
                     if kind == MMAP2 and struct.unpack_from("<I", record, 64)[0] & EXEC]
        text = subprocess.run(["perf", "script", "--ns", "--no-inline", "-F", "tid,time,ip,sym,dso",
                               "-i", self.path], check=True, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True).stdout
        chains, chain = {}, None
        for line in text.splitlines():
            head = re.match(r"^\s*(\d+)\s+(\d+)\.(\d{9}):", line)
            frame = PERF_LINE.match(line)
            if head:
                chain = chains.setdefault((int(head[1]), int(head[2] + head[3])), [])
            elif frame and chain is not None:
                # perf steps back into the call instruction of all but the leaf
                chain.append(self.address(int(frame[1], 16), frame[2]) + bool(chain))
        return chains

    def sample(self, misc, record):
        """The sample with a callchain instead of registers and a stack."""
        head_bytes = 8 + 8 * bits(self.sample_type & BEFORE_CALLCHAIN)
        at = 8 + 8 * bits(self.sample_type & (IDENTIFIER | IP))
        _, tid, time = struct.unpack_from("<IIQ", record, at)
        chain = self.chains.get((tid, time))
        if not chain:
            return None
        body = struct.pack(f"<{len(chain) + 2}Q", len(chain) + 1, CONTEXT_USER, *chain)
        size = head_bytes + len(body)
        return struct.pack("<IHH", SAMPLE, misc, size) + record[8:head_bytes] + body

    def renamed(self, misc, record):
        """The mapping under a path that no machine has."""
        name = self.mapping(record)[3]
        base = name.rsplit("/", 1)[-1]
        if name.startswith("/") and not name.startswith("//") and not PYFRAMES_FILE.match(base):
            name = "/recorded/" + base
        elif PYFRAMES_FILE.match(base):
            name = "/recorded/side/" + base
        text = name.encode() + b"\0"
        text += bytes(-len(text) % 8)
        trailer = record[len(record) - self.trailer_bytes():]
        body = record[8:MMAP2_NAME] + text + trailer
        return struct.pack("<IHH", MMAP2, misc, 8 + len(body)) + body

    def portable_records(self):
        for kind, misc, record in self.records():
            if misc & 7 == 1 or kind == MMAP2 and misc & 7 != 2:
                continue  # the kernel's
            if kind == SAMPLE and self.chains is not None:
                record = self.sample(misc, record)
            elif kind == MMAP2:
                executable = struct.unpack_from("<I", record, 64)[0] & EXEC
                record = self.renamed(misc, record) if executable else None
            elif kind > 64 and kind != FINISHED_ROUND or kind in (1, 17, 18):
                continue  # thread and CPU maps, kernel symbols
            if record:
                yield record

    def portable_attr(self):
        if self.chains is not None:
            kept = self.sample_type & BEFORE_CALLCHAIN | CALLCHAIN
            struct.pack_into("<Q", self.attr, 24, kept)
            struct.pack_into("<QI", self.attr, 80, 0, 0)
        return bytes(self.attr)

    def write(self, path):
        data = b"".join(self.portable_records())
        features = {number: self.feature(number) for number in KEPT_FEATURES}
        features = {number: content for number, content in features.items() if content}
        features[HOSTNAME] = string("recorder")
        features[OSRELEASE] = string("0.0-recorded")
        ids_at, ids_n = struct.unpack_from("<QQ", self.bytes, self.attrs_at + self.attr_bytes - 16)
        ids = self.bytes[ids_at:ids_at + ids_n]
        attr = self.portable_attr() + struct.pack("<QQ", HEADER.size, len(ids))
        data_at = HEADER.size + len(ids) + len(attr)
        at = data_at + len(data) + 16 * len(features)
        index = b""
        for number in sorted(features):
            index += struct.pack("<QQ", at, len(features[number]))
            at += len(features[number])
        header = HEADER.pack(b"PERFILE2", HEADER.size, len(attr), HEADER.size + len(ids),
                             len(attr), data_at, len(data), 0, 0,
                             sum(1 << number for number in features), 0, 0, 0)
        path.write_bytes(header + ids + attr + data + index
                         + b"".join(features[number] for number in sorted(features)))


Capture(Path(sys.argv[1])).write(Path(sys.argv[2]))
