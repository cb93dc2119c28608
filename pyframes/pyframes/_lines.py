# SPDX-License-Identifier: MIT
"""Line tables of CPython 3.9 to 3.13: from a position in the bytecode to a line."""


def line_at(python_hex, code, position):
    """The line of the instruction at a byte offset; the first line where it is not known."""
    version = python_hex >> 16
    if version >= 0x030B:
        ranges = _location_ranges(code["line_table"], code["first_line"])
    elif version == 0x030A:
        ranges = _linetable_ranges(code["line_table"], code["first_line"])
    else:
        ranges = _lnotab_ranges(code["line_table"], code["first_line"], code["bytecode_bytes"])
    for start, end, line in ranges:
        if start <= position < end and line is not None:
            return line
    return code["first_line"]


def _signed(byte):
    return byte - 256 if byte > 127 else byte


def _lnotab_ranges(table, line, code_bytes):
    start = end = 0
    for at in range(0, len(table) - 1, 2):
        if table[at]:
            end = start + table[at]
            yield start, end, line
            start = end
        line += _signed(table[at + 1])
    yield start, code_bytes, line


def _linetable_ranges(table, line):
    start = 0
    for at in range(0, len(table) - 1, 2):
        delta = _signed(table[at + 1])
        if delta != -128:
            line += delta
        yield start, start + table[at], None if delta == -128 else line
        start += table[at]


def _location_ranges(table, line):
    """3.11+: entries of a kind, a length in code units and, by kind, varints."""
    at = start = 0
    while at < len(table):
        kind, units = table[at] >> 3 & 15, (table[at] & 7) + 1
        if kind in (13, 14):
            line += _signed_varint(table, at + 1)
        elif kind in (10, 11, 12):
            line += kind - 10
        yield start, start + 2 * units, None if kind == 15 else line
        start += 2 * units
        at += 1
        while at < len(table) and not table[at] & 0x80:
            at += 1


def _signed_varint(table, at):
    value = shift = 0
    while at < len(table):
        value |= (table[at] & 63) << shift
        shift += 6
        if not table[at] & 64:
            break
        at += 1
    return -(value >> 1) if value & 1 else value >> 1
