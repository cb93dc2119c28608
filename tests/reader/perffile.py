# SPDX-License-Identifier: GPL-2.0
"""perf.data files put together field by field, in either byte order, as a file or
as a pipe carries them.  Shares no code with the reader, and knows only what its
callers need: the tests' generators of captures, corpora and damaged files.
"""
import struct

IP, TID, TIME, CALLCHAIN, CPU, PERIOD = 1, 2, 4, 0x20, 0x80, 0x100
RAW, BRANCH_STACK, REGS_USER, STACK_USER, IDENTIFIER = 0x400, 0x800, 0x1000, 0x2000, 0x10000
SAMPLE_ID_ALL, CONTEXT_SWITCH = 1 << 18, 1 << 26
X86_64_REGS = 0xff0fff
CONTEXT_KERNEL, CONTEXT_USER = (1 << 64) - 128, (1 << 64) - 512
USER, KERNEL = 2, 1
HEADER_BYTES, ATTR_BYTES = 104, 128
# Of the trailer that kernel records other than SAMPLE end in, in its order.
TRAILER = (TID, TIME, CPU, IDENTIFIER)


class Event:
    """A perf_event_attr with its sample ids."""

    def __init__(self, sample_type, *, kind=1, config=0, period=1000000, flags=SAMPLE_ID_ALL,
                 regs=0, stack=0, branch_type=0, ids=()):
        self.sample_type, self.kind, self.config, self.period = sample_type, kind, config, period
        self.flags, self.regs, self.stack = flags, regs, stack
        self.branch_type, self.ids = branch_type, list(ids)


class Capture:
    """Records are gathered in self.data; file() and pipe() give the whole."""

    def __init__(self, *events, big=False):
        self.events, self.order = events, ">" if big else "<"
        self.big, self.data, self.features = big, bytearray(), {}

    def pack(self, form, *values):
        return struct.pack(self.order + form, *values)

    def words(self, *values):
        return self.pack(f"{len(values)}Q", *(v & (1 << 64) - 1 for v in values))

    def string(self, text, align=8):
        raw = text.encode() + b"\0"
        return raw + bytes(-len(raw) % align)

    def record(self, kind, payload=b"", misc=0):
        self.data += self.framed(kind, payload, misc)

    def framed(self, kind, payload, misc=0):
        return self.pack("IHH", kind, misc, 8 + len(payload)) + payload

    def trailer(self, time, pid=100, tid=100, cpu=0, identifier=0):
        event = self.events[0]
        if not event.flags & SAMPLE_ID_ALL:
            return b""
        parts = {TID: self.pack("II", pid, tid), TIME: self.words(time),
                 CPU: self.pack("II", cpu, 0), IDENTIFIER: self.words(identifier)}
        return b"".join(parts[bit] for bit in TRAILER if event.sample_type & bit)

    def kernel_record(self, kind, payload, time, misc=0, **who):
        self.record(kind, payload + self.trailer(time, **who), misc)

    def mmap2(self, path, start, length, *, offset=0, pid=100, tid=None, time=0, misc=USER,
              prot=5):
        body = self.pack("II", pid, pid if tid is None else tid)
        body += self.words(start, length, offset) + self.pack("IIQQII", 8, 1, 77, 0, prot, 2)
        self.kernel_record(10, body + self.string(path), time, misc, pid=pid, tid=pid)

    def comm(self, name, *, pid=100, tid=None, time=0, misc=0):
        tid = pid if tid is None else tid
        body = self.pack("II", pid, tid) + self.string(name)
        self.kernel_record(3, body, time, misc, pid=pid, tid=tid)

    def task(self, kind, pid, ppid, tid, ptid, time):
        body = self.pack("IIII", pid, ppid, tid, ptid) + self.words(time)
        self.kernel_record(kind, body, time, pid=pid, tid=tid)

    def round(self):
        self.record(68)

    def sample(self, time, *, pid=100, tid=100, ip=0x401000, event=0, misc=USER, period=1000000,
               chain=(), raw=b"", branches=(), abi=2, regs=(), stack=b"", valid=None, cpu=0):
        e, body = self.events[event], b""
        if e.sample_type & IDENTIFIER:
            body += self.words(e.ids[0])
        if e.sample_type & IP:
            body += self.words(ip)
        if e.sample_type & TID:
            body += self.pack("II", pid, tid)
        if e.sample_type & TIME:
            body += self.words(time)
        if e.sample_type & CPU:
            body += self.pack("II", cpu, 0)
        if e.sample_type & PERIOD:
            body += self.words(period)
        if e.sample_type & CALLCHAIN:
            body += self.words(len(chain), *chain)
        if e.sample_type & RAW:
            padded = raw + bytes(-(len(raw) + 4) % 8)
            body += self.pack("I", len(padded)) + padded
        if e.sample_type & BRANCH_STACK:
            body += self.words(len(branches))
            body += b"".join(self.words(*branch, 0) for branch in branches)
        if e.sample_type & REGS_USER:
            body += self.words(abi) + (self.words(*regs) if abi else b"")
        if e.sample_type & STACK_USER:
            body += self.words(len(stack)) + stack
            if stack:
                body += self.words(len(stack) if valid is None else valid)
        self.record(9, body, misc)

    def flag_bytes(self, flags):
        """The bit-field word: its first bit is the lowest, or the highest on big machines."""
        if not self.big:
            return flags.to_bytes(8, "little")
        return bytes(int(f"{flags >> 8 * i & 255:08b}"[::-1], 2) for i in range(8))

    def attr(self, e):
        raw = self.pack("IIQQQQ", e.kind, ATTR_BYTES, e.config, e.period, e.sample_type, 0)
        raw += self.flag_bytes(e.flags) + self.pack("IIQQ", 1, 0, 0, 0)
        raw += self.pack("QQIIQ", e.branch_type, e.regs, e.stack, 0, 0)
        return raw + bytes(ATTR_BYTES - len(raw))

    def magic(self):
        return b"2ELIFREP" if self.big else b"PERFILE2"

    def file(self, *, unfinished=False):
        ids = b"".join(self.words(*e.ids) for e in self.events if e.ids)
        attrs, ids_at = b"", HEADER_BYTES
        for e in self.events:
            attrs += self.attr(e) + self.words(ids_at, 8 * len(e.ids))
            ids_at += 8 * len(e.ids)
        attrs_at = HEADER_BYTES + len(ids)
        data_at = attrs_at + len(attrs)
        bits = 0 if unfinished else sum(1 << n for n in self.features)
        head = self.magic() + self.words(
            HEADER_BYTES, ATTR_BYTES + 16, attrs_at, len(attrs), data_at,
            0 if unfinished else len(self.data), 0, 0)
        head += self.words(*(bits >> 64 * i for i in range(4)))
        return head + ids + attrs + bytes(self.data) + self.feature_sections(
            data_at + len(self.data), unfinished)

    def feature_sections(self, at, unfinished):
        index, body = b"", b""
        if unfinished:
            return b""
        for number in sorted(self.features):
            content = self.features[number]
            index += self.words(at + 16 * len(self.features) + len(body), len(content))
            body += content
        return index + body

    def pipe(self):
        out = self.magic() + self.words(16)
        for e in self.events:
            out += self.framed(64, self.attr(e) + self.words(*e.ids) if e.ids else self.attr(e))
        for number in sorted(self.features):
            if number == 1:
                body = self.features[1]
                out += self.framed(66, self.pack("I", len(body))) + body + bytes(-len(body) % 8)
            else:
                out += self.framed(80, self.words(number) + self.features[number])
        return out + bytes(self.data)

    def header_string(self, text):
        raw = self.string(text, 64)
        return self.pack("I", len(raw)) + raw


def tracing_data(*formats, big=False):
    """A TRACING_DATA section: (system, text) of each format, grouped by system."""
    order = ">" if big else "<"

    def sized(text):
        return struct.pack(order + "Q", len(text)) + text

    out = b"\x17\x08\x44tracing0.6\0" + struct.pack(order + "BBI", big, 8, 4096)
    out += b"header_page\0" + sized(b"page\n") + b"header_event\0" + sized(b"event\n")
    out += struct.pack(order + "I", 0)
    systems = {}
    for system, text in formats:
        systems.setdefault(system, []).append(text.encode())
    out += struct.pack(order + "I", len(systems))
    for system, texts in systems.items():
        out += system.encode() + b"\0" + struct.pack(order + "I", len(texts))
        out += b"".join(sized(text) for text in texts)
    return out + struct.pack(order + "IIQ", 0, 0, 0)


SCHED_SWITCH_ID = 316
SCHED_SWITCH = """name: sched_switch
ID: 316
format:
\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;
\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;
\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;

\tfield:char prev_comm[16];\toffset:8;\tsize:16;\tsigned:0;
\tfield:pid_t prev_pid;\toffset:24;\tsize:4;\tsigned:1;
\tfield:int prev_prio;\toffset:28;\tsize:4;\tsigned:1;
\tfield:long prev_state;\toffset:32;\tsize:8;\tsigned:1;
\tfield:char next_comm[16];\toffset:40;\tsize:16;\tsigned:0;
\tfield:pid_t next_pid;\toffset:56;\tsize:4;\tsigned:1;
\tfield:int next_prio;\toffset:60;\tsize:4;\tsigned:1;

print fmt: "prev_comm=%s prev_pid=%d prev_prio=%d prev_state=%s ==> next_comm=%s next_pid=%d \
next_prio=%d", REC->prev_comm, REC->prev_pid, REC->prev_prio, (REC->prev_state & 1) ? "S" : "R", \
REC->next_comm, REC->next_pid, REC->next_prio
"""


def sched_switch_raw(capture, prev, nxt, state=1):
    return capture.pack("HBBi16siiq16sii", SCHED_SWITCH_ID, 0, 0, prev, b"prev", prev, 120, state,
                        b"next", nxt, 120)
