# SPDX-License-Identifier: GPL-2.0
"""Whether an interpreter's code keeps frame pointers: looked at, not guessed.

With them `-g` gives whole stacks in a twentieth of the space of stack copies.
Build flags are not in the file; the functions' first instructions are:

    x86_64     push %rbp; mov %rsp,%rbp               in most functions, or in few
    aarch64    stp x29,x30,[sp,...]; mov x29,sp       a function that saves the
               pair has set x29, or not
"""

import mmap
import os
import re
import stat
import struct

LEAST_SHARE = 0.5
LEAST_FUNCTIONS = 50
ELF64_LITTLE = b"\x7fELF\x02\x01"
EM_X86_64, EM_AARCH64 = 62, 183
PT_LOAD, PT_GNU_EH_FRAME, EXECUTABLE = 1, 0x6474e550, 1
PUSH_MOV = re.compile(rb"\x55\x48\x89\xe5")
# stp x29,x30,[sp,#-N]!, then within five instructions add x29,sp,#N.
STP_PAIR = re.compile(rb"\xfd\x7b[\x80-\xbf]\xa9")
SET_X29_MASK, SET_X29 = 0xffc003ff, 0x910003fd


def interpreter_file(pid):
    """The file that holds the interpreter of a process, as we can reach it.

    libpython where the process has mapped one, else its executable; None when
    the process cannot be looked at.
    """
    try:
        with open(f"/proc/{pid}/maps", encoding="utf-8",
                  errors="replace") as stream:
            found = re.search(r"\s(/\S*/libpython3[^/\s]*)$", stream.read(),
                              re.MULTILINE)
    except OSError:
        return None
    return f"/proc/{pid}/root{found.group(1)}" if found else f"/proc/{pid}/exe"


def kept(path):
    """True when the code in an ELF file keeps frame pointers.

    False when it does not, and when it cannot be told. A mapped file's name
    may by now stand for anything: only a regular file is read.
    """
    if path is None:
        return False
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                return False
            with mmap.mmap(stream.fileno(), 0, prot=mmap.PROT_READ) as image:
                share, functions = count(image)
    except (OSError, OverflowError, ValueError, struct.error):
        return False
    return functions >= LEAST_FUNCTIONS and share >= LEAST_SHARE


def count(image):
    """(share of functions that keep the frame pointer, functions looked at).

    Raises struct.error where the file is shorter than it says.
    """
    if image[:len(ELF64_LITTLE)] != ELF64_LITTLE:
        return 0.0, 0
    machine, = struct.unpack_from("<H", image, 18)
    code, functions = segments(image)
    if machine == EM_X86_64 and functions:
        return len(PUSH_MOV.findall(code)) / functions, functions
    if machine == EM_AARCH64:
        saved = [match.start() for match in STP_PAIR.finditer(code)
                 if match.start() % 4 == 0]
        kept_there = sum(sets_x29(code, offset) for offset in saved)
        return kept_there / max(1, len(saved)), len(saved)
    return 0.0, 0


def sets_x29(code, offset):
    """Whether add x29,sp,#N is among the five instructions after the one here."""
    if offset + 24 > len(code):
        return False
    words = struct.unpack_from("<5I", code, offset + 4)
    return any(word & SET_X29_MASK == SET_X29 for word in words)


def segments(image):
    """The executable bytes, and how many functions .eh_frame_hdr lists."""
    table, = struct.unpack_from("<Q", image, 32)
    size, number = struct.unpack_from("<HH", image, 54)
    code, functions = b"", 0
    for index in range(number):
        kind, flags, offset, _, _, length = struct.unpack_from(
            "<IIQQQQ", image, table + index * size)
        if kind == PT_LOAD and flags & EXECUTABLE:
            code += image[offset:offset + length]
        elif kind == PT_GNU_EH_FRAME:
            # Its table's count, in the encoding that every linker writes.
            encoding, functions = struct.unpack_from("<xxB5xI", image, offset)
            functions = functions if encoding == 3 else 0
    return code, functions
