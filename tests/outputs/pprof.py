# SPDX-License-Identifier: GPL-2.0
"""A reader of pprof's profile.proto that knows of perfconv only what the file says."""
import gzip
from collections import defaultdict

PROFILE = {1: "sample_type", 2: "sample", 3: "mapping", 4: "location", 5: "function",
           6: "string", 9: "time_nanos", 10: "duration_nanos", 11: "period_type",
           12: "period", 13: "comment", 14: "default_sample_type"}
VARINT, EIGHT_BYTES, LENGTH, FOUR_BYTES = 0, 1, 2, 5


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7f) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def fields(data):
    """(number, value) of each field: an int, or bytes."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        if tag & 7 == VARINT:
            value, at = varint(data, at)
        elif tag & 7 == LENGTH:
            size, at = varint(data, at)
            value = data[at:at + size]
            if len(value) != size:
                raise ValueError("a field ends beyond its message")
            at += size
        else:
            raise ValueError(f"wire type {tag & 7} at {at}")
        yield tag >> 3, value


def message(data):
    """Field number -> list of values."""
    found = defaultdict(list)
    for number, value in fields(data):
        found[number].append(value)
    return found


def numbers(packed):
    values = []
    for data in packed:
        at = 0
        while at < len(data):
            value, at = varint(data, at)
            values.append(value)
    return values


class Pprof:
    """types: (type, unit) of each column; samples: (stack root first, values, labels),
    a stack being (name, file) of each function."""

    def __init__(self, path):
        with gzip.open(path) as file:
            parts = message(file.read())
        by_name = {name: parts[number] for number, name in PROFILE.items()}
        self.strings = [text.decode("utf-8") for text in by_name["string"]]
        if self.strings[0]:
            raise ValueError("the first string is not empty")
        self.types = [self.value_type(data) for data in by_name["sample_type"]]
        self.comments = [self.strings[i] for i in by_name["comment"]]
        self.default = self.strings[(by_name["default_sample_type"] or [0])[0]]
        self.duration = (by_name["duration_nanos"] or [0])[0]
        self.functions = {}
        self.inlined = 0
        for data in by_name["function"]:
            f = message(data)
            self.functions[f[1][0]] = (self.strings[f[2][0]], self.text(f[4]))
        self.mappings = {}
        for data in by_name["mapping"]:
            m = message(data)
            self.mappings[m[1][0]] = (self.text(m[5]), self.text(m[6]))
        self.locations = {}
        for data in by_name["location"]:
            self.add_location(message(data))
        self.samples = [self.sample(message(data)) for data in by_name["sample"]]

    def text(self, values):
        return self.strings[values[0]] if values else ""

    def value_type(self, data):
        m = message(data)
        return self.text(m[1]), self.text(m[2])

    def add_location(self, m):
        number = m[1][0]
        if number in self.locations or not number:
            raise ValueError(f"location {number} is there twice, or 0")
        if m[2] and m[2][0] not in self.mappings:
            raise ValueError(f"location {number} is in no mapping")
        lines = [self.functions[message(line)[1][0]] for line in m[4]]
        self.inlined += len(lines) > 1
        self.locations[number] = lines

    def sample(self, m):
        stack = []
        for number in numbers(m[1]):
            stack.extend(self.locations[number])  # innermost first, in both
        labels = {}
        for data in m[3]:
            label = message(data)
            labels[self.text(label[1])] = (self.text(label[2]) if label[2]
                                           else (label[3] or [0])[0])
        values = numbers(m[2])
        if len(values) != len(self.types):
            raise ValueError("a sample has not a value for each type")
        return stack[::-1], values, labels
