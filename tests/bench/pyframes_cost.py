#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What pyframes costs a program, paired in one run.

    tests/bench/pyframes_cost.py [--python EXE]... [--rounds N] [--py-spy EXE]

Each round runs every variant of a program once, in turn, so that whatever else
the machine does meets all of them; the medians of the processes' own CPU time
(and of the wall time, in brackets) are compared with "off". With --py-spy, it
samples the program at 100 Hz beside it, as the script that perf replaces did;
its own CPU time is shown as a share of the program's wall time.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "python"))
import venvs  # noqa: E402

PROGRAMS = {
    "calls": """
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)
fib(31)
""",
    "asyncio+json": """
import asyncio, json
document = {"a": list(range(60)), "b": {"c": "d" * 100}}
async def handle():
    text = json.dumps(document)
    await asyncio.sleep(0)
    return json.loads(text)
async def client():
    for _ in range(6000):
        await handle()
async def main():
    await asyncio.gather(*[asyncio.create_task(client()) for _ in range(8)])
asyncio.run(main())
""",
    "attributes": """
class Vector:
    def __init__(self, x, y):
        self.x = x
        self.y = y
def run(n):
    v = Vector(0, 0)
    for i in range(n):
        v.x = v.x + i
        v.y = v.y - v.x
        if v.x > 1000000:
            v.x = 0
    return v
run(6000000)
""",
}
VARIANTS = {
    "off": None,
    "on": {},
    "on, no steps": {"PYFRAMES_STEPS": "0"},
    "on, no tasks": {"PYFRAMES_TASKS": "0"},
    "on, no snapshots": {"PYFRAMES_SNAPSHOTS": "0"},
}


def run_once(python, script, directory, settings):
    """CPU and wall seconds of one run."""
    environment = venvs.clean_environment()
    if settings is not None:
        environment.update(PYFRAMES="1", PYFRAMES_DIR=directory, PYFRAMES_REMOVE="1", **settings)
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run([python, script], check=True, env=environment)
    wall, after = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def run_py_spy(py_spy, python, script, directory):
    """Wall seconds of the program, and CPU seconds of py-spy beside it."""
    begin = time.monotonic()
    program = subprocess.Popen([python, script], env=venvs.clean_environment())
    spy = subprocess.Popen([py_spy, "record", "-r", "100", "-d", "600", "-n", "-o",
                            os.path.join(directory, "spy.txt"), "-f", "raw", "-p",
                            str(program.pid)], stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
    _, _, used = os.wait4(program.pid, 0)
    wall = time.monotonic() - begin
    _, _, spied = os.wait4(spy.pid, 0)
    spy.returncode = program.returncode = 0
    return used.ru_utime + used.ru_stime, wall, spied.ru_utime + spied.ru_stime


def measure(python, program, options, directory):
    script = os.path.join(directory, "program.py")
    with open(script, "w") as file:
        file.write(PROGRAMS[program])
    results = {variant: [] for variant in VARIANTS}
    spied = []
    for _ in range(options.rounds):
        for variant, settings in VARIANTS.items():
            results[variant].append(run_once(python, script, directory, settings))
        if options.py_spy:
            spied.append(run_py_spy(options.py_spy, python, script, directory))
    base = [statistics.median(column) for column in zip(*results["off"])]
    for variant, runs in results.items():
        cpu, wall = (statistics.median(column) for column in zip(*runs))
        print("%-8s %-13s %-17s %6.3f s  x%.3f  (wall %6.3f s  x%.3f)"
              % (venvs.version(python), program, variant, cpu, cpu / base[0], wall,
                 wall / base[1]), flush=True)
    if spied:
        cpu, wall, own = (statistics.median(column) for column in zip(*spied))
        print("%-8s %-13s %-17s %6.3f s  x%.3f  (wall %6.3f s  x%.3f), py-spy's own CPU %.0f %%"
              % (venvs.version(python), program, "py-spy 100 Hz", cpu, cpu / base[0], wall,
                 wall / base[1], 100 * own / wall), flush=True)


def measure_dormant(python, rounds):
    """Start-up of python -c pass with and without the .pth file, in turn."""
    folder = subprocess.run(
        [python, "-c", "import os, pyframes; print(os.path.dirname(os.path.dirname("
                       "pyframes.__file__)))"],
        check=True, stdout=subprocess.PIPE, text=True, env=venvs.clean_environment()).stdout.strip()
    pth = os.path.join(folder, "pyframes-autostart.pth")
    times = {"with": [], "without": []}
    for number in range(rounds * 2):
        kind = ("with", "without")[number % 2]
        if kind == "without":
            os.rename(pth, pth + ".off")
        try:
            child = subprocess.Popen([python, "-c", "pass"], env=venvs.clean_environment())
            _, _, used = os.wait4(child.pid, 0)
            child.returncode = 0
            times[kind].append(used.ru_utime + used.ru_stime)
        finally:
            if kind == "without":
                os.rename(pth + ".off", pth)
    low = {kind: statistics.median(values) for kind, values in times.items()}
    print("%-8s dormant: python -c pass uses %.2f ms of CPU with, %.2f ms without the .pth file "
          "(medians of %d): %+.3f ms"
          % (venvs.version(python), 1e3 * low["with"], 1e3 * low["without"], rounds,
             1e3 * (low["with"] - low["without"])), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", action="append", metavar="EXE")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--py-spy", metavar="EXE")
    options = parser.parse_args()
    print("load average at the start: %.2f %.2f %.2f" % os.getloadavg())
    for python in venvs.interpreters(options.python):
        inside = venvs.make(python, "bench")
        measure_dormant(inside, 20 * options.rounds)
        for program in PROGRAMS:
            with tempfile.TemporaryDirectory(prefix="pyframes-bench-") as directory:
                measure(inside, program, options, directory)
    print("load average at the end: %.2f %.2f %.2f" % os.getloadavg())


if __name__ == "__main__":
    main()
