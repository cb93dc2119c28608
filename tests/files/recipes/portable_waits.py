#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Make a capture of switches small, and its conversion the same on every machine.

    portable_waits.py IN.data OUT.data

What portable.py does for one event, for the three of such a capture: an on-CPU
event, dumped context-switches samples, sched:sched_switch.  Registers stay, for
switches are told apart by them.  Kernel functions get KSYMBOL records, since no
other machine's kallsyms would name them.
"""
import re
import struct
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests" / "reader"))
from perffile import (CALLCHAIN, CONTEXT_KERNEL, CONTEXT_SWITCH, CONTEXT_USER, CPU, Capture, Event,
                      IDENTIFIER, IP, PERIOD, RAW, REGS_USER, SAMPLE_ID_ALL, SCHED_SWITCH,
                      SCHED_SWITCH_ID, TID, TIME, tracing_data)  # noqa: E402
from records import PerfFile  # noqa: E402

MMAP2, COMM, EXIT, FORK, SAMPLE, SWITCH, KSYMBOL = 10, 3, 4, 7, 9, 14, 17
ON_CPU, DUMP, TRACEPOINT = range(3)
COMMON = IDENTIFIER | IP | TID | TIME | CPU | PERIOD | CALLCHAIN
EXEC = 4
KEPT_FEATURES = 5, 6, 11, 29  # VERSION ARCH CMDLINE CLOCK_DATA
HOSTNAME, OSRELEASE, TRACING = 3, 4, 1
PYFRAMES_FILE = re.compile(r"^pyframes-[0-9a-f]{32}-\d+\.so$")
FRAME = re.compile(r"^\s*([0-9a-f]+) (.*)\+0x([0-9a-f]+) \((.*)\)$|^\s*([0-9a-f]+) .*\((.*)\)$")
HEAD = re.compile(r"^\s*(\d+)\s+(\d+)\.(\d{9}):\s+(\S+?):?\s*$")
KERNEL = "[kernel.kallsyms]"


def event_of(attr):
    if attr.kind == 2:
        return TRACEPOINT
    return DUMP if attr.config == 3 else ON_CPU if attr.config == 0 else None


class Portable:
    def __init__(self, path):
        self.path, self.file = path, PerfFile(Path(path).read_bytes())
        self.maps = {}
        self.functions = {}  # kernel: start -> name
        self.regs = next(a.regs_user for a in self.file.attrs if event_of(a) == TRACEPOINT)
        flags = SAMPLE_ID_ALL | CONTEXT_SWITCH
        self.out = Capture(
            Event(COMMON, period=10101010, flags=flags, ids=[1]),
            Event(COMMON | REGS_USER, config=3, period=1, flags=flags, regs=self.regs, ids=[2]),
            Event(COMMON | RAW | REGS_USER, kind=2, config=SCHED_SWITCH_ID, period=1, flags=flags,
                  regs=self.regs, ids=[3]))

    def address(self, offset, dso):
        """The address of a file offset, for perf prints those."""
        for start, length, file_offset, name in self.maps.values():
            if name == dso and file_offset <= offset < file_offset + length:
                return start + offset - file_offset
        return offset

    def read_stacks(self):
        """perf's stacks by (tid, time), as (kernel addresses, user addresses), leaf first."""
        text = subprocess.run(
            ["perf", "script", "--ns", "--no-inline", "-F", "tid,time,event,ip,sym,symoff,dso", "-i",
             self.path], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True).stdout
        stacks, stack = {}, None
        for line in text.splitlines():
            head, frame = HEAD.match(line), FRAME.match(line)
            if head:
                stack = stacks.setdefault((int(head[1]), int(head[2] + head[3])), ([], []))
            elif frame and stack is not None:
                self.add_frame(frame, stack)
        return stacks

    def add_frame(self, frame, stack):
        ip, dso = int(frame[1] or frame[5], 16), frame[4] or frame[6]
        if dso == KERNEL:
            if frame[1]:
                self.functions[ip - int(frame[3], 16)] = frame[2]
            stack[0].append(ip + bool(stack[0]))
        else:
            # perf steps back into the call instruction of all but the leaf
            stack[1].append(self.address(ip, dso) + bool(stack[1]))

    def sample(self, record, stacks):
        attr = self.file.attr_of(record)
        event = event_of(attr)
        if event is None or attr.ids[0] not in self.wanted:
            return
        at = 8 + 8 * bool(attr.sample_type & IDENTIFIER)
        ip, pid, tid, time = struct.unpack_from("<QIIQ", record, at)
        at += 24
        at += 8 * bool(attr.sample_type & 8)
        at += 8 * bool(attr.sample_type & 0x40)
        cpu = 0
        if attr.sample_type & CPU:
            cpu = struct.unpack_from("<I", record, at)[0]
            at += 8
        period = attr.config == 0 and 10101010 or 1
        if attr.sample_type & PERIOD:
            period = struct.unpack_from("<Q", record, at)[0]
            at += 8
        count = struct.unpack_from("<Q", record, at)[0]
        at += 8 + 8 * count
        raw = b""
        if attr.sample_type & RAW:
            size = struct.unpack_from("<I", record, at)[0]
            raw = bytearray(record[at + 4:at + 4 + size])
            struct.pack_into("<H", raw, 0, SCHED_SWITCH_ID)
            at += 4 + size
        regs = []
        if event != ON_CPU:
            abi = struct.unpack_from("<Q", record, at)[0]
            n = bin(self.regs).count("1")
            regs = struct.unpack_from(f"<{n}Q", record, at + 8) if abi else ()
        kernel, user = stacks.get((tid, time), ([], []))
        chain = [CONTEXT_KERNEL, *kernel] if kernel else []
        if event != TRACEPOINT and user:
            chain += [CONTEXT_USER, *user]
        self.out.sample(time, pid=pid, tid=tid, ip=ip, event=event, cpu=cpu, period=period,
                        chain=chain, raw=bytes(raw), regs=regs, abi=2 if regs else 0,
                        misc=1 if kernel else 2)

    def trailer(self, record):
        """pid, tid, time, cpu of a record that is no sample."""
        attr, at = self.file.attrs[0], len(record) - self.file.trailer_bytes()
        pid, tid, time = struct.unpack_from("<IIQ", record, at)
        at += 16 + 8 * bool(attr.sample_type & 0x40) + 8 * bool(attr.sample_type & 0x200)
        cpu = struct.unpack_from("<I", record, at)[0] if attr.sample_type & CPU else 0
        return {"pid": pid, "tid": tid, "cpu": cpu, "identifier": 1}, time

    def mapping(self, misc, record):
        pid, _, start, length, offset = struct.unpack_from("<IIQQQ", record, 8)
        prot = struct.unpack_from("<I", record, 64)[0]
        name = record[72:len(record) - self.file.trailer_bytes()].split(b"\0")[0].decode()
        if misc & 7 != 2 or not prot & EXEC:
            return
        base = name.rsplit("/", 1)[-1]
        self.maps[start] = start, length, offset, name
        if PYFRAMES_FILE.match(base):
            name = "/recorded/side/" + base
        elif name.startswith("/") and not name.startswith("//"):
            name = "/recorded/" + base
        _, time = self.trailer(record)
        self.out.mmap2(name, start, length, offset=offset, pid=pid, time=time)

    def name_kernel(self):
        for start in sorted(self.functions):
            body = struct.pack("<QIHH", start, 4096, 0, 0) + self.out.string(self.functions[start])
            self.out.kernel_record(KSYMBOL, body, 0, identifier=1)

    def write(self, path):
        for kind, misc, record in self.file.records():
            if kind == MMAP2:
                self.mapping(misc, record)
        self.wanted = {next(a.ids[0] for a in self.file.attrs if event_of(a) == e)
                       for e in (ON_CPU, DUMP, TRACEPOINT)}
        self.wanted = {number for a in self.file.attrs if a.ids[0] in self.wanted
                       for number in a.ids[:1]}
        stacks = self.read_stacks()
        self.name_kernel()
        for kind, misc, record in self.file.records():
            if kind == SAMPLE:
                self.sample(record, stacks)
            elif kind in (COMM, EXIT, FORK, SWITCH):
                who, time = self.trailer(record)
                body = record[8:len(record) - self.file.trailer_bytes()]
                self.out.kernel_record(kind, body, time, misc, **who)
            elif kind == 68:
                self.out.round()
        self.out.features = {number: self.file.features[number] for number in KEPT_FEATURES
                             if number in self.file.features}
        self.out.features[HOSTNAME] = self.out.header_string("recorder")
        self.out.features[OSRELEASE] = self.out.header_string("0.0-recorded")
        self.out.features[TRACING] = tracing_data(("sched", SCHED_SWITCH))
        Path(path).write_bytes(self.out.file())


if __name__ == "__main__":
    Portable(sys.argv[1]).write(sys.argv[2])
