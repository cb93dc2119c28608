# SPDX-License-Identifier: GPL-2.0
"""Asks the kernel directly whether it opens an event: takes microseconds.

perf record itself falls back in silence (cycles becomes cpu-clock, the kernel
is left out), and a trial of it takes a fifth of a second of CPU.
"""

import ctypes
import os
import platform
import struct

SYSTEM_CALL = {"x86_64": 298, "aarch64": 241, "armv7l": 364, "riscv64": 241}
PERF_TYPE_HARDWARE, PERF_TYPE_SOFTWARE = 0, 1
CYCLES = (PERF_TYPE_HARDWARE, 0)
CPU_CLOCK = (PERF_TYPE_SOFTWARE, 0)

# struct perf_event_attr, first version: 64 bytes.
ATTR_BYTES = 64
DISABLED = 1 << 0
EXCLUDE_KERNEL = 1 << 5
EXCLUDE_HV = 1 << 6
FLAG_FD_CLOEXEC = 8

LIBC = ctypes.CDLL(None, use_errno=True)


def open_error(event, kernel):
    """0 when the kernel lets us count `event` of our own thread, else the errno.

    event    CYCLES or CPU_CLOCK
    kernel   also what happens in the kernel
    """
    number = SYSTEM_CALL.get(platform.machine())
    if number is None:
        return -1
    kind, config = event
    bits = DISABLED | EXCLUDE_HV | (0 if kernel else EXCLUDE_KERNEL)
    attr = struct.pack("IIQQQQQ", kind, ATTR_BYTES, config, 0, 0, 0, bits)
    buffer = ctypes.create_string_buffer(attr, ATTR_BYTES)
    descriptor = LIBC.syscall(number, buffer, 0, -1, -1, FLAG_FD_CLOEXEC)
    if descriptor < 0:
        return ctypes.get_errno()
    os.close(descriptor)
    return 0


def paranoid_level():
    """kernel.perf_event_paranoid as a number; 2, the default, when unknown."""
    try:
        with open("/proc/sys/kernel/perf_event_paranoid",
                  encoding="ascii") as stream:
            return int(stream.read())
    except (OSError, ValueError):
        return 2
