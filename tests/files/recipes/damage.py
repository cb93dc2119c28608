#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Write damaged captures, each with one fault:  damage.py OUTPUT_FOLDER

The captures are made by tests/reader/perffile.py; the same bytes at every run.
"""
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "reader"))
import perffile as pf  # noqa: E402

BASIC = pf.IDENTIFIER | pf.IP | pf.TID | pf.TIME | pf.PERIOD
COMPRESSED = 81


def capture(kind=BASIC, **more):
    c = pf.Capture(pf.Event(kind, ids=[5], **more))
    c.comm("program")
    c.mmap2("/recorded/program", 0x400000, 0x10000)
    return c


def chains(c, times=(1000, 2000, 3000)):
    for time in times:
        c.sample(time, chain=(pf.CONTEXT_USER, 0x401000, 0x402000))
    return c


def with_bytes(raw, at, form, *values):
    out = bytearray(raw)
    struct.pack_into("<" + form, out, at, *values)
    return bytes(out)


def faults():
    good = chains(capture(BASIC | pf.CALLCHAIN))
    whole = good.file()
    data_at = len(whole) - len(good.data)
    yield "empty", b""
    yield "no-magic", b"\x7fELF" + whole[4:]
    yield "cut-magic", whole[:10]
    yield "cut-header", whole[:80]
    yield "cut-attrs", whole[:150]
    yield "cut-record", whole[:-20]
    yield "attr-size", with_bytes(whole, 16, "Q", 24)
    yield "attrs-beyond", with_bytes(whole, 24, "Q", 1 << 40)
    yield "too-many-attrs", with_bytes(whole, 24, "QQ", 104, 1 << 62)
    yield "ids-beyond", with_bytes(whole, 112 + 128, "Q", 1 << 50)
    yield "data-beyond", with_bytes(whole, 48, "Q", 1 << 40)
    yield "data-wraps", with_bytes(whole, 40, "QQ", (1 << 64) - 8, 64)
    yield "record-size-0", with_bytes(whole, data_at + 6, "H", 0)
    yield "record-size-4", with_bytes(whole, data_at + 6, "H", 4)
    yield "feature-beyond", with_bytes(whole, 72, "Q", 1 << 3) + struct.pack("<QQ", 1 << 40, 64)

    c = chains(capture(BASIC | pf.CALLCHAIN))
    body = c.words(5, 0x401000) + c.pack("II", 100, 100) + c.words(1500, 1, 1 << 61)
    c.record(9, body, pf.USER)
    yield "chain-length", c.file()

    c = capture(BASIC | pf.REGS_USER | pf.STACK_USER, regs=pf.X86_64_REGS, stack=64)
    c.sample(1000, regs=[0] * 20, stack=bytes(64), valid=1 << 40)
    c.sample(2000, regs=[0] * 20, stack=bytes(64))
    yield "stack-length", c.file()

    c = chains(capture(BASIC | pf.CALLCHAIN))
    c.record(8, b"")
    c.record(3, c.pack("II", 1, 1) + b"no end.." + c.trailer(1))
    c.record(127, bytes(8))
    c.record(4000000000, bytes(8))
    yield "odd-records", chains(c).file()

    c = chains(capture(BASIC | pf.CALLCHAIN))
    c.record(COMPRESSED, b"this is no zstd frame...")
    yield "zstd", chains(c).file()

    c = chains(capture(BASIC | pf.CALLCHAIN))
    c.record(71, c.words(1 << 60, 0, 0, 0))
    yield "trace-payload", chains(c).file()

    c = chains(capture(BASIC | pf.CALLCHAIN))
    c.sample(500, chain=())
    c.round()
    c.sample(5000, chain=())
    c.round()
    c.round()
    c.sample(400, chain=())
    yield "out-of-order", c.file()

    c = chains(capture(BASIC | pf.CALLCHAIN))
    c.features[1] = pf.tracing_data(("x", "name: x\nID: 1\n"))[:-40] + b"\xff" * 9
    yield "formats", c.file()
    yield "pipe-cut", c.pipe()[:100]
    yield "pipe-without-events", b"PERFILE2" + struct.pack("<Q", 16) + bytes(c.data)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    for name, content in faults():
        (folder / f"bad-{name}.data").write_bytes(content)
