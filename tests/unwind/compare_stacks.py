#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The same frames as eu-stack's or gdb's, of native programs stopped at random.

    tests/unwind/compare_stacks.py [--stops N] [--keep DIR] [PROGRAM...]

Each program (c, c++, rust, python, pyframes; all by default) is stopped N times
by SIGSTOP.  While it stands still, its registers and 64,000 bytes of its stack
are taken as perf would take them and written, with its mappings, into a
capture; eu-stack (gdb for pyframes) unwinds the live process.  Then perfconv's unwinder reads the
capture, and the addresses are compared.  A stack that is deeper than the copy
is compared as far as the copy goes.
"""
import argparse
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
STACK_BYTES = 64000
REGS, SP_AT, IP_AT = 20, 7, 8
LIMIT_S = 60
ARCH, OS_RELEASE = 6, 4

sys.path[:0] = [str(HERE.parent), str(HERE.parent / "reader")]
from perffile import IP, REGS_USER, STACK_USER, TID, TIME, X86_64_REGS, Capture, Event  # noqa: E402
from suite import PERFCONV, ROOT, interpreters_of  # noqa: E402
import venvs  # noqa: E402


class Missing(Exception):
    """What a program needs and this machine lacks."""


def run(command, **more):
    done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                          timeout=LIMIT_S * 4, **more)
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with status {done.returncode}: "
                           + done.stderr.decode(errors="replace")[-800:])
    return done.stdout


def compiled(folder, compiler, source, *flags):
    if not shutil.which(compiler):
        raise Missing(f"{compiler} is not installed")
    program = folder / source.replace(".", "-")
    if not program.exists():
        run([compiler, "-o", program, HERE / "programs" / source, *flags])
    return program


def build_tools(folder):
    tools = folder / "take_stack", folder / "stacks"
    run(["cc", "-D_GNU_SOURCE", "-O2", "-o", tools[0], HERE / "take_stack.c"])
    run([ROOT / "tests" / "bench" / "build.sh", PERFCONV, HERE / "stacks.c", tools[1]])
    return tools


def python_command(folder, pyframes):
    pythons = interpreters_of(11)
    if not pythons:
        raise Missing("there is no CPython 3.11")
    program = ROOT / "tests" / "bench" / "workload.py"
    if not pyframes:
        return [pythons[-1], program, "3600"], {}
    side = folder / "side"
    side.mkdir(mode=0o700, exist_ok=True)
    return [venvs.make(pythons[-1], "unwind"), program, "3600"], {
        "PYFRAMES": "1", "PYFRAMES_DIR": str(side)}


def command_of(name, folder):
    if name == "c":
        return [compiled(folder, "gcc", "deep.c", "-O2", "-lm", "-fno-builtin")], {}
    if name == "c++":
        return [compiled(folder, "g++", "objects.cpp", "-O2")], {}
    if name == "rust":
        return [compiled(folder, "rustc", "boxes.rs", "-O")], {}
    return python_command(folder, name == "pyframes")


def state_of(task):
    return (task / "stat").read_text().rsplit(")", 1)[1].split()[0]


def wait_until(condition, what):
    end = time.monotonic() + LIMIT_S
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"waited {LIMIT_S} s for {what}")
        time.sleep(0.0005)


def stop(pid):
    os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: all(state_of(task) == "T" for task in Path(f"/proc/{pid}/task").iterdir()),
               "the program to stand still")


def add_maps(capture, pid, known):
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        fields = line.split(None, 5)
        if line in known or fields[1][2] != "x" or len(fields) < 6:
            continue
        known.add(line)
        start, end = (int(part, 16) for part in fields[0].split("-"))
        capture.mmap2(fields[5], start, end - start, offset=int(fields[2], 16), pid=pid)


def take(tool, capture, pid, tid, number):
    """A sample of a stopped thread."""
    raw = run([tool, pid, tid, STACK_BYTES])
    regs = struct.unpack_from(f"<{REGS}Q", raw)
    stack = raw[8 * REGS:]
    capture.sample(number, pid=pid, tid=tid, ip=regs[IP_AT], regs=regs,
                   stack=stack[:len(stack) // 8 * 8])


def stack_by_eu_stack(pid, tid):
    """Addresses and names of a thread's frames, leaf first."""
    environment = {k: v for k, v in os.environ.items() if k != "DEBUGINFOD_URLS"}
    done = subprocess.run(["eu-stack", "-n", "0", "-p", str(pid)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=LIMIT_S, check=False,
                          env=environment)
    frames, mine = [], False
    for line in done.stdout.splitlines():
        if line.startswith("TID "):
            mine = line == f"TID {tid}:"
        elif mine and line.startswith("#"):
            fields = line.split()
            frames.append((int(fields[1], 16), " ".join(fields[2:]).lstrip("- ") or "?"))
    if not frames:
        raise RuntimeError(f"eu-stack says: {done.stderr.strip()}")
    return frames


def stack_by_gdb(_, tid):
    """The same; gdb attaches to one thread's process and selects that thread."""
    out = run(["gdb", "-nx", "-batch", "-p", tid, "-x", HERE / "gdb_stack.py"])
    return [(int(address, 16), name) for address, name in
            (line.split(None, 2)[1:] for line in out.decode().splitlines()
             if line.startswith("FRAME "))]


def live_stack(name, pid, tid):
    """elfutils 0.188 refuses a process that maps one file under two names, as pyframes does."""
    return (stack_by_gdb if name == "pyframes" else stack_by_eu_stack)(pid, tid)


def record(name, folder, stops, chance):
    """A capture of a program and what eu-stack said at each stop."""
    command, environment = command_of(name, folder)
    capture = Capture(Event(IP | TID | TIME | REGS_USER | STACK_USER, regs=X86_64_REGS,
                            stack=STACK_BYTES))
    capture.features = {ARCH: capture.header_string("x86_64"),
                        OS_RELEASE: capture.header_string(os.uname().release)}
    lives, known = [], set()
    child = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, env={**os.environ, **environment})
    try:
        # The first ticks are the loader's and the interpreter's start.
        wait_until(lambda: cpu_ticks(child.pid) > 20, "the program to run")
        for number in range(1, stops + 1):
            time.sleep(chance.uniform(0.0005, 0.02))
            stop(child.pid)
            tid = chance.choice(sorted(int(t) for t in os.listdir(f"/proc/{child.pid}/task")))
            add_maps(capture, child.pid, known)
            take(folder / "take_stack", capture, child.pid, tid, number)
            lives.append(live_stack(name, child.pid, tid))
            os.kill(child.pid, signal.SIGCONT)
    finally:
        child.kill()
        child.wait()
    path = folder / f"{name}.data"
    path.write_bytes(capture.file())
    return path, lives


def cpu_ticks(pid):
    return sum(int(n) for n in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13])


def our_stacks(folder, path):
    lines = run([folder / "stacks", path]).decode().splitlines()
    return [(ending, [int(ip, 16) for ip in ips]) for _, ending, *ips in map(str.split, lines)]


def verdict(ending, ours, theirs):
    """How a stack compares: equal, cut (equal as far as the copy goes), longer, shorter or other."""
    addresses = [address for address, _ in theirs]
    if ours == addresses:
        return "equal"
    if ending == "truncated" and ours == addresses[:len(ours)]:
        return "cut"
    if addresses == ours[:len(addresses)]:
        return "longer"
    return "shorter" if ours == addresses[:len(ours)] else "other"


def show_difference(number, ending, ours, theirs):
    print(f"    stop {number}, {ending}:")
    for at in range(max(len(ours), len(theirs))):
        mine = f"{ours[at]:x}" if at < len(ours) else "-"
        live, name = (f"{theirs[at][0]:x}", theirs[at][1]) if at < len(theirs) else ("-", "")
        if mine != live or at < 2:
            print(f"      #{at:<3} {mine:>16} {live:>16} {name}")


def compare(name, folder, stops, chance):
    """Counts by verdict of a program's stacks; those not equal are shown."""
    path, lives = record(name, folder, stops, chance)
    counts = {}
    frames = 0
    for number, ((ending, ours), theirs) in enumerate(zip(our_stacks(folder, path), lives), 1):
        word = verdict(ending, ours, theirs)
        counts[word] = counts.get(word, 0) + 1
        frames += len(ours)
        if word not in ("equal", "cut"):
            show_difference(number, ending, ours, theirs)
    print(f"  {name}: {stops} stops, {frames} frames: "
          + ", ".join(f"{word} {n}" for word, n in sorted(counts.items())), flush=True)
    return counts


def compare_all(names, stops, folder, seed):
    """{program: counts}, or {program: why it was not run}."""
    build_tools(folder)
    chance, results = random.Random(seed), {}
    for name in names:
        try:
            results[name] = compare(name, folder, stops, chance)
        except Missing as reason:
            results[name] = str(reason)
            print(f"  {name}: skipped: {reason}")
    return results


PROGRAMS = "c", "c++", "rust", "python", "pyframes"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--stops", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave captures and programs there")
    parser.add_argument("programs", nargs="*", default=PROGRAMS)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="perfconv-stacks-") as scratch:
        folder = args.keep or Path(scratch)
        folder.mkdir(exist_ok=True)
        results = compare_all(args.programs, args.stops, folder, args.seed)
    differ = sum(n for counts in results.values() if isinstance(counts, dict)
                 for word, n in counts.items() if word in ("shorter", "other"))
    sys.exit(1 if differ else 0)


if __name__ == "__main__":
    main()
