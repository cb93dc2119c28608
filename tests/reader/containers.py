# SPDX-License-Identifier: GPL-2.0
"""A program in mount and pid namespaces of its own, recorded here and now.

Its file lies on a file system that only it sees; at the same path lies another
program for everyone else.  While it lives its file is found through its root; the
other one never names anything.
"""
import json
import os
import shutil
import subprocess
import time

SOURCE = r"""
static volatile unsigned long turns;
__attribute__((noinline)) static void NAME(void)
{
	for (;;)
		turns++;
}
int main(void)
{
	NAME();
}
"""
INSIDE, OUTSIDE = "works_inside", "works_outside"
LIMIT_S = 20


def build(folder, name, path):
    source = folder / f"{name}.c"
    source.write_text(SOURCE)
    subprocess.run(["cc", "-O1", "-static", "-Wl,--build-id=none", f"-DNAME={name}", "-o",
                    str(path), str(source)], check=True)


def start(program, at):
    """In new namespaces, where a file system of its own hides what lies at @at's folder."""
    script = f'mount -t tmpfs none "{at.parent}" && cp "{program}" "{at}" && exec "{at}"'
    return subprocess.Popen(["unshare", "-m", "-p", "--fork", "--kill-child", "sh", "-c", script],
                            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def child_that_runs(unshare, at):
    """The program's pid out here, once it runs; None if it did not come so far."""
    children = f"/proc/{unshare.pid}/task/{unshare.pid}/children"
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end and unshare.poll() is None:
        try:
            with open(children, encoding="ascii") as stream:
                child = stream.read().split()
            if child and os.readlink(f"/proc/{child[0]}/exe") == str(at):
                return child[0]
        except OSError:
            pass
        time.sleep(0.02)
    return None


def names(perfconv, capture):
    done = perfconv("convert", "-q", "-i", str(capture), "-o", "-", "--frames", "all")
    if done.returncode:
        return {done.stderr}
    return {frame["name"] for frame in json.loads(done.stdout)["shared"]["frames"]}


def record(child, capture):
    return subprocess.run(["perf", "record", "-q", "-e", "cpu-clock:u", "-c", "1000000",
                           "--namespaces", "-p", child, "-o", str(capture), "--", "sleep", "0.3"],
                          capture_output=True, text=True, check=False)


def missing():
    tools = [tool for tool in ("perf", "unshare", "cc") if not shutil.which(tool)]
    if tools:
        return f"{tools[0]} is not installed"
    probe = subprocess.run(["unshare", "-m", "-p", "--fork", "true"], capture_output=True,
                           text=True, check=False)
    return probe.stderr.strip() if probe.returncode else None


def check(tally, work, perfconv):
    reason = missing()
    if reason:
        tally.skip("a program in a container", reason)
        return
    folder = (work / "container").resolve()
    at = folder / "mounted" / "program"
    at.parent.mkdir(parents=True)
    build(folder, INSIDE, folder / "inside")
    build(folder, OUTSIDE, at)
    unshare = start(folder / "inside", at)
    try:
        child = child_that_runs(unshare, at)
        if not child:
            unshare.kill()
            tally.skip("a program in a container", unshare.communicate()[1].strip() or "no child")
            return
        capture = folder / "perf.data"
        done = record(child, capture)
        if done.returncode:
            tally.skip("a program in a container", done.stderr.strip())
            return
        found = names(perfconv, capture)
        tally.check("a living container's program is named from its own file",
                    None if INSIDE in found and OUTSIDE not in found else str(found))
    finally:
        unshare.kill()
        unshare.communicate()
    found = names(perfconv, capture)
    tally.check("a dead container's program is not named from another file",
                None if not found & {INSIDE, OUTSIDE} else str(found))
