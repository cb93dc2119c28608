#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Record the real PAM and check that all of its threads' time is known.

    tests/pam_live/run.py [unittest arguments]

Needs PAM's venv, which it makes below $O/pam with scripts/install_pam.py when
it is not there (620 MB, 1-3 minutes), redis-server and mosquitto, and perf with
the right to record. What is missing makes the tests skipped, with the reason.
Ends with the line `N passed, N failed, N skipped`.
"""
import json
import os
import sys
import unittest

from common import PERFCONV, PROFILE_LIMIT_S, run
from attached import ATTACHED, Attached  # noqa: F401
from driven import DRIVEN, EscCalibration, MissionExecution, RcStream, Recorded  # noqa: F401
import suite
from wall_profile import NOT_LET, Capture, python_names, reason_of

RECEIVER, SENDER = "MavLinkExternalProxy-Recv", "MavLinkExternalProxy-Send"
# The goals are 99 % known, 1 % gap, 95 % whole, 2 % or 20 ms of schedstat, and an idle machine
# reaches them. One that is busy with other things may miss them by a little, so that the test
# asks for less; the figures are printed.
LEAST_KNOWN, MOST_GAP, LEAST_WHOLE = 0.97, 0.02, 0.85
CPU_SHARE, CPU_LEAST_NS = 0.05, 60_000_000
# What says that the reason of a wait, or a part of its stack, is not known.
UNKNOWN_REASONS = {"[waiting]", "[other]"}
INCOMPLETE = {"[shortened]", "[stack cut]"}


class Times:
    """What a thread's profile says in sum, in ns.

    A thread that was not let run waits at no place of its own: that part of
    the time off the CPU, long on a busy machine, needs no stack.
    """

    def __init__(self, timeline):
        self.all = self.gap = self.unknown = self.off_cpu = self.whole = 0
        self.python = False
        for weight, stack in timeline.all():
            reason, names = reason_of(stack), python_names(stack)
            self.python = self.python or bool(names)
            self.all += weight
            self.gap += weight if not stack else 0
            self.unknown += weight if reason in UNKNOWN_REASONS else 0
            if reason and reason not in NOT_LET:
                self.off_cpu += weight
                marks = {frame["name"] for frame in stack} & INCOMPLETE
                self.whole += weight if names and not marks else 0

    def known_share(self):
        return 1 - (self.gap + self.unknown) / max(1, self.all)

    def whole_share(self):
        return self.whole / self.off_cpu if self.off_cpu else 1.0


def stolen_ns():
    """Time that the processors of a virtual machine were not let run, so far, in all."""
    with open("/proc/stat", encoding="ascii") as file:
        return int(file.readline().split()[8]) * (1_000_000_000 // os.sysconf("SC_CLK_TCK"))


def running_ns(timeline, begin_ns, end_ns):
    """Time on the CPU in a span, as the profile says."""
    return sum(weight for weight, stack in timeline.between(begin_ns, end_ns)
               if stack and reason_of(stack) is None)


class Scenario(Recorded):
    """What holds of every scenario that is not driven; a subclass names one."""

    record_s = 20
    options = ("--with-services", "--keep")

    @classmethod
    def setUpClass(cls):
        stolen = stolen_ns()
        super().setUpClass()
        cls.stolen_ns = stolen_ns() - stolen
        data, = cls.folder.glob("*/perf.data")
        cls.data, cls.side = data, data.parent
        cls.capture = Capture(PERFCONV, data, data.parent)
        with open(f"{data}.threads.json", encoding="utf-8") as file:
            looks = json.load(file)["snapshots"]
        cls.looks = [{thread["tid"]: thread for thread in look["threads"]} for look in looks]

    def threads(self):
        """(name, Timeline) of each thread that was there from begin to end."""
        tids = set(self.looks[0]) & set(self.looks[1])
        found = [one for one in self.capture.timelines if one.meta.get("tid") in tids]
        self.assertGreaterEqual(len(found), 12)
        return [(one.name, one) for one in found]

    def check_each(self, title, figure, is_bad):
        """Print a figure per thread; fails with those that are not as they should be."""
        bad = []
        print(f"  {self.scenario}: {title}")
        for name, timeline in self.threads():
            value, text = figure(timeline)
            print(f"    {name:<36} {text}")
            if value is not None and is_bad(value):
                bad.append(f"{name}: {text}")
        self.assertEqual(bad, [], title)

    def test_nothing_was_lost(self):
        self.assertEqual(self.capture.lost, 0)

    def test_state_and_reason_are_known(self):
        def figure(timeline):
            times = Times(timeline)
            gap = times.gap / max(1, times.all)
            known = times.known_share()
            return (known, gap), f"known {100 * known:6.2f} %  gap {100 * gap:5.2f} %"

        self.check_each("time with a known state and reason", figure,
                        lambda value: value[0] < LEAST_KNOWN or value[1] > MOST_GAP)

    def test_waits_of_python_threads_have_whole_stacks(self):
        def figure(timeline):
            times = Times(timeline)
            share = times.whole_share()
            return (share if times.python else None,
                    f"off-CPU {times.off_cpu / 1e9:7.3f} s  with whole stack {100 * share:6.2f} %"
                    + ("" if times.python else "  (no Python)"))

        self.check_each("waits with a whole stack", figure, lambda share: share < LEAST_WHOLE)

    def test_time_on_the_cpu_agrees_with_schedstat(self):
        def figure(timeline):
            first, last = (look[timeline.meta["tid"]] for look in self.looks)
            expected = last["schedstat"][0] - first["schedstat"][0]
            shown = running_ns(timeline, first["time_ns"], last["time_ns"])
            switches = sum(last[key] - first[key] for key in ("voluntary", "involuntary"))
            return ((shown, expected),
                    f"profile {shown / 1e6:9.1f} ms  schedstat {expected / 1e6:9.1f} ms  "
                    f"{switches} switches")

        def is_bad(value):
            shown, expected = value
            allowed = max(CPU_SHARE * expected, CPU_LEAST_NS)
            return not -allowed <= shown - expected <= allowed + self.stolen_ns

        # The kernel takes stolen time off what it counts as a thread's; perf's clock goes on.
        self.check_each(f"time on the CPU ({self.stolen_ns / 1e6:.0f} ms were stolen from the "
                        "machine)", figure, is_bad)

    def findings(self):
        """Of the report, with the scenario's rules; printed as a person gets them."""
        command = [PERFCONV, "report", "--scenario", self.scenario, "--side-dir", self.side,
                   self.data]
        print(run(command, PROFILE_LIMIT_S).stdout, flush=True)
        done = run([*command, "--format", "json"], PROFILE_LIMIT_S)
        self.assertEqual(done.returncode, 0, done.stdout)
        report = json.loads(done.stdout)
        names = [thread["name"] for thread in report["threads"]]
        return [(one["rule"], names[one["thread"]] if "thread" in one else None,
                 one.get("function", {}).get("name", "")) for one in report["findings"]]


class WithoutVehicle(Scenario):
    scenario = "idle-no-leaffc"

    def test_the_busy_wait_is_the_first_finding(self):
        rule, thread, function = self.findings()[0]
        self.assertEqual((rule, thread), ("busy-wait", RECEIVER))
        self.assertEqual(function.rpartition(".")[2], "_recv_body")

    def test_the_receiver_spins_in_recv_body(self):
        """On the CPU, or wanting it: this machine may be busy with other things."""
        wanting = spinning = 0
        timeline = self.capture.thread(RECEIVER)
        for weight, stack in timeline.all():
            reason = reason_of(stack)
            if stack and (reason is None or reason in NOT_LET | {"[GIL wait]"}):
                wanting += weight
                spinning += weight if any(
                    name.endswith("._recv_body") for name in python_names(stack)) else 0
        length = self.capture.end_ns - self.capture.begin_ns
        print(f"  {RECEIVER}: wants the CPU {100 * wanting / length:.1f} % of the time, "
              f"of that in _recv_body {100 * spinning / max(1, wanting):.1f} %")
        self.assertGreater(wanting, 0.5 * length)
        self.assertGreater(spinning, 0.9 * wanting)

    def test_the_redis_threads_wait(self):
        for name, timeline in self.threads():
            if name.startswith("RedisProxy"):
                times = Times(timeline)
                self.assertGreater(times.off_cpu, 0.9 * times.all, name)


class WithVehicle(Scenario):
    scenario = "idle-with-leaffc"

    def test_the_polling_of_both_is_found(self):
        polling = {thread for rule, thread, _ in self.findings() if rule == "polling"}
        self.assertLessEqual({RECEIVER, SENDER}, polling)


def main():
    suite.run_tests(["WithoutVehicle", "WithVehicle", *DRIVEN, *ATTACHED], verbosity=2)


if __name__ == "__main__":
    main()
