# SPDX-License-Identifier: GPL-2.0
"""What perf could not write: the losses that a perf.data itself tells.

Only the headers of its records are looked at. The kernel tells a loss when it
has room again (LOST, of this or that event), and newer perfs count once more
when the recording ends (LOST_SAMPLES): the larger count is the loss.
"""

import mmap
import struct

MAGIC = b"PERFILE2"
LOST, LOST_SAMPLES = 2, 13
HEADER = struct.Struct("<IHH")


def count_lost(path):
    """Events that a capture says were lost; 0 where it cannot be read."""
    try:
        with open(path, "rb") as stream, mmap.mmap(
                stream.fileno(), 0, prot=mmap.PROT_READ) as data:
            return walk(data)
    except (OSError, ValueError, struct.error):
        return 0


def walk(data):
    """Sum up the losses in the records of a capture of this byte order."""
    if data[:8] != MAGIC:
        return 0
    at, size = struct.unpack_from("<QQ", data, 40)
    end = min(at + size, len(data)) if size else len(data)
    told = counted = 0
    while at + HEADER.size <= end:
        kind, _, length = HEADER.unpack_from(data, at)
        if length < HEADER.size:
            break
        if kind == LOST:
            told += struct.unpack_from("<Q", data, at + 16)[0]
        elif kind == LOST_SAMPLES:
            counted += struct.unpack_from("<Q", data, at + 8)[0]
        at += length
    return max(told, counted)
