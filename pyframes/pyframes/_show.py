# SPDX-License-Identifier: MIT
"""Prints a side file that _reader has read."""

import base64

from pyframes import _lines

STATES = {1: "active", 2: "stopped"}
REASONS = {1: "start", 2: "stop", 3: "request", 4: "periodic"}
KINDS = {0: "function", 1: "task"}


def _plain(value):
    """Bytes do not fit JSON: ids in hexadecimal, bytecode and line tables in base64."""
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _header(header):
    fields = header._asdict()
    fields["magic"] = header.magic.decode()
    fields["token"] = header.token.hex()
    fields["exe_build_id"] = header.exe_build_id[:header.exe_build_id_bytes].hex()
    fields["python"] = "%d.%d.%d" % tuple(header.python_hex.to_bytes(4, "big")[:3])
    fields["state"] = STATES.get(header.state, header.state)
    return fields


def as_json(side):
    """Everything in the file, as objects that the json module can write."""
    records = []
    for record in side.records:
        fields = dict(record.fields)
        if "build_id" in fields:
            fields["build_id"] = fields["build_id"].hex()
        if record.type == "snapshot":
            fields["reason"] = REASONS.get(fields["reason"], fields["reason"])
        elif record.type == "code":
            fields["kind"] = KINDS.get(fields["kind"], fields["kind"])
        records.append({"type": record.type, "time_ns": record.time_ns,
                        **{key: _plain(value) for key, value in fields.items()}})
    return {"header": _header(side.header), "records": records, "steps": side.steps,
            "damage": side.damage}


def clean(text):
    """Names come from the program: nothing of them may command the terminal."""
    return "".join(c if c.isprintable() else "\\x%02x" % ord(c) for c in str(text))


def _describe(record, codes, python_hex):
    fields = record.fields
    if record.type == "code":
        return ["%(kind)s %(id)d slot %(arena)d:%(slot)d %(name)s %(file)s:%(first_line)d"
                % dict(fields, kind=KINDS.get(fields["kind"]))]
    if record.type == "arena":
        return ["%(id)d base 0x%(base)x, %(slots)d slots, %(path)s" % fields]
    if record.type == "snapshot":
        return _describe_snapshot(fields, codes, python_hex)
    return [" ".join("%s=%s" % item for item in fields.items())]


def _describe_snapshot(fields, codes, python_hex):
    lines = ["%s, %d threads" % (REASONS.get(fields["reason"]), fields["threads"])]
    for stack in fields["stacks"]:
        lines.append("  thread %d" % stack["tid"])
        for frame in stack["frames"]:
            code = codes.get(frame["code"])
            if code is None:
                lines.append("    code %(code)d" % frame)
                continue
            line = _lines.line_at(python_hex, code, frame["position"])
            lines.append("    %s (%s:%d)" % (code["name"], code["file"], line))
    return lines


def write_text(side, out):
    """The file as lines for a person; strings are shown where they are used."""
    header = _header(side.header)
    start = side.header.start_ns
    codes = {}
    out.write("side file of pid %(pid)d (outside: %(outer_pid)d), Python %(python)s, "
              "%(state)s, token %(token)s\n" % header)
    out.write("%d of %d bytes used, %d records dropped\n"
              % (side.header.used_bytes, side.header.file_bytes, side.header.dropped_records))
    for record in side.records:
        if record.type == "string":
            continue
        if record.type == "code":
            codes[record.fields["id"]] = record.fields
        for number, line in enumerate(_describe(record, codes, side.header.python_hex)):
            head = "%+.6f %s" % ((record.time_ns - start) / 1e9, record.type)
            out.write("%-24s %s\n" % ("" if number else head, clean(line)))
    if side.steps:
        out.write("%d task steps kept of %d\n" % (len(side.steps), side.header.ring_head))
    if side.damage:
        out.write("DAMAGED: %s\n" % clean(side.damage))
