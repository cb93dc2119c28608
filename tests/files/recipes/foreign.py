#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Captures of machines that are not at hand: real registers and stacks, taken by a
program that runs under qemu's user mode, in files of the tests' own writer.

    tests/files/recipes/foreign.py FOLDER

Writes levels-*, the programs with the CFI and symbols they are unwound and named by,
and good-levels-*.data: copies of the stack, and for aarch64-fp what the kernel makes
of frame pointers, with the link register as `perf record -g` takes it there.  The captures name the programs by relative paths: they are
found where perfconv is run in the folder that holds them.  Needs the Debian packages
gcc-aarch64-linux-gnu, gcc-arm-linux-gnueabihf and qemu-user.
"""
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "reader"))
from perffile import (CALLCHAIN, CONTEXT_USER, IP, PERIOD, REGS_USER, SAMPLE_ID_ALL,  # noqa: E402
                      STACK_USER, TID, TIME, Capture, Event)

ARCH = 6
EXCLUDE_GUEST = 1 << 20  # as perf asks for; without it perf names the event cpu-clock:HG
FP, LR, SP = 29, 30, 31  # of aarch64
FLAGS = ["-O2", "-ffreestanding", "-nostdlib", "-static", "-fomit-frame-pointer",
         "-fno-stack-protector", "-Wl,--build-id"]
# name, compiler's prefix, flags, emulator, machine, registers, perf's abi
VARIANTS = [
    ("aarch64", "aarch64-linux-gnu-", ["-fasynchronous-unwind-tables"], "qemu-aarch64",
     "aarch64", 33, 2),
    ("aarch64-pac", "aarch64-linux-gnu-",
     ["-fasynchronous-unwind-tables", "-mbranch-protection=standard"], "qemu-aarch64",
     "aarch64", 33, 2),
    ("aarch64-fp", "aarch64-linux-gnu-",
     ["-fasynchronous-unwind-tables", "-fno-omit-frame-pointer", "-momit-leaf-frame-pointer"],
     "qemu-aarch64", "aarch64", 33, 2),
    ("armv7", "arm-linux-gnueabihf-", ["-g"], "qemu-arm", "armv7l", 16, 1),
]


def build(folder, name, prefix, flags):
    program = folder / f"levels-{name}"
    subprocess.run([f"{prefix}gcc", *FLAGS, *flags, "-o", program, HERE / "levels.c"], check=True)
    subprocess.run([f"{prefix}strip", "--strip-debug", "--keep-section=.debug_frame", program],
                   check=True)
    return program


def chain_of(regs, stack):
    """As the kernel does it: the frame records that X29 leads to."""
    chain, frame = [CONTEXT_USER, regs[-1]], regs[FP]
    while regs[SP] <= frame <= regs[SP] + len(stack) - 16:
        frame, address = struct.unpack_from("<QQ", stack, frame - regs[SP])
        if not address:
            break
        chain.append(address)
    return chain


def write_capture(path, program, taken, machine, registers, abi):
    chains = path.stem.endswith("-fp")
    flags = SAMPLE_ID_ALL | EXCLUDE_GUEST
    what = IP | TID | TIME | PERIOD | REGS_USER
    capture = Capture(Event(what | CALLCHAIN, flags=flags, regs=1 << LR) if chains else
                      Event(what | STACK_USER, flags=flags, regs=(1 << registers) - 1, stack=2048))
    capture.features = {ARCH: capture.header_string(machine)}
    capture.comm("levels", time=0)
    for line in (taken / "maps").read_text().splitlines():
        fields = line.split(None, 5)
        if fields[1][2] == "x" and fields[-1] == str(program):
            start, end = (int(part, 16) for part in fields[0].split("-"))
            capture.mmap2(program.name, start, end - start, offset=int(fields[2], 16))
    for number, sample in enumerate(sorted(taken.glob("sample-*")), 1):
        raw = sample.read_bytes()
        regs = struct.unpack_from(f"<{registers}Q", raw)
        stack = raw[8 * registers:]
        if chains:
            capture.sample(number * 1000000, ip=regs[-1], regs=[regs[LR]], abi=abi,
                           chain=chain_of(regs, stack))
        else:
            capture.sample(number * 1000000, ip=regs[-1], regs=regs, stack=stack, abi=abi)
    path.write_bytes(capture.file())


def main():
    folder = Path(sys.argv[1]).resolve()
    for name, prefix, flags, emulator, machine, registers, abi in VARIANTS:
        program = build(folder, name, prefix, flags)
        with tempfile.TemporaryDirectory() as scratch:
            subprocess.run([emulator, "-cpu", "max", program, scratch], check=True)
            write_capture(folder / f"good-levels-{name}.data", program, Path(scratch), machine,
                          registers, abi)


if __name__ == "__main__":
    main()
