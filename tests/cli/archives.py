# SPDX-License-Identifier: GPL-2.0
"""Bundles made by hand, good and bad."""
import json
import struct


def zstd_frame(content):
    """A zstd frame of blocks that are not compressed."""
    frame = struct.pack("<IBB", 0xFD2FB528, 0, 0x38)
    for at in range(0, max(len(content), 1), 1 << 17):
        block = content[at:at + (1 << 17)]
        last = at + (1 << 17) >= len(content)
        frame += struct.pack("<I", len(block) << 3 | last)[:3] + block
    return frame


def tar_block(name, size, kind=b"0", link=b""):
    block = struct.pack("<100s8s8s8s12s12s8s1s100s6s2s247x", name, b"0000600", b"0", b"0",
                        size if isinstance(size, bytes) else b"%011o" % size, b"0", b" " * 8, kind,
                        link, b"ustar", b"00")
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def tar_file(name, content, kind=b"0", link=b""):
    return tar_block(name, len(content), kind, link) + content + bytes(-len(content) % 512)


def manifest(**changes):
    return json.dumps({"format": "perfconv bundle", "version": 1, "name": "perf.data",
                       "machine": "x86_64", "redacted": False, "files": [],
                       "parts": [{"capture": 0, "entry": "capture/0"}], **changes}).encode()


def archive(*entries, end=bytes(1024)):
    return zstd_frame(b"".join(entries) + end)
