# SPDX-License-Identifier: GPL-2.0
"""Captures made up record by record: of pyframes' trampolines, of LBR, of any ELF file's code."""
import struct

TYPE_HARDWARE, CYCLES = 0, 0
TYPE_SOFTWARE, CPU_CLOCK = 1, 0
IP, TID, TIME, CALLCHAIN, PERIOD, BRANCH_STACK = 1 << 0, 1 << 1, 1 << 2, 1 << 5, 1 << 8, 1 << 11
USER_MARKER = 2 ** 64 - 512
BRANCH_USER, BRANCH_CALL_STACK = 1 << 0, 1 << 11
MMAP2, COMM, SAMPLE = 10, 3, 9
USER = 2
ATTR_BYTES = 128
CODE_AT, CODE_OFFSET = 0x7f0000001000, 0x1000
TRAMPOLINES = "pyframes-8469d826f935057d239bb58898d0b72f-0.so"
TRAMPOLINES_OFFSET = 0x3000  # of its code, in the file; slots of 16 bytes follow


def record(kind, misc, payload):
    return struct.pack("<IHH", kind, misc, 8 + len(payload)) + payload


def whole_capture(attr, records):
    header = struct.pack("<8sQQQQQQQQ4Q", b"PERFILE2", 104, ATTR_BYTES + 16, 104, ATTR_BYTES + 16,
                         104 + ATTR_BYTES + 16, len(records), 0, 0, 0, 0, 0, 0)
    return header + bytes(attr) + struct.pack("<QQ", 0, 0) + records


def map_record(path, start, length, offset):
    name = (str(path) + "\0").encode()
    return record(MMAP2, USER, struct.pack(
        "<IIQQQIIQQII", 7, 7, start, length, offset, 0, 0, 0, 0, 5, 2)
        + name.ljust((len(name) + 7) // 8 * 8, b"\0"))


def python_capture(trampolines):
    """Callchains through three of pyframes' trampolines, of two threads; pid and main
    thread are 7."""
    attr = bytearray(ATTR_BYTES)
    struct.pack_into("<IIQQQ", attr, 0, TYPE_SOFTWARE, ATTR_BYTES, CPU_CLOCK, 1000000,
                     IP | TID | TIME | CALLCHAIN | PERIOD)
    records = b"".join(record(COMM, 0, struct.pack("<II8s", 7, tid, name))
                       for tid, name in ((7, b"main"), (8, b"worker")))
    records += map_record(trampolines, CODE_AT, 0x1000, TRAMPOLINES_OFFSET)
    for i in range(40):
        chain = [USER_MARKER] + [CODE_AT + 0x10 * slot + 4 for slot in (6, 5, 4)[i % 3:]]
        records += record(SAMPLE, USER, struct.pack(
            f"<QIIQQQ{len(chain)}Q", chain[1], 7, 7 + i % 2, 1000000 * (i + 1), 1000000,
            len(chain), *chain))
    return whole_capture(attr, records)


def branch_capture(elf):
    """LBR in call-stack mode, of code in an ELF file."""
    attr = bytearray(ATTR_BYTES)
    struct.pack_into("<IIQQQ", attr, 0, TYPE_HARDWARE, ATTR_BYTES, CYCLES, 1000,
                     IP | TID | TIME | PERIOD | BRANCH_STACK)
    struct.pack_into("<Q", attr, 72, BRANCH_USER | BRANCH_CALL_STACK)
    records = record(COMM, 0, struct.pack("<II8s", 7, 7, b"lbr"))
    records += map_record(elf, CODE_AT, 0x4000, CODE_OFFSET)
    for i in range(20):
        branches = [(CODE_AT + 0x10 * (i % 3) + 0x100 * k, CODE_AT + 0x100 * k - 0x80, 0)
                    for k in range(1, 4)]
        records += record(SAMPLE, USER, struct.pack(
            "<QIIQQQ", CODE_AT + 0x40 + i % 2, 7, 7, 1000000 * (i + 1), 1000, len(branches))
            + b"".join(struct.pack("<QQQ", *b) for b in branches))
    return whole_capture(attr, records)


def code_of(elf):
    """Offset and size of the code in a 64-bit ELF file."""
    data = elf.read_bytes()
    start, entry_bytes, entries = (struct.unpack_from("<Q", data, 32)[0],
                                   *struct.unpack_from("<HH", data, 54))
    for i in range(entries):
        kind, flags, offset, _, _, size = struct.unpack_from("<IIQQQQ", data,
                                                             start + i * entry_bytes)
        if kind == 1 and flags & 1:
            return offset, size
    raise ValueError(f"{elf} has no code")


def code_capture(elf, samples):
    """Samples at addresses all over an ELF file's code, each a stack of one."""
    offset, size = code_of(elf)
    attr = bytearray(ATTR_BYTES)
    struct.pack_into("<IIQQQ", attr, 0, TYPE_SOFTWARE, ATTR_BYTES, CPU_CLOCK, 1000000,
                     IP | TID | TIME | PERIOD)
    records = record(COMM, 0, struct.pack("<II8s", 7, 7, b"code"))
    records += map_record(elf, CODE_AT, size, offset)
    for i in range(samples):
        records += record(SAMPLE, USER, struct.pack(
            "<QIIQQ", CODE_AT + size * i // samples, 7, 7, 1000000 * (i + 1), 1000000))
    return whole_capture(attr, records)
