# SPDX-License-Identifier: GPL-2.0
"""What a board says about itself, for the metadata: only what it has.

A profile of a hot, throttled board tells less about PAM than about its fan.
"""

import glob
import shutil
import subprocess

from .process import read_line

CPUFREQ = "/sys/devices/system/cpu/cpu0/cpufreq/"
# Raspberry Pi: bits of what is so now, and, 16 higher, of what was since boot.
PI_THROTTLED = "/sys/devices/platform/soc/soc:firmware/get_throttled"
PI_BITS = {0: "under-voltage", 1: "frequency capped", 2: "throttled",
           3: "temperature limit"}
# Events since boot: Intel's per core, a Jetson's over-current alarms.
COUNTERS = ("/sys/devices/system/cpu/cpu*/thermal_throttle/core_throttle_count",
            "/sys/class/hwmon/hwmon*/oc*_event_cnt")


def board_facts():
    """Facts that hold at the beginning of a recording.

    board_model      from the device tree, or the firmware of a PC
    governor         cpufreq governor of the first CPU
    cpu_mhz          its frequency, in MHz
    temperature_c    hottest thermal zone, in degrees Celsius
    power_mode       a Jetson's nvpmodel
    """
    facts = {
        "board_model": (read_line("/proc/device-tree/model")
                        or read_line("/sys/class/dmi/id/product_name")),
        "governor": read_line(CPUFREQ + "scaling_governor"),
        "cpu_mhz": mega(read_line(CPUFREQ + "scaling_cur_freq")),
        "temperature_c": temperature(),
        "power_mode": words_of("nvpmodel", "-q"),
    }
    return {key: value for key, value in facts.items() if value}


def mega(kilo):
    """Text in kHz as text in MHz; None stays None."""
    return str(int(kilo) // 1000) if kilo and kilo.isdigit() else None


def temperature():
    """The hottest thermal zone, or None."""
    readings = [read_line(path) or "" for path
                in glob.glob("/sys/class/thermal/thermal_zone*/temp")]
    millidegrees = [int(text) for text in readings if text.isdigit()]
    return f"{max(millidegrees) / 1000:.1f}" if millidegrees else None


def words_of(*command):
    """What a short command prints, on one line; None where it is not there."""
    if not shutil.which(command[0]):
        return None
    try:
        result = subprocess.run(command, stdin=subprocess.DEVNULL,
                                capture_output=True, text=True, timeout=2,
                                check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return " ".join(result.stdout.split()) if result.returncode == 0 else None


def throttle_facts(before=None):
    """What held the processor back: state, and events since `before`.

    before   what an earlier call returned; None: this is the first call

    throttled        what a Raspberry Pi says is so: now, or since boot
    throttle_events  events counted by the board: since boot, or since before
    temperature_end_c
    """
    facts = {"throttled": pi_throttled()}
    counts = [read_line(path) or "" for pattern in COUNTERS
              for path in glob.glob(pattern)]
    numbers = [int(text) for text in counts if text.isdigit()]
    if numbers:
        earlier = int((before or {}).get("throttle_events", 0))
        facts["throttle_events"] = str(sum(numbers) - earlier)
    if before is not None:
        facts["temperature_end_c"] = temperature()
    return {key: value for key, value in facts.items() if value}


def pi_throttled():
    """A Raspberry Pi's flags in words, "no" when none is set; else None."""
    text = read_line(PI_THROTTLED)
    if text is None:
        words = words_of("vcgencmd", "get_throttled") or ""
        text = words.partition("=")[2]
    try:
        flags = int(text, 16)
    except ValueError:
        return None
    return throttled_words(flags)


def throttled_words(flags):
    """The bits of get_throttled in words."""
    now = [word for bit, word in PI_BITS.items() if flags >> bit & 1]
    earlier = [f"{word} earlier" for bit, word in PI_BITS.items()
               if flags >> (bit + 16) & 1 and word not in now]
    return ", ".join(now + earlier) or "no"
