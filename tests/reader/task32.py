# SPDX-License-Identifier: GPL-2.0
"""A 32-bit program on this 64-bit machine, recorded here and now with stack dumps.

It needs no library, so the compiler alone makes it.
"""
import json
import platform
import shutil
import subprocess

SOURCE = r"""
static volatile unsigned int turns;
__attribute__((noinline)) static void innermost(void)
{
	for (unsigned int i = 0; i < 300000000; i++)
		turns += i;
}
__attribute__((noinline)) static void middle(void)
{
	innermost();
	turns++;
}
__attribute__((noinline)) static void outermost(void)
{
	middle();
	turns++;
}
__attribute__((force_align_arg_pointer)) void _start(void)
{
	__asm__ volatile(".cfi_undefined eip"); /* nobody called it */
	outermost();
	__asm__ volatile("int $0x80" : : "a"(1), "b"(0));
}
"""
CHAIN = ["outermost", "middle", "innermost"]


def stacks(profile):
    frames = [frame["name"] for frame in profile["shared"]["frames"]]
    return [[frames[i] for i in stack] for thread in profile["profiles"]
            for stack in thread["samples"] if stack]


def missing(work):
    if platform.machine() != "x86_64":
        return f"{platform.machine()} runs no 32-bit x86 program"
    for tool in ("perf", "cc"):
        if not shutil.which(tool):
            return f"{tool} is not installed"
    (work / "task32.c").write_text(SOURCE)
    built = subprocess.run(["cc", "-m32", "-O1", "-static", "-nostdlib", "-fno-pie", "-no-pie",
                            "-fasynchronous-unwind-tables", "-o", "task32", "task32.c"],
                           cwd=work, capture_output=True, text=True, check=False)
    if built.returncode:
        return "cc makes no 32-bit program: " + built.stderr.strip().splitlines()[-1]
    done = subprocess.run(["perf", "record", "-q", "-e", "cpu-clock:u", "-c", "2000000",
                           "--call-graph", "dwarf,1024", "-o", "task32.data", "./task32"],
                          cwd=work, capture_output=True, text=True, check=False)
    return done.stderr.strip() if done.returncode else None


def check(tally, work, perfconv, info_of):
    name = "a 32-bit task is unwound"
    reason = missing(work)
    if reason:
        tally.skip(name, reason)
        return
    done = perfconv("convert", "-q", "-i", str(work / "task32.data"), "-o", "-", "--frames", "all")
    if done.returncode:
        tally.check(name, done.stderr)
        return
    found = stacks(json.loads(done.stdout))
    whole = [stack for stack in found if stack[-3:] == CHAIN]
    info = info_of(work / "task32.data")
    samples = info["events"][0]["samples"]
    tally.check(name, None if whole and info["compatSamples"] >= samples - 5
                and not info["compatNotUnwound"]
                and info["quality"]["stacks"]["complete"] >= samples - 5
                else f"{found[:3]}, {info['quality']['stacks']}, {info['compatSamples']}")
