# SPDX-License-Identifier: GPL-2.0
"""A reader of the Firefox Profiler's processed format, version 60, that checks each table."""
import json

COLUMNS = {
    "stackTable": ["frame", "prefix"],
    "frameTable": ["address", "inlineDepth", "category", "subcategory", "func", "nativeSymbol",
                   "innerWindowID", "line", "column"],
    "funcTable": ["name", "isJS", "relevantForJS", "resource", "source", "lineNumber",
                  "columnNumber"],
    "resourceTable": ["lib", "name", "host", "type"],
    "nativeSymbols": ["libIndex", "address", "name", "functionSize"],
    "sources": ["uuid", "filename"],
}
SAMPLES = ["stack", "time", "weight"]
MARKERS = ["data", "name", "startTime", "endTime", "phase", "category"]
# column -> the table that its numbers are places in, and what stands for none
REFERENCES = [
    ("stackTable", "frame", "frameTable", ()), ("frameTable", "func", "funcTable", ()),
    ("funcTable", "resource", "resourceTable", (-1,)), ("funcTable", "source", "sources", (None,)),
]


class Wrong(ValueError):
    """The file is not of its format."""


def check_table(name, table, columns):
    for column in columns:
        if len(table[column]) != table["length"]:
            raise Wrong(f"{name}.{column} has {len(table[column])} of {table['length']} rows")


class Firefox:
    """threads: name -> list of (stack root first, weight in ms, marker or not), a stack
    being (name, file) of each function."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.data = json.load(file)
        self.shared = self.data["shared"]
        self.strings = self.shared["stringArray"]
        self.check_shared()
        self.stacks = self.make_stacks()
        self.threads = {}
        for thread in self.data["threads"]:
            self.check_thread(thread)
            samples = thread["samples"]
            self.threads[thread["name"]] = [
                ([] if stack is None else self.stacks[stack], weight)
                for stack, weight in zip(samples["stack"], samples["weight"])]

    def check_shared(self):
        if self.data["meta"]["preprocessedProfileVersion"] != 60:
            raise Wrong("it is not of version 60")
        for name, columns in COLUMNS.items():
            check_table(name, self.shared[name], columns)
        for name, column, other, none in REFERENCES:
            for value in self.shared[name][column]:
                if value not in none and not 0 <= value < self.shared[other]["length"]:
                    raise Wrong(f"{name}.{column} has {value}, which is not in {other}")
        for column in self.shared["funcTable"]["name"] + self.shared["sources"]["filename"]:
            if not 0 <= column < len(self.strings):
                raise Wrong("a name is not in stringArray")
        categories = self.data["meta"]["categories"]
        if not any(c["color"] == "grey" for c in categories):
            raise Wrong("no category is grey")
        for category in self.shared["frameTable"]["category"]:
            if not 0 <= category < len(categories):
                raise Wrong(f"category {category} is not there")

    def check_thread(self, thread):
        check_table("samples", thread["samples"], SAMPLES)
        check_table("markers", thread["markers"], MARKERS)
        times = thread["samples"]["time"]
        if any(a > b for a, b in zip(times, times[1:])):
            raise Wrong(f"times of {thread['name']} go back")
        for start, end in zip(thread["markers"]["startTime"], thread["markers"]["endTime"]):
            if start > end:
                raise Wrong(f"a marker of {thread['name']} ends before it starts")

    def function(self, number):
        table = self.shared["funcTable"]
        source, resource = table["source"][number], table["resource"][number]
        file = ""
        if source is not None:
            file = self.strings[self.shared["sources"]["filename"][source]]
        elif resource != -1:
            file = self.data["libs"][self.shared["resourceTable"]["lib"][resource]]["path"]
        return self.strings[table["name"][number]], file

    def make_stacks(self):
        table, stacks = self.shared["stackTable"], []
        for at, (frame, prefix) in enumerate(zip(table["frame"], table["prefix"])):
            if prefix is not None and not 0 <= prefix < at:
                raise Wrong(f"stack {at} comes before its caller {prefix}")
            own = self.function(self.shared["frameTable"]["func"][frame])
            stacks.append(([] if prefix is None else stacks[prefix]) + [own])
        return stacks

    def category(self, name):
        """The functions that have frames of a category."""
        number = [c["name"] for c in self.data["meta"]["categories"]].index(name)
        table = self.shared["frameTable"]
        return {self.function(func)[0] for func, category in zip(table["func"], table["category"])
                if category == number}
