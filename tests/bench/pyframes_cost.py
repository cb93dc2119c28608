#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What pyframes costs a program, and what py-spy does, paired in one run.

    tests/bench/pyframes_cost.py [--python EXE]... [--rounds N] [--only PROGRAM] [--variant NAME]...
    tests/bench/pyframes_cost.py --inside [--python EXE]... [--rounds N]

A program starts, is given its profiler, and begins when the profiler samples;
it reports its own CPU and wall time from then on.  The variants run in turns,
every other round in reverse order, so that whatever else the machine does meets
all of them.  Shown are medians, of ratios to "off" within each round.

    off             a Python without pyframes
    dormant         pyframes installed, PYFRAMES not set
    on              PYFRAMES=1; then without single parts of it
    on + perf       and perf record beside it: 99 Hz, stack dumps of 64 KiB
    py-spy          py-spy record at 100 Hz beside a Python without pyframes

"tool" is the profiler's own CPU until its file is written, "stopped" the time that
the program was held stopped, both as shares of the program's wall time.

--inside measures the hook alone, and on a busy machine much better: short blocks of
each program within one process, the hook switched on and off between them.
"""

import argparse
import os
import statistics
import subprocess
import tempfile

import pyframes_tools as tools
from pyframes_tools import venvs

PRELUDE = """
import sys as _sys, time as _time
_sys.stdin.readline()
_begin = _time.process_time(), _time.monotonic()
"""
EPILOGUE = """
print(_time.process_time() - _begin[0], _time.monotonic() - _begin[1], flush=True)
_sys.stdin.readline()
"""
PROGRAMS = {
    "calls": """
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)
fib(33)
""",
    "asyncio+json": """
import asyncio, json
document = {"a": list(range(60)), "b": {"c": "d" * 100}}
async def handle():
    text = json.dumps(document)
    await asyncio.sleep(0)
    return json.loads(text)
async def client():
    for _ in range(3000):
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
    "dormant": {},
    "on": {"PYFRAMES": "1"},
    "on, no steps": {"PYFRAMES": "1", "PYFRAMES_STEPS": "0"},
    "on, no snapshots": {"PYFRAMES": "1", "PYFRAMES_SNAPSHOTS": "0"},
    "on + perf": {"PYFRAMES": "1"},
    "py-spy": None,
}


INSIDE = """
import statistics, time
import pyframes
{setup}
def block():
    begin = time.thread_time_ns()
    {run}
    return time.thread_time_ns() - begin
pyframes.start(); block(); pyframes.stop()
ratios = []
for _ in range({rounds}):
    off = block()
    pyframes.start()
    block()
    on = block()
    pyframes.stop()
    ratios.append(on / ((off + block()) / 2))
quarters = statistics.quantiles(ratios, n=4)
print(*[100 * (quarter - 1) for quarter in quarters])
"""
BLOCKS = {"calls": ("fib(33)", "fib(18)"),
          "asyncio+json": ("asyncio.run(main())", "asyncio.run(main(40))"),
          "attributes": ("run(6000000)", "run(100000)")}


def measure_inside(python, program, rounds, version):
    """The hook's cost, of blocks of some 20 ms, each beside one before and one after."""
    last, block = BLOCKS[program]
    setup = PROGRAMS[program].replace(last, "").replace("main():", "main(n):")
    setup = setup.replace("client():", "client(n):").replace("client()", "client(n)")
    text = INSIDE.format(setup=setup.replace("range(3000)", "range(n)"), run=block, rounds=rounds)
    with tempfile.TemporaryDirectory(prefix="pyframes-bench-") as folder:
        output = subprocess.run([python, "-c", text], check=True, text=True, cwd=folder,
                                stdout=subprocess.PIPE,
                                env=venvs.clean_environment(PYFRAMES_DIR=folder)).stdout
    low, middle, high = map(float, output.split())
    print("%-8s %-13s hook on        %+6.1f %%   (quartiles %+.1f, %+.1f)"
          % (version, program, middle, low, high), flush=True)


class Bench:
    """One interpreter: with pyframes in a virtual environment, and in one without."""

    def __init__(self, python, py_spy, perf):
        self.inside = venvs.make(python, "bench")
        folder = os.path.join(venvs.build_dir(), "python", venvs.version(python) + "-bare")
        self.bare = os.path.join(folder, "bin", "python")
        if not os.path.exists(self.bare):
            subprocess.run([python, "-m", "venv", "--without-pip", folder], check=True)
        self.py_spy, self.perf = py_spy, perf

    def variants(self, wanted):
        for name in VARIANTS:
            if wanted and name != "off" and name not in wanted:
                continue
            if (name == "py-spy" and not self.py_spy) or (name == "on + perf" and not self.perf):
                continue
            yield name

    def start_tool(self, variant, pid, folder):
        if variant == "py-spy":
            return tools.PySpy(self.py_spy, pid, folder)
        if variant == "on + perf":
            return tools.PerfRecord(folder, ["-p", str(pid)])
        return None

    def run(self, script, variant, folder):
        """One run: CPU s, wall s, the tool's CPU s, seconds stopped."""
        settings = VARIANTS[variant]
        environment = venvs.clean_environment(PYFRAMES_DIR=folder, PYFRAMES_REMOVE="1",
                                              **(settings or {}))
        child = subprocess.Popen([self.bare if settings is None else self.inside, script],
                                 env=environment, text=True, stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE)
        tool = self.start_tool(variant, child.pid, folder)
        watch = tools.StopWatch(child.pid, folder) if tool and self.perf else None
        own = tool.cpu_seconds() if tool else 0.0
        child.stdin.write("go\n")
        child.stdin.flush()
        words = child.stdout.readline().split()
        stopped = sum(watch.stop().values()) if watch else 0.0
        own = tool.stop() - own if tool else 0.0
        child.communicate("end\n")
        if child.returncode or len(words) != 2:
            raise SystemExit("the program failed under %s" % variant)
        return float(words[0]), float(words[1]), own, stopped


def measure(bench, program, options, version):
    results = {variant: [] for variant in bench.variants(options.variant)}
    with tempfile.TemporaryDirectory(prefix="pyframes-bench-") as folder:
        script = os.path.join(folder, "program.py")
        with open(script, "w") as file:
            file.write(PRELUDE + PROGRAMS[program] + EPILOGUE)
        for number in range(options.rounds):
            for variant in list(results)[::1 - 2 * (number % 2)]:
                results[variant].append(bench.run(script, variant, folder))
    for variant, runs in results.items():
        pairs = list(zip(runs, results["off"]))
        cpu, wall = (statistics.median(run[at] / off[at] for run, off in pairs) for at in (0, 1))
        line = "%-8s %-13s %-17s %6.3f s %+6.1f %%   wall %+6.1f %%" % (
            version, program, variant, statistics.median(run[0] for run in runs),
            100 * (cpu - 1), 100 * (wall - 1))
        if any(run[2] for run in runs):
            line += "   tool %4.1f %%" % (100 * statistics.median(run[2] / run[1] for run in runs))
            if bench.perf:
                line += "   stopped %4.1f %%" % (
                    100 * statistics.median(run[3] / run[1] for run in runs))
        print(line, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", action="append", metavar="EXE")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", choices=PROGRAMS, action="append", metavar="PROGRAM")
    parser.add_argument("--variant", choices=VARIANTS, action="append", metavar="NAME")
    parser.add_argument("--inside", action="store_true", help="the hook alone, in one process")
    options = parser.parse_args()
    print("load average %.1f" % os.getloadavg()[0])
    py_spy, perf = tools.find_py_spy(), tools.find_perf()
    if not py_spy:
        print("without py-spy: it could not be installed")
    if not perf:
        print("without perf: it may not record here, so the time stopped is not measured")
    for python in venvs.interpreters(options.python):
        version = venvs.version(python)
        if options.inside:
            for program in options.only or PROGRAMS:
                measure_inside(venvs.make(python, "bench"), program, options.rounds, version)
            continue
        bench = Bench(python, py_spy, perf)
        print("%s: medians of %d rounds, CPU compared with off; load average %.1f"
              % (version, options.rounds, os.getloadavg()[0]), flush=True)
        for program in options.only or PROGRAMS:
            measure(bench, program, options, version)
        print("load average at the end %.1f" % os.getloadavg()[0], flush=True)


if __name__ == "__main__":
    main()
