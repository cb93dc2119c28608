# SPDX-License-Identifier: GPL-2.0
"""Compressed captures made of plain ones: COMPRESSED and COMPRESSED2, in both byte
orders, in files and as pipes carry them; and a bomb.

The records are one zstd stream, cut without regard to where records begin.
"""
import os
import shutil
import struct
import subprocess
import time

from records import PerfFile
from swap import FEATURES, swapped_attr, swapped_file, swapped_words

COMPRESSED, COMPRESSED2 = 81, 83
HEADER_ATTR, HEADER_TRACING_DATA, HEADER_FEATURE = 64, 66, 80
TRACING_DATA = 1
PIECE = 3001  # an odd number, smaller than many a record
BOMB_BLOCKS, BLOCK_BYTES, PER_RECORD = 81920, 1 << 17, 16000
BOMB_PEAK_MB, BOMB_S = 200, 20
SOURCES = ("good-fp.data", "good-dwarf.data", "good-tracepoints.data")


def zstd(raw):
    return subprocess.run(["zstd", "-q", "-c"], input=raw, capture_output=True, check=True).stdout


def framed(order, kind, payload):
    return struct.pack(order + "IHH", kind, 0, 8 + len(payload)) + payload


def compressed(order, records, kind):
    stream, out = zstd(records), b""
    for at in range(0, len(stream), PIECE):
        piece = stream[at:at + PIECE]
        if kind == COMPRESSED2:
            size = len(piece)
            piece = struct.pack(order + "Q", size) + piece + bytes(-size % 8)
        out += framed(order, kind, piece)
    return out


def records_of(raw, order):
    at, size = struct.unpack_from(order + "QQ", raw, 40)
    return raw[at:at + size]


def as_file(raw, order, kind):
    """The capture with its records compressed; header features are left out."""
    at, = struct.unpack_from(order + "Q", raw, 40)
    data = compressed(order, records_of(raw, order), kind)
    head = bytearray(raw[:at])
    struct.pack_into(order + "Q", head, 48, len(data))
    struct.pack_into(order + "4Q", head, 72, 0, 0, 0, 0)
    return bytes(head) + data


def as_pipe(raw, order, kind):
    """As perf record -o - would have written the capture, with kind compressed."""
    native, swapped = PerfFile(raw), order == ">"
    whole = swapped_file(raw) if swapped else raw
    out = (b"2ELIFREP" if swapped else b"PERFILE2") + struct.pack(order + "Q", 16)
    for attr in native.attrs:
        ids = struct.pack(f"<{len(attr.ids)}Q", *attr.ids)
        out += framed(order, HEADER_ATTR, swapped_attr(attr.raw) + swapped_words(ids) if swapped
                      else attr.raw + ids)
    for bit, content in native.features.items():
        if bit not in FEATURES:
            continue
        content = FEATURES[bit](content) if swapped else content
        if bit == TRACING_DATA:
            out += framed(order, HEADER_TRACING_DATA, struct.pack(order + "I", len(content)))
            out += content + bytes(-len(content) % 8)
        elif len(content) < 60000:
            out += framed(order, HEADER_FEATURE, struct.pack(order + "Q", bit) + content)
    records = records_of(whole, order)
    return out + (compressed(order, records, kind) if kind else records)


def bomb(raw):
    """10 GiB of zeros in 330 KB: zstd frames of run-length blocks."""
    at, = struct.unpack_from("<Q", raw, 40)
    block = ((BLOCK_BYTES << 3) | 1 << 1).to_bytes(3, "little") + b"\0"
    frame = b"\x28\xb5\x2f\xfd\0\x38"
    data = b"".join(framed("<", COMPRESSED, (frame if not n else b"") + block * PER_RECORD)
                    for n in range(BOMB_BLOCKS // PER_RECORD + 1))
    head = bytearray(raw[:at])
    struct.pack_into("<Q", head, 48, len(data))
    struct.pack_into("<4Q", head, 72, 0, 0, 0, 0)
    return bytes(head) + data


def forms(raw):
    for order, name in (("<", ""), (">", " swapped")):
        whole = raw if order == "<" else swapped_file(raw)
        for kind in (COMPRESSED, COMPRESSED2):
            yield f"of type {kind}{name}", as_file(whole, order, kind)
            yield f"of type {kind} through a pipe{name}", as_pipe(raw, order, kind)
        yield f"plain through a pipe{name}", as_pipe(raw, order, None)


def counts(info):
    """Without the names of events, which only features tell."""
    return [(t["pid"], t["tid"], t["name"], list(t["samples"].values())) for t in info["threads"]]


def check_bomb(tally, work, perfconv, raw):
    path = work / "bomb.data"
    path.write_bytes(bomb(raw))
    out, begin = work / "bomb.json", time.monotonic()
    with open(work / "bomb.words", "w+", encoding="utf-8") as words:
        child = subprocess.Popen([perfconv, "convert", "-q", "-i", str(path), "-o", str(out)],
                                 stdin=subprocess.DEVNULL, stderr=words)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        words.seek(0)
        said = words.read()
    peak, took = usage.ru_maxrss / 1024, time.monotonic() - begin
    tally.check("a zstd bomb", None if child.returncode == 0 and peak < BOMB_PEAK_MB
                and took < BOMB_S and "cannot be read on from offset" in said
                else f"status {child.returncode}, {peak:.0f} MB, {took:.1f} s: {said}")


def check(tally, work, files, perfconv, info_of):
    if not shutil.which("zstd"):
        tally.skip("compressed captures", "zstd is not installed")
        return
    path = work / "compressed.data"
    for source in SOURCES:
        raw = (files / source).read_bytes()
        expected = info_of(files / source)
        for form, content in forms(raw):
            path.write_bytes(content)
            try:
                info = info_of(path)
            except ValueError as error:
                tally.check(f"{source} {form}", str(error))
                continue
            bad = {key: info["quality"][key] for key in ("badRecords", "cut", "unknownEventIds")}
            tally.check(f"{source} {form}", None if counts(info) == counts(expected)
                        and not any(bad.values()) else f"{bad}, {counts(info)}")
    check_bomb(tally, work, perfconv, (files / SOURCES[0]).read_bytes())
