#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Run make targets one after the other and add up what they passed and failed.

    tests/check.py --make MAKE --jobs N --build DIR TARGET... -- [NAME=VALUE]...

A check-* target must print the line "N passed, N failed[, N skipped]"; its last
one counts.  One that fails without a failed test, or that passes without having
run any test, is itself a failure; so is one that takes longer than LIMIT_S.  A
lint-* target counts as one test.

The output goes to the terminal and to DIR/check/TARGET.log.  Under sudo only
the targets that record with perf keep the privilege.
"""
import argparse
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

CLOSING = re.compile(r"^(?:\w+: )?(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$")
LIMIT_S = 1200
GRACE_S = 10
PRIVILEGED = {"check-diff", "check-lines", "check-live", "check-pam", "check-report",
              "check-unwind"}
AS_USER = "scripts/as-user.sh"


def closing_counts(lines):
    """The numbers of the last closing line, or None."""
    for line in reversed(lines):
        match = CLOSING.match(line.strip())
        if match:
            return [int(number or 0) for number in match.groups()]
    return None


def judge(target, lines, status, trouble):
    """Passed, failed and skipped tests of a target, and a word on what is odd."""
    if target.startswith("lint-"):
        return [0, 1, 0] if status or trouble else [1, 0, 0], trouble
    counts = closing_counts(lines)
    if counts is None:
        return [0, 1, 0], trouble or "it does not say how many tests passed"
    if not sum(counts):
        return [0, 1, 0], trouble or "it ran no test"
    if (status or trouble) and not counts[1]:
        counts[1] = 1
        return counts, trouble or f"it ended with status {status} though no test failed"
    return counts, trouble


def make_environment():
    """Without what ties a child to the make that runs us."""
    return {name: value for name, value in os.environ.items()
            if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES")}


def copy_lines(source, log_path, lines):
    """Show, log and keep the lines of source until nobody can write to it any more."""
    with open(log_path, "w", encoding="utf-8") as log:
        for line in source:
            sys.stdout.write(line)
            sys.stdout.flush()
            log.write(line)
            lines.append(line)


def stop(child, number):
    """Send a signal to a child and all that it started, and see the child off."""
    os.killpg(child.pid, number)
    try:
        child.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def run(command, log_path):
    """Run a command; its lines, its status, and what else went wrong or None."""
    lines, trouble = [], None
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, env=make_environment(),
                             encoding="utf-8", errors="replace", start_new_session=True)
    copier = threading.Thread(target=copy_lines, args=(child.stdout, log_path, lines),
                              daemon=True)
    copier.start()
    try:
        child.wait(LIMIT_S)
    except subprocess.TimeoutExpired:
        stop(child, signal.SIGTERM)
        trouble = f"it took longer than {LIMIT_S} s"
    except KeyboardInterrupt:
        stop(child, signal.SIGINT)
        raise
    copier.join(GRACE_S)
    if copier.is_alive() and not trouble:
        trouble = "it left a process running"
    return lines, child.returncode, trouble


def parse_arguments():
    own, overrides = sys.argv[1:], []
    if "--" in own:
        cut = own.index("--")
        own, overrides = own[:cut], own[cut + 1:]
    parser = argparse.ArgumentParser()
    parser.add_argument("--make", required=True)
    parser.add_argument("--jobs", required=True)
    parser.add_argument("--build", required=True, type=Path)
    parser.add_argument("targets", nargs="+")
    return parser.parse_args(own), overrides


def main():
    args, overrides = parse_arguments()
    sys.stdout.reconfigure(errors="replace")
    logs = args.build / "check"
    subprocess.run([AS_USER, "--give", args.build], check=True)
    logs.mkdir(parents=True, exist_ok=True)

    rows, totals = [], [0, 0, 0]
    for target in args.targets:
        print(f"\n== {target}", flush=True)
        command = [args.make, "-j", args.jobs, target, *overrides]
        if target not in PRIVILEGED:
            command.insert(0, AS_USER)
        start = time.monotonic()
        counts, trouble = judge(target, *run(command, logs / f"{target}.log"))
        rows.append((target, counts, trouble, time.monotonic() - start))
        totals = [total + count for total, count in zip(totals, counts)]
    subprocess.run([AS_USER, "--give", args.build], check=True)

    print()
    for target, counts, trouble, seconds in rows:
        mark = "FAILED" if counts[1] else "ok"
        line = f"  {mark:<6}  {target:<18} {seconds:6.1f} s  "
        line += "{:4} passed {:3} failed {:3} skipped".format(*counts)
        print(line)
        if counts[1]:
            print(f"          {trouble + ', ' if trouble else ''}see {logs / target}.log")
    print()
    print("{} passed, {} failed, {} skipped".format(*totals))
    sys.exit(1 if totals[1] else 0)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
