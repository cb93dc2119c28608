#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Captures as other machines write them: good-aarch64.data, good-armv7l.data, good-i686.data.

    tests/files/recipes/machines.py [FOLDER]

Put together field by field, for no such machine was at hand: registers by the
kernel's numbers there, stack copies, on aarch64 also samples of a 32-bit task.
The same bytes at every run.
"""
import struct
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "reader"))
import perffile as pf  # noqa: E402

SAMPLE_TYPE = (pf.IDENTIFIER | pf.IP | pf.TID | pf.TIME | pf.CPU | pf.PERIOD | pf.CALLCHAIN
               | pf.REGS_USER | pf.STACK_USER)
# Machine: registers that perf records, which of them are SP and IP, a stack's address.
MACHINES = {
    "aarch64": ((1 << 33) - 1, 31, 32, 0xffffc0001000),
    "armv7l": ((1 << 16) - 1, 13, 15, 0xbefff000),
    "i686": ((1 << 9) - 1, 7, 8, 0xbffff000),
}
CODE, CODE_BYTES = 0x10000, 0x8000
HOSTNAME, OSRELEASE, VERSION, ARCH, EVENT_DESC = 3, 4, 5, 6, 12


def registers(mask, sp, ip, stack, at):
    values = [0x1000 + n for n in range(mask.bit_length())]
    values[sp], values[ip] = stack, at
    return [value for n, value in enumerate(values) if mask >> n & 1]


def capture(machine):
    mask, sp, ip, stack = MACHINES[machine]
    wide = machine == "aarch64"
    c = pf.Capture(pf.Event(SAMPLE_TYPE, regs=mask, stack=64, ids=[7]))
    for number, text in ((HOSTNAME, "recorded"), (OSRELEASE, "5.15.0"), (VERSION, "6.1"),
                         (ARCH, machine)):
        c.features[number] = c.header_string(text)
    event = c.events[0]
    c.features[EVENT_DESC] = (c.pack("II", 1, pf.ATTR_BYTES) + c.attr(event) + c.pack("I", 1)
                              + c.header_string("cpu-clock") + c.words(*event.ids))
    c.comm("program", time=0)
    c.mmap2("/recorded/program", CODE, CODE_BYTES)
    c.task(7, 100, 100, 101, 100, 500)
    c.comm("worker", tid=101, time=600)
    c.round()
    for n in range(8):
        at = CODE + 0x100 + 16 * n
        compat = wide and n >= 6
        copy = b"".join(struct.pack("<Q" if wide else "<I", CODE + 0x200 + word)
                        for word in range(8 if wide else 16))
        c.sample(1000000 * (n + 1), tid=100 + n % 2, ip=at, chain=(pf.CONTEXT_USER, at), cpu=n % 4,
                 abi=2 if wide and not compat else 1,
                 regs=registers(mask, 13 if compat else sp, 15 if compat else ip, stack, at),
                 stack=copy, valid=48)
    c.round()
    return c.file()


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE.parent
    for machine in MACHINES:
        (folder / f"good-{machine}.data").write_bytes(capture(machine))


if __name__ == "__main__":
    main()
