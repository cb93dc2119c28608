# SPDX-License-Identifier: GPL-2.0
"""A perf.data file taken apart: header, attrs, raw records, feature sections.

For tools that change captures; of well-formed files in this machine's order only.
"""
import struct
from dataclasses import dataclass

HEADER_BYTES = 104
ATTR = struct.Struct("<IIQQQQQIIQQQQIiQ")  # up to sample_regs_intr
SAMPLE, AUXTRACE, TRACING = 9, 71, 66
# Words of a SAMPLE in front of its time, and fields of the other records' trailer.
BEFORE_TIME = (0x10000, 1, 2)
TRAILER = ((2, "II"), (4, "Q"), (0x40, "Q"), (0x200, "Q"), (0x80, "II"), (0x10000, "Q"))


@dataclass
class Attr:
    """The part of an event's attributes that gives its samples their layout."""
    raw: bytes
    ids: list
    ids_at: int

    def __post_init__(self):
        (self.kind, _, self.config, _, self.sample_type, self.read_format, self.flags, _, _, _, _,
         self.branch_type, self.regs_user, _, _, self.regs_intr) = ATTR.unpack_from(
             self.raw.ljust(ATTR.size, b"\0"))

    @property
    def id_all(self):
        return bool(self.flags >> 18 & 1)


class PerfFile:
    """Attributes: raw, attr_bytes, attrs, data_at, data_end, features {bit: bytes}."""

    def __init__(self, raw):
        self.raw = bytes(raw)
        if self.raw[:8] != b"PERFILE2":
            raise ValueError("no perf.data file of this machine's byte order")
        (self.header_bytes, self.attr_bytes, attrs_at, attrs_bytes, self.data_at, data_bytes,
         _, _, *bits) = struct.unpack_from("<12Q", self.raw, 8)
        if self.header_bytes != HEADER_BYTES:
            raise ValueError("a capture for a pipe")
        self.data_end = self.data_at + data_bytes
        self.attrs_at = attrs_at
        self.attrs = [self.read_attr(at)
                      for at in range(attrs_at, attrs_at + attrs_bytes, self.attr_bytes)]
        self.features, at = {}, self.data_end
        for bit in range(256):
            if bits[bit // 64] >> bit % 64 & 1:
                where, size = struct.unpack_from("<QQ", self.raw, at)
                self.features[bit] = self.raw[where:where + size]
                at += 16
        self.by_id = {number: attr for attr in self.attrs for number in attr.ids}

    def read_attr(self, at):
        raw = self.raw[at:at + self.attr_bytes]
        ids_at, ids_bytes = struct.unpack_from("<QQ", raw, self.attr_bytes - 16)
        ids = struct.unpack_from(f"<{ids_bytes // 8}Q", self.raw, ids_at)
        return Attr(raw[:-16], list(ids), ids_at)

    def records(self):
        """(type, misc, whole record) one after the other; payloads behind them are left out."""
        at = self.data_at
        while at + 8 <= self.data_end:
            kind, misc, size = struct.unpack_from("<IHH", self.raw, at)
            yield kind, misc, self.raw[at:at + size]
            if kind == AUXTRACE:
                size += struct.unpack_from("<Q", self.raw, at + 8)[0]
            at += size

    def attr_of(self, record):
        """The attributes a SAMPLE follows."""
        first = self.attrs[0]
        if len(self.attrs) == 1 or not first.sample_type & 0x10040:
            return first
        words = 0
        if not first.sample_type & 0x10000:
            words = bin(first.sample_type & (1 | 2 | 4 | 8)).count("1")
        return self.by_id[struct.unpack_from("<Q", record, 8 + 8 * words)[0]]

    def trailer_bytes(self):
        first = self.attrs[0]
        return 8 * sum(bool(first.sample_type & bit) for bit, _ in TRAILER) if first.id_all else 0

    def time_at(self, kind, record):
        """Offset of the time in a record, or None."""
        attr = self.attr_of(record) if kind == SAMPLE else self.attrs[0]
        if not attr.sample_type & 4 or kind >= 64:
            return None
        if kind == SAMPLE:
            return 8 + 8 * sum(bool(attr.sample_type & bit) for bit in BEFORE_TIME)
        if not self.trailer_bytes():
            return None
        return len(record) - self.trailer_bytes() + 8 * bool(attr.sample_type & 2)
