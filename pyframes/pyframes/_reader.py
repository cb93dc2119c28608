# SPDX-License-Identifier: MIT
"""Reads a side file (docs/side-file.md). Trusts nothing in it; knows nothing of output."""

import collections
import struct
import zlib

MAGIC = b"PYFRAMES"
VERSION = 1
HEADER = "8sIIIHHQQ16sQQIIIIQQQI20sQQQQ"
HEADER_FIELDS = (
    "magic version header_bytes byte_order pointer_bytes machine file_bytes used_bytes token "
    "start_ns start_realtime_ns pid outer_pid python_hex state runtime_addr runtime_bytes "
    "eval_addr exe_build_id_bytes exe_build_id dropped_records ring_offset ring_entries ring_head"
)
RECORD_BYTES = 24

Header = collections.namedtuple("Header", HEADER_FIELDS)
Record = collections.namedtuple("Record", "type time_ns fields")
Side = collections.namedtuple("Side", "header records strings steps damage")

TYPES = {
    1: ("string", "I", "id"),
    2: ("arena", "IIQII20sIQQ",
        "id path base slots slot_bytes build_id reserved device inode"),
    3: ("code", "IIIIIIIIQQII",
        "id kind arena slot name file first_line flags code_addr bytecode_addr bytecode_bytes "
        "line_table_bytes"),
    4: ("code_death", "II", "id reserved"),
    5: ("thread", "IIII", "tid outer_tid name flags"),
    6: ("thread_end", "II", "tid reserved"),
    7: ("task", "IIII", "id name coroutine tid"),
    8: ("snapshot", "II", "reason threads"),
    9: ("warning", "II", "length reserved"),
}
STRING_FIELDS = {"path", "name", "file", "coroutine"}


class FormatError(ValueError):
    """The file is no side file, or is cut before its records."""


def _unpack(order, layout, names, data, at, end):
    size = struct.calcsize(order + layout)
    if at + size > end:
        raise FormatError("record at offset %d is too short for its type" % at)
    return dict(zip(names.split(), struct.unpack_from(order + layout, data, at))), at + size


def _take(data, at, count, end):
    if count > end - at:
        raise FormatError("record at offset %d is too short for its content" % at)
    return data[at:at + count]


def _snapshot(order, fields, data, at, end):
    fields["stacks"] = stacks = []
    for _ in range(fields["threads"]):
        thread, at = _unpack(order, "II", "tid frames", data, at, end)
        frames = []
        for _ in range(thread["frames"]):
            frame, at = _unpack(order, "Ii", "code position", data, at, end)
            frames.append(frame)
        stacks.append({"tid": thread["tid"], "frames": frames})


def _payload(order, kind, data, at, end, strings):
    """The fields of one record of a known type."""
    name, layout, names = TYPES[kind]
    if name == "string":
        head, at = _unpack(order, "II", "id length", data, at, end)
        text = _take(data, at, head["length"], end).decode("utf-8", "replace")
        strings[head["id"]] = text
        return {"id": head["id"], "text": text}
    fields, at = _unpack(order, layout, names, data, at, end)
    if name == "code":
        size = fields["bytecode_bytes"]
        fields["bytecode"] = _take(data, at, size, end)
        fields["line_table"] = _take(data, at + (size + 7) // 8 * 8, fields["line_table_bytes"],
                                     end)
    elif name == "warning":
        fields = {"text": _take(data, at, fields["length"], end).decode("utf-8", "replace")}
    elif name == "snapshot":
        _snapshot(order, fields, data, at, end)
    fields.pop("reserved", None)
    for key in STRING_FIELDS & fields.keys():
        fields[key] = strings.get(fields[key], "") if fields[key] else ""
    return fields


def _header(data):
    if len(data) < struct.calcsize("=" + HEADER) or data[:8] != MAGIC:
        raise FormatError("not a pyframes side file")
    order = "<" if data[16:20] == b"\x04\x03\x02\x01" else ">"
    header = Header._make(struct.unpack_from(order + HEADER, data))
    if header.version != VERSION:
        raise FormatError("side file version %d, this reads version %d"
                          % (header.version, VERSION))
    if header.header_bytes > header.used_bytes:
        raise FormatError("side file header is damaged")
    return order, header


def read_header(data):
    """Only the header, from the first bytes of a file."""
    return _header(data)[1]


def _steps(order, header, data):
    """The task ring, oldest first."""
    count = min(header.ring_head, header.ring_entries)
    if not header.ring_offset or header.ring_offset + 16 * header.ring_entries > len(data):
        return []
    steps = []
    for number in range(header.ring_head - count, header.ring_head):
        at = header.ring_offset + 16 * (number % header.ring_entries)
        time, task, tid = struct.unpack_from(order + "QII", data, at)
        steps.append({"time_ns": time >> 1, "end": bool(time & 1), "task": task, "tid": tid})
    return steps


def read(data):
    """Parse a whole file; what is damaged ends the records and is told in .damage."""
    order, header = _header(data)
    records, strings, damage = [], {}, None
    at, used = header.header_bytes, min(header.used_bytes, len(data))
    if header.used_bytes > len(data):
        damage = "the file is cut at offset %d" % len(data)
    while at + RECORD_BYTES <= used:
        size, kind, _, crc, _, time_ns = struct.unpack_from(order + "IHHIIQ", data, at)
        if size < RECORD_BYTES or size % 8 or size > used - at:
            damage = damage or "record at offset %d has an impossible size %d" % (at, size)
            break
        if zlib.crc32(data[at:at + 8] + bytes(4) + data[at + 12:at + size]) != crc:
            damage = "record at offset %d has a wrong checksum" % at
            break
        if kind in TYPES:
            try:
                fields = _payload(order, kind, data, at + RECORD_BYTES, at + size, strings)
            except FormatError as error:
                damage = str(error)
                break
            records.append(Record(TYPES[kind][0], time_ns, fields))
        at += size
    return Side(header, records, strings, _steps(order, header, data), damage)
