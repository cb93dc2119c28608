# SPDX-License-Identifier: GPL-2.0
"""Read the pixels of the PNG files that a browser writes: 8 bits, RGB or RGBA, not interlaced."""
import struct
import zlib


def chunks(png):
    offset = 8
    while offset < len(png):
        size, kind = struct.unpack_from(">I4s", png, offset)
        yield kind, png[offset + 8:offset + 8 + size]
        offset += 12 + size


def unfilter(kind, line, above, width):
    """Undo a PNG row filter in place; width is the bytes of one pixel."""
    for i in range(len(line)):
        left = line[i - width] if i >= width else 0
        up = above[i]
        corner = above[i - width] if i >= width else 0
        if kind == 1:
            guess = left
        elif kind == 2:
            guess = up
        elif kind == 3:
            guess = (left + up) // 2
        else:
            guess = min((left, up, corner), key=lambda value: abs(left + up - corner - value))
        line[i] = (line[i] + guess) & 0xff


def rows(png):
    """The rows of the picture, each a list of (red, green, blue)."""
    data = b""
    for kind, body in chunks(png):
        if kind == b"IHDR":
            columns, _, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", body)
        elif kind == b"IDAT":
            data += body
    if depth != 8 or colour not in (2, 6) or interlace:
        raise ValueError("the picture is not 8 bit RGB or RGBA in one pass")
    width = 3 if colour == 2 else 4
    data = zlib.decompress(data)
    above = bytearray(columns * width)
    for start in range(0, len(data), columns * width + 1):
        line = bytearray(data[start + 1:start + 1 + columns * width])
        if data[start]:
            unfilter(data[start], line, above, width)
        above = line
        yield [tuple(line[i:i + 3]) for i in range(0, len(line), width)]


def colours(png, top):
    """The number of distinct colours below the first `top` rows."""
    seen = set()
    for number, row in enumerate(rows(png)):
        if number >= top:
            seen.update(row)
    return len(seen)
