#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Captures with stack dumps that can be unwound on every machine.

    skeleton.py FOLDER IN.data OUT.data [IN.data OUT.data]...

- Of each ELF file that the programs ran, FOLDER gets a skeleton: its headers, and
  of its unwinding tables and symbols those for addresses that occur in any sample.
- Mapped files get paths relative to FOLDER's parent, where the conversion has to run.
- Host name and kernel release are replaced, build-ids and the kernel's maps left out.

For captures of one event without kernel samples, in this machine's byte order.
"""
import bisect
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "reader"))
from records import SAMPLE, PerfFile  # noqa: E402

MMAP2, MMAP2_NAME, EXEC, FINISHED_ROUND = 10, 8 + 64, 4, 68
KEPT = {5, 6, 11, 12, 29}  # VERSION ARCH CMDLINE EVENT_DESC CLOCK_DATA
HOSTNAME, OSRELEASE = 3, 4
SECTION = struct.Struct("<IIQQQQIIQQ")
SYMBOL = struct.Struct("<IBBHQQ")
SHT_PROGBITS, SHT_SYMTAB, SHT_STRTAB, SHT_DYNSYM = 1, 2, 3, 11
PT_LOAD, PCREL_SDATA4 = 1, 0x1b


class Elf:
    def __init__(self, path):
        self.raw = path.read_bytes()
        (self.phoff, shoff) = struct.unpack_from("<QQ", self.raw, 32)
        (self.phsize, self.phnum, shsize, shnum, names) = struct.unpack_from("<5H", self.raw, 54)
        self.sections = [list(SECTION.unpack_from(self.raw, shoff + i * shsize))
                         for i in range(shnum)]
        self.names = self.sections[names]
        self.loads = [struct.unpack_from("<QQQQ", self.raw, at + 8) for at in self.headers()
                      if struct.unpack_from("<I", self.raw, at)[0] == PT_LOAD]

    def headers(self):
        return range(self.phoff, self.phoff + self.phnum * self.phsize, self.phsize)

    def text(self, table, at):
        start = table[4] + at
        return self.raw[start:self.raw.index(b"\0", start)]

    def address(self, offset):
        for file_offset, vaddr, _, size in self.loads:
            if file_offset <= offset < file_offset + size:
                return offset - file_offset + vaddr
        return None

    def symbols(self, wanted):
        """Functions that hold an address of the sorted list @wanted."""
        tables = {s[1]: s for s in self.sections if s[1] in (SHT_SYMTAB, SHT_DYNSYM)}
        table = tables.get(SHT_SYMTAB) or tables[SHT_DYNSYM]
        for at in range(table[4], table[4] + table[5], SYMBOL.size):
            name, info, other, section, value, size = SYMBOL.unpack_from(self.raw, at)
            if info & 15 == 2 and section and has_any(wanted, value, value + size):
                yield self.text(self.sections[table[6]], name), info, other, section, value, size

    def frames(self, wanted):
        """.eh_frame: its address, and as much of it as steps from the addresses @wanted."""
        section = next(s for s in self.sections if self.text(self.names, s[0]) == b".eh_frame")
        base, raw = section[3], self.raw[section[4]:section[4] + section[5]]
        out, cies, at = b"", {}, 0
        while at + 8 <= len(raw):
            length, cie = struct.unpack_from("<Ii", raw, at)
            if not length:
                break
            if cie:
                start = base + at + 8 + struct.unpack_from("<i", raw, at + 8)[0]
                size = struct.unpack_from("<I", raw, at + 12)[0]
                if has_any(wanted, start, start + size):
                    of = at + 4 - cie
                    if of not in cies:
                        content = raw[of:of + 4 + struct.unpack_from("<I", raw, of)[0]]
                        # "zR", its encoding last but the instructions: no personality
                        if content[9:12] in (b"zR\0", b"zRS"):
                            cies[of] = len(out)
                            out += content
                    if of in cies:
                        here = len(out)
                        out += struct.pack("<III", length, here + 4 - cies[of],
                                           start - (base + here + 8) & 0xffffffff)
                        out += raw[at + 12:at + 4 + length]
            at += 4 + length
        return base, out + bytes(4)

    def skeleton(self, wanted):
        frames_at, frames = self.frames(wanted)
        strings, table = b"\0", SYMBOL.pack(0, 0, 0, 0, 0, 0)
        for name, *fields in self.symbols(wanted):
            table += SYMBOL.pack(len(strings), *fields)
            strings += name + b"\0"
        names = b"\0.shstrtab\0.eh_frame\0.symtab\0.strtab\0"
        loads = [at for at in self.headers()
                 if struct.unpack_from("<I", self.raw, at)[0] == PT_LOAD]
        headers = b"".join(self.raw[at:at + self.phsize] for at in loads)
        at = 64 + len(headers)
        sections = SECTION.pack(*[0] * 10)
        body = b""
        for name, kind, flags, address, content, link, info, entry in (
                (1, SHT_STRTAB, 0, 0, names, 0, 0, 0),
                (11, SHT_PROGBITS, 2, frames_at, frames, 0, 0, 0),
                (21, SHT_SYMTAB, 0, 0, table, 4, 1, SYMBOL.size),
                (29, SHT_STRTAB, 0, 0, strings, 0, 0, 0)):
            body += bytes(-(at + len(body)) % 8)
            sections += SECTION.pack(name, kind, flags, address, at + len(body), len(content),
                                     link, info, 8, entry)
            body += content
        body += bytes(-(at + len(body)) % 8)
        header = bytearray(self.raw[:64])
        struct.pack_into("<QQ", header, 32, 64, at + len(body))
        struct.pack_into("<5H", header, 54, self.phsize, len(loads), SECTION.size, 5, 1)
        return bytes(header) + headers + body + sections


def has_any(values, start, end):
    at = bisect.bisect_left(values, start)
    return at < len(values) and values[at] < end


def string(text):
    content = text.encode() + b"\0"
    content += bytes(-len(content) % 64)
    return struct.pack("<I", len(content)) + content


def mapping(capture, record):
    start, length, offset = struct.unpack_from("<QQQ", record, 16)
    name = record[MMAP2_NAME:len(record) - capture.trailer_bytes()].rstrip(b"\0").decode()
    return start, length, offset, name


def is_file(name):
    return name.startswith("/") and not name.startswith("//") and not name.endswith(".dump")


def note_addresses(capture, wanted):
    """ELF addresses of each file that any word of a sample points to."""
    maps = []
    for kind, _, record in capture.records():
        if kind == MMAP2 and struct.unpack_from("<I", record, 64)[0] & EXEC:
            maps.append(mapping(capture, record))
    for kind, _, record in capture.records():
        if kind != SAMPLE:
            continue
        for word in set(struct.unpack_from(f"<{len(record) // 8}Q", record)):
            for start, length, offset, name in maps:
                if start <= word < start + length and is_file(name):
                    # a return address's call may be the last instruction of its function
                    wanted.setdefault(name, set()).update(
                        (word - start + offset, word - start + offset - 1))


def moved(capture, misc, record, folder):
    name = mapping(capture, record)[3]
    if is_file(name):
        name = f"{folder}/{name.rsplit('/', 1)[1]}"
    text = name.encode() + b"\0"
    text += bytes(-len(text) % 8)
    body = record[8:MMAP2_NAME] + text + record[len(record) - capture.trailer_bytes():]
    return struct.pack("<IHH", MMAP2, misc, 8 + len(body)) + body


def kept_records(capture, folder):
    for kind, misc, record in capture.records():
        if kind != SAMPLE and misc & 7 == 1 or kind in (1, 17, 18) or (
                kind > 64 and kind != FINISHED_ROUND):
            continue
        if kind == MMAP2:
            if misc & 7 != 2 or not struct.unpack_from("<I", record, 64)[0] & EXEC:
                continue
            record = moved(capture, misc, record, folder)
        yield record


def rewritten(capture, folder):
    data = b"".join(kept_records(capture, folder))
    features = {bit: content for bit, content in capture.features.items() if bit in KEPT}
    features[HOSTNAME] = string("recorder")
    features[OSRELEASE] = string("0.0-recorded")
    head = bytearray(capture.raw[:capture.data_at])
    struct.pack_into("<Q", head, 48, len(data))
    struct.pack_into("<4Q", head, 72, sum(1 << bit for bit in features), 0, 0, 0)
    index, body = b"", b""
    for _, content in sorted(features.items()):
        at = len(head) + len(data) + 16 * len(features) + len(body)
        index += struct.pack("<QQ", at, len(content))
        body += content
    return bytes(head) + data + index + body


def main():
    folder = Path(sys.argv[1])
    pairs = list(zip(sys.argv[2::2], sys.argv[3::2]))
    wanted = {}
    for source, target in pairs:
        capture = PerfFile(Path(source).read_bytes())
        note_addresses(capture, wanted)
        Path(target).write_bytes(rewritten(capture, folder.name))
    folder.mkdir(exist_ok=True)
    for name, offsets in wanted.items():
        elf = Elf(Path(name))
        addresses = sorted({elf.address(offset) for offset in offsets} - {None})
        (folder / name.rsplit("/", 1)[1]).write_bytes(elf.skeleton(addresses))


if __name__ == "__main__":
    main()
