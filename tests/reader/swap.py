#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Write a capture as a machine of the other byte order would have written it.

    tests/reader/swap.py IN OUT

Every field by its own width: header, attributes with their bit-field, ids,
records, features.  What is bytes stays bytes: strings, build-ids, and the copies
of stacks, whose words perf does not touch either.  Features that are not in
FEATURES are left out.
"""
import re
import struct
import sys
from pathlib import Path

from records import SAMPLE, TRAILER, PerfFile

FIELD = re.compile(r"field[^:]*:([^;]*);\s*offset:(\d+);\s*size:(\d+);")
READ_TIMES, READ_ID, READ_GROUP, READ_LOST = (1, 2), 4, 8, 16
MISC_BUILD_ID = 1 << 14
# Layouts of the kernel's records: a struct format, then what follows it.
PLAIN = {2: "QQ", 4: "IIIIQ", 5: "QQQ", 6: "QQQ", 7: "IIIIQ", 12: "II", 13: "Q", 14: "", 15: "II"}
NAMED = {1: "IIQQQ", 3: "II", 17: "QIHH", 19: "Q"}
STRINGS = {3, 4, 5, 6, 8, 9}
WORDS = {10, 21, 23}


class Swapper:
    """Walks bytes of this machine's order and writes the other's."""

    def __init__(self, raw):
        self.raw, self.at, self.out = raw, 0, bytearray()

    def left(self):
        return len(self.raw) - self.at

    def fields(self, form):
        """Swap fields of a struct format; their values."""
        values = struct.unpack_from("<" + form, self.raw, self.at)
        self.out += struct.pack(">" + form, *values)
        self.at += struct.calcsize("<" + form)
        return values

    def word(self):
        return self.fields("Q")[0]

    def bytes(self, n):
        self.out += self.raw[self.at:self.at + n]
        self.at += n

    def rest(self):
        self.bytes(self.left())


def swapped_words(raw):
    s = Swapper(raw)
    s.fields(f"{len(raw) // 8}Q")
    s.rest()
    return bytes(s.out)


def swapped_flags(raw):
    """Each byte's bits the other way round: a bit-field begins at the other end."""
    return bytes(int(f"{byte:08b}"[::-1], 2) for byte in raw)


def swapped_attr(raw):
    s = Swapper(raw)
    s.fields("IIQQQQ")
    s.out += swapped_flags(raw[s.at:s.at + 8])
    s.at += 8
    for form in ("IIQQ", "QQIIQ", "IHH", "II", "Q", "Q"):
        if s.left() >= struct.calcsize("<" + form):
            s.fields(form)
    s.rest()
    return bytes(s.out)


def formats_of(tracing):
    """{id: [(declaration, offset, size)]} of a TRACING_DATA section."""
    found = {}
    for part in tracing.decode("latin-1").split("name: ")[1:]:
        number = re.search(r"^ID: (\d+)$", part, re.MULTILINE)
        if number:
            found[int(number.group(1))] = [
                (declaration, int(at), int(size))
                for declaration, at, size in FIELD.findall(part.split("print fmt")[0])]
    return found


def swapped_payload(raw, fields):
    out = bytearray(raw)
    for declaration, at, size in fields:
        count = re.search(r"\[(\d+)\]", declaration)
        width = size // int(count.group(1)) if count and int(count.group(1)) else size
        if width in (2, 4, 8):
            for start in range(at, min(at + size, len(raw) - width + 1), width):
                out[start:start + width] = raw[start:start + width][::-1]
    return bytes(out)


def swap_read(s, form):
    values = s.word() if form & READ_GROUP else 1
    times = sum(bool(form & bit) for bit in READ_TIMES)
    each = 1 + bool(form & READ_ID) + bool(form & READ_LOST)
    s.fields(f"{times + values * each}Q")


def swap_sample(s, attr, formats):
    kind = attr.sample_type
    for bit, form in ((0x10000, "Q"), (1, "Q"), (2, "II"), (4, "Q"), (8, "Q"), (0x40, "Q"),
                      (0x200, "Q"), (0x80, "II"), (0x100, "Q")):
        if kind & bit:
            s.fields(form)
    if kind & 0x10:
        swap_read(s, attr.read_format)
    if kind & 0x20:
        s.fields(f"{s.word()}Q")
    if kind & 0x400:
        size, = s.fields("I")
        payload = s.raw[s.at:s.at + size]
        s.out += swapped_payload(payload, formats.get(attr.config, ()))
        s.at += size
    if kind & 0x800:
        entries = s.word()
        if attr.branch_type & 1 << 17:
            s.word()
        s.fields(f"{3 * entries}Q")
    if kind & 0x1000 and s.word():
        s.fields(f"{bin(attr.regs_user).count('1')}Q")
    if kind & 0x2000:
        size = s.word()
        s.bytes(size)
        if size:
            s.word()
    s.fields(f"{s.left() // 8}Q")


def swap_trailer(s, first):
    for bit, form in TRAILER:
        if first.id_all and first.sample_type & bit:
            s.fields(form)


def swap_kernel_record(s, kind, misc, capture):
    end = len(s.raw) - capture.trailer_bytes()
    if kind in PLAIN:
        s.fields(PLAIN[kind])
    elif kind in NAMED:
        s.fields(NAMED[kind])
    elif kind == 10:
        s.fields("IIQQQ")
        if misc & MISC_BUILD_ID:
            s.bytes(24)
        else:
            s.fields("IIQQ")
        s.fields("II")
    elif kind == 16:
        _, _, count = s.fields("IIQ")
        s.fields(f"{2 * count}Q")
    elif kind == 18:
        s.fields("HHI")
    s.bytes(end - s.at)
    swap_trailer(s, capture.attrs[0])


def swapped_record(kind, misc, raw, capture, formats):
    s = Swapper(raw)
    s.fields("IHH")
    if kind == SAMPLE:
        swap_sample(s, capture.attr_of(raw), formats)
    elif kind < 64:
        swap_kernel_record(s, kind, misc, capture)
    elif kind in (69, 79):
        s.fields(f"{s.left() // 8}Q")
    s.rest()
    return bytes(s.out)


def swap_string(s):
    size, = s.fields("I")
    s.bytes(size)


def swapped_build_ids(raw):
    s = Swapper(raw)
    while s.left() >= 36:
        start = s.at
        _, _, size = s.fields("IHH")
        s.fields("i")
        s.bytes(size - (s.at - start))
    return bytes(s.out)


def swapped_event_desc(raw):
    s = Swapper(raw)
    count, size = s.fields("II")
    for _ in range(count):
        s.out += swapped_attr(s.raw[s.at:s.at + size])
        s.at += size
        ids, = s.fields("I")
        swap_string(s)
        s.fields(f"{ids}Q")
    return bytes(s.out)


def swapped_tracing(raw):
    s = Swapper(raw)
    s.bytes(raw.index(b"\0", 10) + 1)
    s.out += b"\1" if not s.raw[s.at] else b"\0"  # the order of what follows
    s.at += 1
    s.bytes(1)
    s.fields("I")
    for name in (b"header_page\0", b"header_event\0"):
        s.bytes(len(name))
        s.bytes(s.word())
    for _ in range(s.fields("I")[0]):
        s.bytes(s.word())
    for _ in range(s.fields("I")[0]):
        s.bytes(s.raw.index(b"\0", s.at) + 1 - s.at)
        for _ in range(s.fields("I")[0]):
            s.bytes(s.word())
    s.rest()
    return bytes(s.out)


def swapped_cmdline(raw):
    s = Swapper(raw)
    for _ in range(s.fields("I")[0]):
        swap_string(s)
    return bytes(s.out)


def swapped_strings(raw):
    s = Swapper(raw)
    swap_string(s)
    s.rest()
    return bytes(s.out)


def swapped_by(form):
    def swap(raw):
        s = Swapper(raw)
        s.fields(form)
        s.rest()
        return bytes(s.out)
    return swap


FEATURES = {1: swapped_tracing, 2: swapped_build_ids, 7: swapped_by("II"), 11: swapped_cmdline,
            12: swapped_event_desc, 29: swapped_by("IiQQ"),
            **{bit: swapped_strings for bit in STRINGS}, **{bit: swapped_words for bit in WORDS}}


def swapped_file(raw):
    capture = PerfFile(raw)
    formats = formats_of(capture.features.get(1, b""))
    head = bytearray(raw[:capture.data_at])
    head[:104] = swapped_words(bytes(head[:104]))
    for index, attr in enumerate(capture.attrs):
        at = capture.attrs_at + index * capture.attr_bytes
        end = at + len(attr.raw)
        head[at:end] = swapped_attr(attr.raw)
        head[end:end + 16] = swapped_words(raw[end:end + 16])
        ids_end = attr.ids_at + 8 * len(attr.ids)
        head[attr.ids_at:ids_end] = swapped_words(raw[attr.ids_at:ids_end])
    data = b"".join(swapped_record(kind, misc, record, capture, formats)
                    for kind, misc, record in capture.records())
    kept = {bit: FEATURES[bit](content) for bit, content in capture.features.items()
            if bit in FEATURES}
    bits = sum(1 << bit for bit in kept)
    head[72:104] = struct.pack(">4Q", *(bits >> 64 * i & (1 << 64) - 1 for i in range(4)))
    index, body = b"", b""
    for content in kept.values():
        index += struct.pack(">QQ", len(head) + len(data) + 16 * len(kept) + len(body),
                             len(content))
        body += content
    return bytes(head) + data + index + body


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    Path(sys.argv[2]).write_bytes(swapped_file(Path(sys.argv[1]).read_bytes()))


if __name__ == "__main__":
    main()
