# SPDX-License-Identifier: GPL-2.0
"""A program to record: four threads that parse, compress, sort and call deeply.

    workload.py SECONDS
"""
import json
import sys
import threading
import time
import zlib

DOCUMENT = {"rows": [{"id": i, "name": f"row {i}", "values": list(range(i % 17))}
                     for i in range(200)]}


def parse_documents():
    return json.loads(json.dumps(DOCUMENT))


def compress_documents():
    return zlib.compress(json.dumps(DOCUMENT).encode(), 6)


def sort_rows():
    return sorted(DOCUMENT["rows"], key=lambda row: row["name"][::-1])


def descend(depth):
    if depth == 0:
        return sum(i * i for i in range(200))
    return descend(depth - 1)


def call_deeply():
    return descend(60)


def repeat(function, end):
    while time.monotonic() < end:
        function()


def main():
    end = time.monotonic() + float(sys.argv[1])
    threads = [threading.Thread(target=repeat, args=(function, end), name=function.__name__)
               for function in (parse_documents, compress_documents, sort_rows, call_deeply)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
