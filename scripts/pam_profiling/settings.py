# SPDX-License-Identifier: GPL-2.0
"""What is recorded, as options of perf record; docs/recording.md explains each.

The whole recording has five parts, so that every thread's time is known:

    oncpu         99 times a second of CPU time, with a copy of the stack
    calib         2 times a second, with the largest copy the kernel makes
    switch        some switches off the CPU, at most 20 a second of a thread,
                  with the largest copy: waits have the deepest stacks
    sched_switch  every switch, with the kernel's callchain, the registers and
                  the innermost part of the stack, which tells callers apart
    SWITCH        every switch, on and off; needs no privilege

A machine that refuses a part gets the others; Settings.losses() says what a
profile then lacks and what would bring it back.
"""

import dataclasses
import os
import platform
import re

from . import perf_event

FREQUENCY_HZ = 99
CALIBRATION_HZ = 2
SWITCH_HZ = 20
DUMP_BYTES = 16384
LARGEST_DUMP_BYTES = 65528
SWITCH_BYTES = 2048  # some three levels of Python
RING_BUFFER = "4M"
SMALL_RING_BUFFER = "512K"

# All of them: --user-regs replaces the set that unwinding needs.
USER_REGISTERS = {
    "x86_64": "ax,bx,cx,dx,si,di,bp,sp,ip,"
              + ",".join(f"r{number}" for number in range(8, 16)),
    "aarch64": ",".join(f"x{number}" for number in range(30)) + ",lr,sp,pc",
}
TRACING_FOLDERS = ("/sys/kernel/tracing", "/sys/kernel/debug/tracing")


@dataclasses.dataclass(frozen=True)
class Settings:
    """One way to record.

    clock         event that stands for CPU time: "cpu-clock" or "cycles"
    stacks        "dwarf": copies of the stack; "fp": frame pointers
    switches      True: sched:sched_switch, every wait with its reason
    kernel        False: user space only
    frequency_hz  samples per second of CPU time
    dump_bytes    size of a stack copy
    switch_bytes  size of the copy at every switch; 0: none
    ring_buffer   perf's buffer per CPU, as its -m takes it
    machine       architecture as uname gives it
    """

    clock: str = "cpu-clock"
    stacks: str = "dwarf"
    switches: bool = True
    kernel: bool = True
    frequency_hz: int = FREQUENCY_HZ
    dump_bytes: int = DUMP_BYTES
    switch_bytes: int = SWITCH_BYTES
    ring_buffer: str = RING_BUFFER
    machine: str = platform.machine()

    def options(self):
        """Options of perf record, without target and output."""
        result = ["-N", "-m", self.ring_buffer, "-k", "CLOCK_MONOTONIC",
                  "--sample-identifier", "--switch-events"]
        if self.stacks == "dwarf":
            result.append("-d")
        for event in self.events():
            result += ["-e", event]
        registers = self.registers()
        if registers:
            result.append("--user-regs=" + registers)
        return result

    def events(self):
        """Values of -e. The first one carries the mapping and SWITCH records."""
        user = "" if self.kernel else "u"
        chain = self.chain(self.dump_bytes)
        result = [f"{self.clock}/freq={self.frequency_hz},{chain},"
                  f"name=oncpu/{user}"]
        if self.stacks == "dwarf":
            result.append(f"cpu-clock/freq={CALIBRATION_HZ},"
                          f"{self.chain(LARGEST_DUMP_BYTES)},name=calib/{user}")
        if self.kernel and (self.stacks == "dwarf" or not self.switches):
            result.append(f"context-switches/freq={SWITCH_HZ},"
                          f"{self.chain(LARGEST_DUMP_BYTES)},name=switch/")
        if self.switches:
            chain = (self.chain(self.switch_bytes) if self.switch_bytes
                     else "call-graph=fp")
            result.append(f"sched:sched_switch/{chain}/")
        return result

    def chain(self, dump_bytes):
        """The terms of an event for its stacks."""
        if self.stacks == "fp":
            return "call-graph=fp"
        return f"call-graph=dwarf,stack-size={dump_bytes}"

    def registers(self):
        """The value of --user-regs, or None where perf's own choice stays."""
        if self.stacks == "dwarf" or self.switches:
            return USER_REGISTERS.get(self.machine)
        return None

    def with_frame_pointers(self):
        """The same without stack copies."""
        return dataclasses.replace(self, stacks="fp")

    def losses(self):
        """Sentences: what this recording lacks, and the remedy."""
        result = []
        if not self.kernel:
            result.append(
                "no kernel frames and no stacks of waits: this user may not "
                "see the kernel (perf_event_paranoid is "
                f"{perf_event.paranoid_level()}); run with sudo to have them")
        elif not self.switches:
            remedy = ("run with sudo to have it" if os.geteuid() else
                      "mount it (tracefs), or bind it into this container")
            result.append(
                "waits are timed but not explained: sched:sched_switch needs "
                f"a readable /sys/kernel/tracing; {remedy}")
        if self.ring_buffer == SMALL_RING_BUFFER:
            result.append(
                f"the buffer is {self.ring_buffer} instead of {RING_BUFFER} "
                "per CPU, so a burst may be lost; allow more with: sudo "
                "sysctl kernel.perf_event_mlock_kb=65536, or run with sudo")
        if (self.stacks == "dwarf" and self.machine not in USER_REGISTERS):
            result.append(
                f"the registers of {self.machine} are not known here, so "
                "waits are matched with stacks less often; --mode fp needs "
                "none")
        return result


def ladder(best, root):
    """Settings to try in this order, each asking for less than the one before.

    best   Settings with everything that the machine has
    root   True when perf will run as root, whose buffers have no limit
    """
    steps = [best]
    if not root:
        steps.append(dataclasses.replace(best, ring_buffer=SMALL_RING_BUFFER))
    lesser = dataclasses.replace(steps[-1], switches=False)
    return steps + [lesser, dataclasses.replace(lesser, kernel=False)]


def within_own_rights(steps):
    """Those that this user, without privilege, may hope for.

    Asked of the kernel, because perf leaves the kernel out in silence.
    """
    if not can_trace():
        steps = [step for step in steps if not step.switches]
    if not can_see_kernel():
        steps = [step for step in steps if not step.kernel]
    return steps


def can_trace():
    """True when this user can read the description of sched_switch."""
    return any(os.access(f"{folder}/events/sched/sched_switch/id", os.R_OK)
               for folder in TRACING_FOLDERS)


def can_see_kernel():
    """True when this user may sample the kernel."""
    return perf_event.open_error(perf_event.CPU_CLOCK, kernel=True) == 0


def best_clock():
    """"cycles" where the machine counts them, else "cpu-clock".

    cycles is sampled by the counter's own interrupt, also where the kernel has
    interrupts off; few virtual machines have it. A processor with cores of two
    kinds has two such counters, and cpu-clock there counts on both.
    """
    if os.path.exists("/sys/bus/event_source/devices/cpu_core"):
        return "cpu-clock"
    error = perf_event.open_error(perf_event.CYCLES, kernel=False)
    return "cycles" if error == 0 else "cpu-clock"


def add_arguments(parser):
    """Options that change what is recorded."""
    parser.add_argument("--mode", choices=("auto", "dwarf", "fp"),
                        default="auto",
                        help="how stacks are captured: copies (dwarf), frame "
                             "pointers (fp), or fp where the Python keeps "
                             "them (auto, default)")
    parser.add_argument("--rate", type=int, default=FREQUENCY_HZ,
                        metavar="HZ", help="samples per second of CPU time "
                        "(default: %(default)s)")
    parser.add_argument("--dump-bytes", type=int, default=DUMP_BYTES,
                        metavar="BYTES",
                        help="size of a stack copy (default: %(default)s)")
    parser.add_argument("--switch-bytes", type=int, default=SWITCH_BYTES,
                        metavar="BYTES",
                        help="size of the copy at every switch, most of a "
                             "capture; 0: none, and some waits get only the "
                             "outer part of their stack (default: %(default)s)")
    parser.add_argument("--buffer", default=RING_BUFFER, metavar="SIZE",
                        help="perf's buffer per CPU, a power of two in K or M "
                             "(default: %(default)s)")


def wanted(arguments):
    """Settings as asked for by add_arguments(), where nothing is refused."""
    best = Settings(clock=best_clock(), frequency_hz=arguments.rate,
                    dump_bytes=arguments.dump_bytes,
                    switch_bytes=arguments.switch_bytes,
                    ring_buffer=arguments.buffer)
    return best.with_frame_pointers() if arguments.mode == "fp" else best


def check_arguments(parser, arguments):
    """End with a usage error where the kernel would refuse a value."""
    if not 1 <= arguments.rate <= 10000:
        parser.error("--rate is in samples per second, from 1 to 10000")
    if (arguments.dump_bytes % 8
            or not 1024 <= arguments.dump_bytes <= LARGEST_DUMP_BYTES):
        parser.error("--dump-bytes is a multiple of 8, from 1024 to "
                     f"{LARGEST_DUMP_BYTES}")
    if arguments.switch_bytes % 8 or not 0 <= arguments.switch_bytes <= DUMP_BYTES:
        parser.error("--switch-bytes is a multiple of 8, from 0 to "
                     f"{DUMP_BYTES}")
    number = re.fullmatch(r"([1-9]\d*)[KM]", arguments.buffer)
    if not number or int(number.group(1)).bit_count() != 1:
        parser.error("--buffer is a power of two with K or M, such as 8M")
