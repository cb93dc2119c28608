#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Unwinding where it is hard: CFI in other files, PLTs, the vdso, signals, and programs
stopped at random, against eu-stack and gdb.

    tests/unwind/run.py [--stops N]

Needs perf with the right to record; what else is missing skips a test, with the reason.
"""
import argparse
import collections
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import compare_stacks
from compare_stacks import HERE, PERFCONV, Missing, run
from suite import BUILD, ROOT, perf_trouble

SECONDS = "0.6"
LEAST_SAMPLES = 30
HZ = 499
LEAST_COMPLETE = 0.99
# The C library, which waits for locks, keeps no frame pointers; the loader neither.
LEAST_CHAINS = 0.9
BARE = ["-O2", "-fomit-frame-pointer", "-fno-asynchronous-unwind-tables"]


class Wrong(Exception):
    """What a test found that should not be."""


def need(condition, words):
    if not condition:
        raise Wrong(words)


def build(folder, name, *flags):
    """chain.c with the flags given, and the library it calls."""
    for tool in "gcc", "objcopy", "strip":
        if not shutil.which(tool):
            raise Missing(f"{tool} is not installed")
    library, program = folder / "libcallee.so", folder / name
    if not library.exists():
        run(["gcc", "-O2", "-shared", "-fPIC", "-o", library, HERE / "programs" / "chain_callee.c"])
    run(["gcc", "-o", program, HERE / "programs" / "chain.c", *flags, library,
         f"-Wl,-rpath,{folder}"])
    return program


def record(folder, program, how):
    capture = folder / f"{program.name}-{how}.data"
    run(["perf", "record", "-q", "-N", "-e", "cpu-clock", "-F", str(HZ), "-k", "CLOCK_MONOTONIC",
         "--call-graph", "dwarf,16384", "-o", capture, "--", program, how, SECONDS])
    return capture


def stacks_of(capture, home=None):
    """The capture's stacks, root first, with how many samples had each; and its quality."""
    environment = {**os.environ, "HOME": str(home or capture.parent)}
    out = run([PERFCONV, "convert", "-q", "-i", capture, "-o", "-", "--frames", "all"],
              env=environment)
    profile = json.loads(out)
    names = [frame["name"] for frame in profile["shared"]["frames"]]
    weights = collections.Counter()
    for one in profile["profiles"]:
        if "tid" not in one["perfconv"]:
            continue  # the sum over all threads
        for stack, weight in zip(one["samples"], one["weights"]):
            if stack:  # equal neighbours are one
                weights[tuple(names[i] for i in stack)] += weight
    stacks = {stack: max(1, round(weight * HZ / 1e9)) for stack, weight in weights.items()}
    return stacks, profile["perfconv"]["quality"]["stacks"]


def share_complete(quality):
    n = quality["complete"] + quality["truncated"] + quality["lost"]
    need(n >= LEAST_SAMPLES, f"only {n} samples")
    return quality["complete"] / n


def has_in_order(stack, wanted):
    rest = iter(stack)
    return all(name in rest for name in wanted)


def need_complete(quality):
    share = share_complete(quality)
    need(share >= LEAST_COMPLETE, f"{100 * share:.1f} % complete: {quality}")


def need_stacks(stacks, wanted, least=1):
    found = sum(n for stack, n in stacks.items() if has_in_order(stack, wanted))
    need(found >= least, f"{found} stacks have {' > '.join(wanted)}, not {least}; "
                         f"the first is {' > '.join(next(iter(stacks), ()))}")


CHAIN = ["main", "outer", "middle", "inner"]


def test_debug_frame_in_the_file(folder):
    program = build(folder, "own", *BARE, "-g")
    stacks, quality = stacks_of(record(folder, program, "compute"))
    need_complete(quality)
    need_stacks(stacks, [*CHAIN, "spin"], LEAST_SAMPLES)


def stripped(folder, name, link):
    program, debug = build(folder, name, *BARE, "-g"), folder / f"{name}.debug"
    run(["objcopy", "--only-keep-debug", program, debug])
    run(["strip", "--strip-debug", program])
    if link:
        run(["objcopy", f"--add-gnu-debuglink={debug}", program])
    return program, debug


def test_debug_frame_beside_the_file(folder):
    program, debug = stripped(folder, "linked", link=True)
    capture = record(folder, program, "compute")
    stacks, quality = stacks_of(capture)
    need_complete(quality)
    need_stacks(stacks, [*CHAIN, "spin"], LEAST_SAMPLES)
    with open(debug, "ab") as file:
        file.write(b"changed")
    share = share_complete(stacks_of(capture)[1])
    need(share < 0.5, f"a file with another checksum was believed: {100 * share:.1f} % complete")


def test_debug_frame_in_the_build_id_cache(folder):
    program, debug = stripped(folder, "cached", link=False)
    capture = record(folder, program, "compute")
    share = share_complete(stacks_of(capture)[1])
    need(share < 0.5, f"{100 * share:.1f} % complete without any CFI: the test shows nothing")
    notes = run(["readelf", "-n", program]).decode()
    build_id = notes.split("Build ID:")[1].split()[0]
    home = folder / "home"
    cache = home / ".debug" / ".build-id" / build_id[:2] / build_id[2:]
    cache.mkdir(parents=True)
    debug.rename(cache / "debug")
    need_complete(stacks_of(capture, home)[1])


def test_plt(folder):
    """With the linker's CFI, and as other linkers write a PLT, without."""
    for name, flags in (("plt", []), ("plt-bare", ["-Wl,--no-ld-generated-unwind-info"])):
        program = build(folder, name, "-O2", "-fplt", "-Wl,-z,lazy", *flags)
        stacks, quality = stacks_of(record(folder, program, "plt"))
        need_complete(quality)
        need_stacks(stacks, [*CHAIN, "call_much"], LEAST_SAMPLES)
        leaves = {stack[-1] for stack in stacks}
        need(len(leaves) > 1, f"no sample lies in the PLT: {leaves}")


def test_vdso(folder):
    stacks, quality = stacks_of(record(folder, build(folder, "time", "-O2"), "vdso"))
    need_complete(quality)
    need_stacks(stacks, [*CHAIN, "ask_the_time"], LEAST_SAMPLES)
    need(any("vdso" in frame for stack in stacks for frame in stack), "no sample lies in the vdso")


def test_signal_handler(folder):
    stacks, quality = stacks_of(record(folder, build(folder, "signal", "-O2"), "signal"))
    need_complete(quality)
    need_stacks(stacks, [*CHAIN, "spin", "handler", "spin"], LEAST_SAMPLES)


def test_signal_handler_on_a_stack_of_its_own(folder):
    """The copy holds only the handler's stack: what is there is shown, and not called complete."""
    stacks, quality = stacks_of(record(folder, build(folder, "altstack", "-O2"), "altstack"))
    need_stacks(stacks, ["handler", "spin"])
    # What it interrupted is known by address, so that other samples may complete it.
    need(quality["truncated"] + quality.get("stitched", 0) >= LEAST_SAMPLES, f"few samples in the handler, or none cut: {quality}")
    # While the kernel brings registers back, those of a sample are of two places.
    returning = sum(n for stack, n in stacks.items()
                    if stack[0] == "[stack cut]" and any("rt_sigreturn" in f for f in stack))
    need(quality["complete"] >= LEAST_SAMPLES and quality["lost"] <= returning,
         f"{returning} samples in rt_sigreturn, {quality}")


FRAME_POINTERS = ["-fno-omit-frame-pointer", "-mno-omit-leaf-frame-pointer"]
LACKS = "lacks frame pointers"


def record_chains(capture, command, **environment):
    run(["perf", "record", "-q", "-N", "-e", "cpu-clock", "-F", str(HZ), "-k", "CLOCK_MONOTONIC",
         "-g", "-o", capture, "--", *command], env={**os.environ, **environment})


def said_of(capture):
    """What convert says of a capture."""
    done = subprocess.run([PERFCONV, "convert", "-i", capture, "-o", capture.parent / "out.json"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    return done.stderr


def test_missing_frame_pointers_are_told(folder):
    with_them = build(folder, "with", "-O2", *FRAME_POINTERS)
    record_chains(folder / "with.data", [with_them, "compute", SECONDS])
    need(LACKS not in said_of(folder / "with.data"), "a program with frame pointers is accused")
    pythons = compare_stacks.python_command(folder, pyframes=False)[0]
    record_chains(folder / "without.data", [*pythons[:2], "1"])
    words = said_of(folder / "without.data")
    need(LACKS in words and "--call-graph dwarf,65528" in words, f"nothing is said: {words}")
    info = json.loads(run([PERFCONV, "info", "--json", folder / "without.data"]))
    need(info["quality"]["processesWithoutFramePointers"] == 1, f"{info['quality']}")


def test_python_with_frame_pointers(folder):
    """`make fp-python`'s interpreter and pyframes: whole stacks without a copy of the stack."""
    python = BUILD / "fp-python" / "bin" / "python3.11"
    if not python.exists():
        raise Missing(f"{python} is not there: make fp-python builds it")
    (inside, *_), environment = compare_stacks.python_command(folder, pyframes=True)
    packages = next(Path(inside).parents[1].glob("lib/python3.11/site-packages"))
    capture = folder / "perf.data"
    # No path file of another environment is read: pyframes is named on the command line.
    record_chains(capture, [python, "-m", "pyframes", "run", ROOT / "tests" / "live" / "program.py",
                            "2"], PYTHONPATH=str(packages), PYFRAMES_DIR=environment["PYFRAMES_DIR"])
    need(LACKS not in said_of(capture), "frame pointers are said to be missing")
    out = run([PERFCONV, "convert", "-q", "-i", capture, "-o", "-", "--side-dir", folder / "side"])
    stacks = json.loads(out)["perfconv"]["quality"]["stacks"]
    info = json.loads(run([PERFCONV, "info", "--json", "--side-dir", folder / "side", capture]))
    whole, n = info["quality"]["stacks"]["complete"], stacks["asCaptured"]
    print(f"  chains of a Python with frame pointers that reach their thread's start: {whole} of {n}")
    need(n >= LEAST_SAMPLES and whole >= LEAST_CHAINS * n, f"{info['quality']['stacks']}")


def make_stops(program, stops):
    def test(folder):
        counts = compare_stacks.compare_all([program], stops, folder, seed=7)[program]
        if isinstance(counts, str):
            raise Missing(counts)
        need(not set(counts) & {"shorter", "other"}, f"{counts}")
    test.__name__ = f"test_stops_of_{program}"
    return test


def tests(stops):
    found = [value for name, value in globals().items() if name.startswith("test_")]
    return found + [make_stops(program, stops) for program in compare_stacks.PROGRAMS]


def run_one(test, scratch, counts):
    folder = Path(scratch) / test.__name__
    folder.mkdir()
    try:
        test(folder)
    except Missing as reason:
        counts["skipped"] += 1
        print(f"  skipped {test.__name__}: {reason}", flush=True)
    except (Wrong, RuntimeError, OSError, subprocess.TimeoutExpired) as error:
        counts["failed"] += 1
        print(f"  FAILED  {test.__name__}: {error}", flush=True)
    else:
        counts["passed"] += 1
        print(f"  ok      {test.__name__}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--stops", type=int, default=8, metavar="N", help="of each program")
    parser.add_argument("--only", default="", metavar="PART", help="of a test's name")
    args = parser.parse_args()
    counts = collections.Counter()
    wanted = [test for test in tests(args.stops) if args.only in test.__name__]
    with tempfile.TemporaryDirectory(prefix="perfconv-unwind-") as scratch:
        trouble = perf_trouble()
        for test in wanted:
            if trouble:
                counts["skipped"] += 1
                print(f"  skipped {test.__name__}: {trouble}")
            else:
                run_one(test, scratch, counts)
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    sys.exit(1 if counts["failed"] or not counts else 0)


if __name__ == "__main__":
    main()
