# SPDX-License-Identifier: MIT
"""Finds the files that processes have left behind."""

import glob
import os
import re


NAME = re.compile(r"pyframes-([0-9a-f]{32})(?:\.side|-\d+\.(?:so|names))$")


def _mapped_tokens():
    """Tokens of files that some process has mapped; of processes that we may look at."""
    tokens = set()
    for path in glob.glob("/proc/[0-9]*/maps"):
        try:
            with open(path, errors="replace") as file:
                tokens.update(re.findall(r"pyframes-([0-9a-f]{32})", file.read()))
        except OSError:
            continue
    return tokens


def dead_files(directory=None):
    """Side files, arenas and agent files in the private directory that no process uses."""
    directory = directory or os.environ.get("PYFRAMES_DIR") or "/tmp/pyframes-%d" % os.geteuid()
    mapped = _mapped_tokens()
    dead = []
    for path in sorted(glob.glob(os.path.join(glob.escape(directory), "pyframes-*"))):
        found = NAME.search(path)
        agent = re.search(r"pyframes-agent-(\d+)", path)
        if found and found.group(1) not in mapped:
            dead.append(path)
        elif agent and not os.path.exists("/proc/%s" % agent.group(1)):
            dead.append(path)
    return dead
