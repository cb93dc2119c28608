#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What recording costs a running PAM, against nothing and against py-spy.

    tests/bench/pam_cost.py [--rounds N] [--seconds S] [--lock FILE] [--json FILE]

Starts the real PAM (build/pam/venv) with pyframes and the simulated vehicle
once. Each round measures, in turn and every other round in reverse, S seconds
of: nothing; perf as scripts/perf-pyrecord runs it; py-spy --idle at 100 Hz, as
the script that this suite replaces did. CPU is user and system time by the
scheduler's clock, 100 % is one core; a tool's own is what it used from when it
had begun until it had ended. PAM's rise is the round's difference to nothing.
No round is discarded. With --lock each round holds that lock.
"""
import argparse
import contextlib
import fcntl
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("O") or ROOT / "build").resolve()
PAM_PYTHON = BUILD / "pam" / "venv" / "bin" / "python"
PY_SPY = BUILD / "bench" / "py-spy"
SETTLE_S = 15
START_S = 3

sys.path.insert(0, str(ROOT / "scripts"))
import profile_pam  # noqa: E402
from pam_profiling import perf_data, preflight, snapshots  # noqa: E402
from pam_profiling.messages import ProfilingError  # noqa: E402
from pam_profiling.process import StopRequest  # noqa: E402


def cpu_seconds(pid):
    """CPU time of all threads of a process, ended ones included, in seconds."""
    return time.clock_gettime((~pid << 3) | 2)


class Tool:
    """Nothing; the others add a command that runs beside PAM."""

    name = "nothing"

    def command(self, _pids, _output):
        return None

    def result(self, _output, _seconds):
        return {}


class Perf(Tool):
    name = "perf"

    def __init__(self, permission):
        self.permission = permission

    def command(self, pids, output):
        return [self.permission.perf, "record", "-q", *self.permission.options, "-p",
                ",".join(map(str, pids)), "-o", output]

    def result(self, output, seconds):
        return {"lost": perf_data.count_lost(output),
                "mb_per_s": os.path.getsize(output) / 1e6 / seconds}


class PySpy(Tool):
    name = "py-spy --idle"

    def command(self, pids, output):
        return [PY_SPY / "bin" / "py-spy", "record", "--idle", "-r", "100", "-d", "3600",
                "-f", "raw", "-o", output, "-p", str(pids[0])]

    def result(self, output, seconds):
        return {"mb_per_s": os.path.getsize(output) / 1e6 / seconds}


def measure(tool, pids, seconds, folder):
    """One turn: CPU shares of PAM and of the tool in per cent of a core."""
    output = os.path.join(folder, "output")
    command = tool.command(pids, output)
    child = command and subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(START_S)
    begin = time.monotonic()
    pam_begin = sum(map(cpu_seconds, pids))
    own_begin = cpu_seconds(child.pid) if child else 0.0
    time.sleep(seconds)
    elapsed = time.monotonic() - begin
    result = {"pam": 100 * (sum(map(cpu_seconds, pids)) - pam_begin) / elapsed}
    if child:
        child.send_signal(signal.SIGINT)
        _, _, used = os.wait4(child.pid, 0)
        child.returncode = 0
        own = used.ru_utime + used.ru_stime - own_begin
        result.update(tool.result(output, elapsed + START_S), own=100 * own / elapsed)
        with contextlib.suppress(OSError):
            os.unlink(output)
    return result


@contextlib.contextmanager
def held(path):
    """Hold a lock file, where one is named."""
    if not path:
        yield
        return
    with open(path, "a", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def install_py_spy():
    if not (PY_SPY / "bin" / "py-spy").exists():
        subprocess.run([sys.executable, "-m", "venv", PY_SPY], check=True)
        subprocess.run([PY_SPY / "bin" / "pip", "install", "-q", "py-spy"], check=True)


def run_rounds(options, tools, pids, folder):
    rows = []
    for number in range(options.rounds):
        with held(options.lock):
            row = {"load": os.getloadavg()[0]}
            for tool in tools if number % 2 == 0 else reversed(tools):
                row[tool.name] = measure(tool, pids, options.seconds, folder)
        rows.append(row)
        print(f"  round {number + 1}, load {row['load']:.1f}: " + ", ".join(
            f"{tool.name} {row[tool.name]['pam']:.2f} %" for tool in tools), flush=True)
    return rows


def show(rows, tools):
    print(f"medians of {len(rows)} rounds, 100 % is one core; load average "
          f"{min(row['load'] for row in rows):.1f} to {max(row['load'] for row in rows):.1f}")
    print(f"{'':<16}{'PAM':>9}{'rise':>9}{'own CPU':>10}{'MB/s':>8}{'lost':>6}")
    for tool in tools:
        def median(key, tool=tool):
            values = [row[tool.name][key] for row in rows if key in row[tool.name]]
            return statistics.median(values) if values else None

        rise = statistics.median(row[tool.name]["pam"] - row["nothing"]["pam"] for row in rows)
        lost = sum(row[tool.name].get("lost", 0) for row in rows)
        own, rate = median("own"), median("mb_per_s")
        print(f"{tool.name:<16}{median('pam'):>7.2f} %{rise:>+8.2f} "
              + (f"{own:>8.2f} %{rate:>8.2f}" if own is not None else "")
              + (f"{lost:>6}" if tool.name == "perf" else ""))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--lock", metavar="FILE")
    parser.add_argument("--json", metavar="FILE", help="write every measurement there")
    options = parser.parse_args()
    install_py_spy()
    stop = StopRequest()
    with tempfile.TemporaryDirectory(prefix="pam-cost-") as folder:
        run = profile_pam.Run(profile_pam.parse_arguments([
            "--scenario", "idle-with-leaffc", "--with-services", "--no-convert", "--python",
            str(PAM_PYTHON), "--port", str(preflight.free_port(9000)), "--output", folder]), stop)
        try:
            run.check()
            run.capture.create()
            pam = run.start_programs()
            time.sleep(SETTLE_S)
            tools = [Tool(), Perf(run.permission), PySpy()]
            rows = run_rounds(options, tools, snapshots.family([pam.pid]), folder)
        except ProfilingError as error:
            sys.exit(f"pam_cost.py: {error}")
        finally:
            run.children.stop_all()
    show(rows, tools)
    if options.json:
        Path(options.json).write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
