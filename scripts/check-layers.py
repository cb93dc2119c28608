#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Check that no folder of perfconv/ includes one that stands after it.

    scripts/check-layers.py LAYER...    check perfconv/ below the current folder
    scripts/check-layers.py --self-test

LAYER... are the folders of perfconv/ from the bottom to the top.  A file may
include headers of its own folder and of those before it; main.c, which is in
no folder, may include all.  Every include of ours is written from the
repository's root, so that a reader sees the folder.
"""
import re
import sys
import tempfile
from pathlib import Path

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"')
# Written down once for both sides; the reader of the side file includes it.
SHARED_HEADERS = {"pyframes/src/pyframes_format.h"}


def check_include(where, own_layer, header, layers):
    """What is wrong with a file of own_layer (None: main.c) including header, or None."""
    if header in SHARED_HEADERS:
        return None
    parts = header.split("/")
    if parts[0] != "perfconv" or len(parts) != 3:
        return f'{where}: "{header}" is not written from the root: write "perfconv/FOLDER/NAME.h"'
    layer = parts[1]
    if layer not in layers:
        return f"{where}: perfconv/{layer} is no layer: the Makefile's LAYERS lists them"
    if own_layer is not None and layers.index(layer) > layers.index(own_layer):
        return (f"{where}: {own_layer} includes {header}, but {layer} stands after {own_layer}:"
                f" move what is needed down, or the caller up")
    return None


def check_file(path, root, layers):
    parts = path.relative_to(root / "perfconv").parts
    own_layer = parts[0] if len(parts) > 1 else None
    if own_layer is not None and own_layer not in layers:
        return [f"{path.relative_to(root)}:1: perfconv/{own_layer} is no layer:"
                f" the Makefile's LAYERS lists them"]
    found = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            where = f"{path.relative_to(root)}:{number}"
            found.append(check_include(where, own_layer, match.group(1), layers))
    return [problem for problem in found if problem]


def check_tree(root, layers):
    """The files looked at and a list of what is wrong."""
    files = sorted(path for path in (root / "perfconv").rglob("*.[ch]"))
    return files, [problem for path in files for problem in check_file(path, root, layers)]


def self_test():
    """Plant includes of each kind and see that exactly the bad ones are found."""
    layers = ["base", "store", "cmd"]
    planted = {
        "perfconv/main.c": '#include "perfconv/cmd/cmd.h"\n',
        "perfconv/base/ok.c": '#include <stdio.h>\n#include "perfconv/base/ok.h"\n',
        "perfconv/store/down.c": '#include "perfconv/base/ok.h"\n',
        "perfconv/store/shared.c": '#include "pyframes/src/pyframes_format.h"\n',
        "perfconv/store/up.c": '\n#  include "perfconv/cmd/cmd.h"\n',
        "perfconv/store/relative.c": '#include "up.h"\n',
        "perfconv/store/odd.c": '#include "perfconv/other/x.h"\n',
        "perfconv/other/x.h": "",
    }
    wanted = ["perfconv/other/x.h:1", "perfconv/store/odd.c:1", "perfconv/store/relative.c:1",
              "perfconv/store/up.c:2"]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name, text in planted.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        _, problems = check_tree(root, layers)
    got = sorted(problem.split(": ")[0] for problem in problems)
    if got != wanted:
        sys.exit(f"check-layers: the self-test found {got}, wanted {wanted}")
    print(f"check-layers: the {len(wanted)} planted includes are found, and no other")


def main():
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        return
    layers = sys.argv[1:]
    if len(layers) < 2:
        sys.exit(__doc__)
    files, problems = check_tree(Path.cwd(), layers)
    if not files:
        sys.exit("check-layers: no source below perfconv/: run it from the repository's root")
    print(*problems, sep="\n", end="\n" if problems else "", file=sys.stderr)
    if problems:
        sys.exit(1)
    print(f"check-layers: {len(files)} files, no include goes up")


if __name__ == "__main__":
    main()
