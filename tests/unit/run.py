#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Run cmocka test programs and add up what their closing lines say.

    tests/unit/run.py PROGRAM...

The output of a program is shown when a test in it failed or was skipped.
"""
import re
import signal
import subprocess
import sys
from pathlib import Path

LIMIT_S = 300
CLOSING = re.compile(r"^\[  (PASSED|FAILED|SKIPPED) +\] (\d+) test\(s\)", re.MULTILINE)


def run(program):
    """The output of a program and, if it was killed or hung, how it ended."""
    try:
        done = subprocess.run([program], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=LIMIT_S, check=False)
    except subprocess.TimeoutExpired as hung:
        return (hung.stdout or b"").decode(errors="replace"), f"did not end within {LIMIT_S} s"
    text = done.stdout.decode(errors="replace")
    if done.returncode < 0:
        return text, f"was killed by {signal.Signals(-done.returncode).name}"
    counts = closing_counts(text)
    if done.returncode and not counts["FAILED"]:
        return text, f"ended with status {done.returncode}"
    if not sum(counts.values()):
        return text, "ran no test"
    return text, None


def closing_counts(text):
    counts = {"PASSED": 0, "FAILED": 0, "SKIPPED": 0}
    for word, number in CLOSING.findall(text):
        counts[word] += int(number)
    return counts


def main():
    if len(sys.argv) < 2:
        sys.exit("tests/unit: there is no test_*.c to run")
    total = {"PASSED": 0, "FAILED": 0, "SKIPPED": 0}
    for program in sys.argv[1:]:
        text, trouble = run(program)
        counts = closing_counts(text)
        if trouble:
            counts["FAILED"] += 1
        if counts["FAILED"] or counts["SKIPPED"]:
            print(text, end="")
        if trouble:
            print(f"{program} {trouble}")
        print(f"  {Path(program).name:<28} {counts['PASSED']} passed, {counts['FAILED']} failed,"
              f" {counts['SKIPPED']} skipped", flush=True)
        for word, number in counts.items():
            total[word] += number
    print(f"{total['PASSED']} passed, {total['FAILED']} failed, {total['SKIPPED']} skipped")
    sys.exit(1 if total["FAILED"] else 0)


if __name__ == "__main__":
    main()
