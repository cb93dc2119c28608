# SPDX-License-Identifier: GPL-2.0
"""How large a recording of PAM may get: told before it begins, so that the disk has room.

A capture is mostly stack copies. How many a second depends on what PAM does, how
large they are on what is recorded; the figures are measured on PAM 0.2.7
(docs/recording.md), and a busier PAM is taken for granted.
"""

from . import settings

# Switches off the CPU a second, of all threads, and share of a core that is
# used, both at most.
IDLE, CONNECTED, BUSY = (1900, 1.1), (2900, 0.5), (3500, 0.9)
QUIET = {"idle-no-leaffc": IDLE, "idle-with-leaffc": CONNECTED}
# A switch: its SWITCH records, the kernel's callchain, registers.
SWITCH_RECORDS_BYTES = 520
SAMPLE_BYTES = 700
# Whole stacks of waits: SWITCH_HZ of the largest copies, which are rarely full.
DEEP_WAITS_BYTES_PER_S = 1_100_000
MARGIN = 1.2
# Side file, logs, and the profile.
BYTES_BESIDES = 64 << 20
# Of the capture: the bundle, which is made while the capture is still there.
BUNDLE_SHARE = 0.12


def activity(scenario, kinds, simulated):
    """(switches a second, share of a core) of a PAM, at most.

    kinds      what is driven, names out of drive.WORK
    simulated  True when nothing but the simulated vehicle is connected
    """
    if not simulated or kinds:
        return BUSY
    return QUIET.get(scenario, BUSY)


def bytes_per_second(chosen, switches, cpu):
    """What perf writes in a second, at most.

    chosen   settings.Settings
    """
    copies = chosen.stacks == "dwarf"
    size = cpu * chosen.frequency_hz * (
        SAMPLE_BYTES + (chosen.dump_bytes if copies else 0))
    size += switches * SWITCH_RECORDS_BYTES
    if copies and chosen.switches:
        size += switches * chosen.switch_bytes
    if copies:
        size += settings.CALIBRATION_HZ * settings.LARGEST_DUMP_BYTES
        size += DEEP_WAITS_BYTES_PER_S if chosen.kernel else 0
    return MARGIN * size


def needed_bytes(rate, duration_s):
    """Room for a recording of that many bytes a second, and what is made of it."""
    return int(rate * duration_s * (1 + BUNDLE_SHARE)) + BYTES_BESIDES
