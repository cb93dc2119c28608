#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Frames a second against libdw and perf script, and how many stacks are complete.

    tests/bench/unwind.py [--seconds N] [--rounds N] [--json FILE] [NAME...]

The captures are made here and now.  libdw has one Dwfl per process, kept, and is
warm (unwind_speed.c); the two unwind the same samples in turns, and a ratio is the
median of the rounds' ratios.  Of perf script counts what the callchains cost: the CPU
time of printing their addresses, without names and inlined functions, less that of
printing thread numbers only; tracepoints, which carry no dumps, are left out of it.  Its
frames include the kernel's, which cost it little.  perfconv's frames are divided by the time of the same
rounds.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("O") or ROOT / "build").resolve()
PERFCONV = Path(os.environ.get("PERFCONV") or BUILD / "perfconv").resolve()
WORK = BUILD / "bench" / "unwind"
WORKLOAD = ROOT / "tests" / "bench" / "workload.py"
RIPGREP = "14.1.1"
TIMED_OUT = 124  # what timeout ends with
sys.path.insert(0, str(ROOT / "tests" / "python"))
import venvs  # noqa: E402


class Missing(Exception):
    """Why a capture cannot be made here."""


def run(command, may_end_with=0, **more):
    done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, **more)
    if done.returncode not in (0, may_end_with):
        raise RuntimeError(f"{command[0]} ended with status {done.returncode}: "
                           + done.stderr.decode(errors="replace")[-500:])
    return done.stdout


def python(minor):
    for path in venvs.interpreters():
        if venvs.version(path).startswith(f"3.{minor}."):
            return path
    raise Missing(f"there is no CPython 3.{minor}")


def perf_record(capture, stacks, rate, command, **environment):
    run(["perf", "record", "-q", "-N", "-m", "8M", "-e", "cpu-clock", "-F", rate, "-k",
         "CLOCK_MONOTONIC", *stacks, "-o", capture, "--", *command], TIMED_OUT,
        env={**venvs.clean_environment(), **environment})


def record_perf_trampolines(folder, seconds, stacks):
    perf_record(folder / "perf.data", stacks, 499,
                [python(12), "-X", "perf", WORKLOAD, seconds])


def record_pyframes(folder, seconds):
    side = folder / "side"
    side.mkdir(mode=0o700)
    perf_record(folder / "perf.data", ["--call-graph", "dwarf,65528"], 199,
                [venvs.make(python(11), "live"), WORKLOAD, seconds],
                PYFRAMES="1", PYFRAMES_DIR=str(side))


def ripgrep():
    """A large program with debug information, and many generic functions."""
    program = WORK / "ripgrep" / "bin" / "rg"
    if program.exists():
        return program
    if not shutil.which("cargo"):
        raise Missing("cargo is not installed")
    run(["cargo", "install", "-q", "--locked", "--root", WORK / "ripgrep", "--version", RIPGREP,
         "ripgrep"], env={**os.environ, "CARGO_PROFILE_RELEASE_DEBUG": "2"})
    return program


def record_native(folder, seconds):
    """One process that searches the same files over and over, until it is stopped."""
    perf_record(folder / "perf.data", ["--call-graph", "dwarf,16384"], 499,
                ["timeout", "-s", "INT", seconds, ripgrep(), "-j2", "-c", "--no-messages",
                 r"(\w+)\s+(static|struct)\s+[a-z_]{3,}", *["/usr/include"] * 2000])


def record_pam(folder, seconds):
    interpreter = Path(os.environ.get("PAM_PYTHON") or BUILD / "pam" / "venv" / "bin" / "python")
    if not interpreter.exists():
        raise Missing(f"PAM is not installed in {interpreter.parent.parent}: run make demo, "
                      "or name its Python in PAM_PYTHON")
    run([sys.executable, ROOT / "scripts" / "profile_pam.py", "--with-services", "--python",
         interpreter, "--perfconv", PERFCONV, "--no-convert", "--scenario", "idle-with-leaffc",
         "--duration", seconds, "--output", folder])
    captures = sorted(folder.glob("**/perf.data"))
    if not captures:
        raise Missing("profile_pam.py kept no perf.data")
    if captures[0].parent != folder:
        for path in captures[0].parent.iterdir():
            path.rename(folder / path.name)


CAPTURES = {
    "3.12 -X perf, -g": lambda folder, s: record_perf_trampolines(folder, s, ["-g"]),
    "3.12 -X perf, dwarf,16384":
        lambda folder, s: record_perf_trampolines(folder, s, ["--call-graph", "dwarf,16384"]),
    "3.11 pyframes, dwarf,65528": record_pyframes,
    "ripgrep, debug info, dwarf,16384": record_native,
    "PAM, pyframes, dwarf,16384": record_pam,
}


def cpu_s(command):
    """CPU seconds of a command, and the lines it printed that are frames."""
    with subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        frames = sum(line.startswith(b"\t") for line in child.stdout)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime, frames


def perf_script_once(capture):
    """Frames a second of perf script's unwinding."""
    script = ["perf", "script", "--no-inline", "-i", capture, "-F", "trace:tid", "-F"]
    bare, _ = cpu_s([*script, "sw:tid"])
    whole, frames = cpu_s([*script, "sw:tid,ip"])
    return frames / max(whole - bare, 1e-6), frames


def quality(folder):
    out = run([PERFCONV, "info", "--json", "--side-dir", folder / "side"
               if (folder / "side").is_dir() else folder, folder / "perf.data"])
    return json.loads(out)["quality"]["stacks"]


def rate(round_, who):
    return 1e9 * round_[f"{who}_frames"] / round_[f"{who}_ns"]


def measure(name, folder, rounds):
    capture = folder / "perf.data"
    result = {"name": name, "megabytes": capture.stat().st_size / 1e6, "stacks": quality(folder)}
    speed = json.loads(run([WORK / "unwind_speed", capture, rounds]))
    if not speed["samples"]:
        return result
    scripts = [perf_script_once(capture) for _ in range(max(1, rounds // 2))]
    ours = [rate(one, "ours") for one in speed["rounds"]]
    result.update(
        samples=speed["samples"], frames=speed["rounds"][0]["ours_frames"],
        equal_to_libdw=speed["equal"], ours_per_s=statistics.median(ours),
        libdw_per_s=statistics.median(rate(one, "libdw") for one in speed["rounds"]),
        libdw_ratio=statistics.median(rate(one, "ours") / rate(one, "libdw")
                                      for one in speed["rounds"]),
        script_per_s=statistics.median(one for one, _ in scripts), script_frames=scripts[0][1],
        script_ratio=statistics.median(ours) / statistics.median(one for one, _ in scripts))
    return result


def show(result):
    stacks = result["stacks"]
    n = stacks["complete"] + stacks["truncated"] + stacks["lost"]
    print(f"{result['name']}: {result['megabytes']:.0f} MB, {n} stacks")
    print(f"  complete {100 * stacks['complete'] / max(n, 1):.2f} % (stitched {stacks['stitched']}),"
          f" truncated {stacks['truncated']}, lost {stacks['lost']}")
    if "frames" not in result:
        print("  callchains as captured: nothing to unwind", flush=True)
        return
    print(f"  {result['frames']} frames of {result['samples']} samples;"
          f" {result['equal_to_libdw']} stacks equal libdw's")
    print(f"  perfconv     {result['ours_per_s'] / 1e6:8.2f} M frames/s")
    print(f"  libdw        {result['libdw_per_s'] / 1e6:8.2f} M frames/s"
          f"   perfconv x{result['libdw_ratio']:.1f}")
    print(f"  perf script  {result['script_per_s'] / 1e6:8.2f} M frames/s"
          f"   perfconv x{result['script_ratio']:.1f}"
          f"   ({result['script_frames']} frames)", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=20, help="of each capture")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--reuse", action="store_true", help="measure captures made before again")
    parser.add_argument("names", nargs="*", help="parts of captures' names; all by default")
    args = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    run([ROOT / "tests" / "bench" / "build.sh", PERFCONV, ROOT / "tests" / "bench" /
         "unwind_speed.c", WORK / "unwind_speed"])
    results = []
    for number, (name, record) in enumerate(CAPTURES.items()):
        if args.names and not any(part in name for part in args.names):
            continue
        folder = WORK / f"capture-{number}"
        try:
            if not (args.reuse and (folder / "perf.data").exists()):
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                record(folder, args.seconds)
            print(f"load {os.getloadavg()[0]:.1f}  ", end="")
            results.append(measure(name, folder, args.rounds))
            show(results[-1])
        except Missing as reason:
            print(f"{name}: not measured: {reason}", flush=True)
    if args.json:
        args.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
