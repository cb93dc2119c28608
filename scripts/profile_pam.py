#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Profile Petal App Manager (PAM) with perf, Python frames included.

Starts PAM with pyframes, waits until it is healthy, records it with perf and
stops it; or records a PAM that runs (--attach). Writes

    profiles/pam_<scenario>_<YYYYMMDD_HHMMSS>_perf.speedscope.json
    profiles/pam_<scenario>_<YYYYMMDD_HHMMSS>_perf.tar.zst

the picture, and the capture itself, which perfconv reads on any machine.

Standard library only. To use it inside PAM's own repository, copy this file
and the folder pam_profiling/ into tools/profiling/; perfconv is then found in
PATH, $PERFCONV or with --perfconv.
"""

import argparse
import os
import re
import sys

SCRIPT_FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, SCRIPT_FOLDER)

from pam_profiling import drive, settings  # noqa: E402
from pam_profiling.attach import Attached  # noqa: E402
from pam_profiling.launch import Launched  # noqa: E402
from pam_profiling.messages import (  # noqa: E402
    ProfilingError, Stopped, say)
from pam_profiling.process import StopRequest  # noqa: E402
from pam_profiling.run import Run  # noqa: E402
from pam_profiling.unit import Unit  # noqa: E402

SCENARIOS = ("idle-no-leaffc", "idle-with-leaffc", "esc-calibration",
             "rc-stream", "mission-execution")


def make_parser():
    parser = argparse.ArgumentParser(
        description="Profile PAM with perf and write a speedscope file.",
        epilog="Scenarios are labels: " + ", ".join(SCENARIOS) + ", or any "
               "other word. What is recorded is what PAM does meanwhile; "
               "--drive makes it do what the label says.")
    what = parser.add_argument_group("what is recorded")
    what.add_argument("--scenario", metavar="NAME",
                      help="label of this profile")
    what.add_argument("--all-scenarios", action="store_true",
                      help="the five scenarios one after the other, each "
                           "driven, --duration seconds each")
    what.add_argument("--duration", type=float, default=60.0,
                      metavar="SECONDS",
                      help="how long to record (default: 60), 0: until "
                           "Ctrl+C, which always stops and keeps what there "
                           "is")
    what.add_argument("--startup", action="store_true",
                      help="record PAM from its exec on, too")
    what.add_argument("--shutdown", action="store_true",
                      help="record until PAM has ended")
    pam = parser.add_argument_group("PAM")
    pam.add_argument("--python", metavar="EXE",
                     help="PAM's Python (default: the active venv, PAM's "
                          ".venv, build/pam/venv, else this one)")
    pam.add_argument("--port", type=int, default=9000,
                     help="PAM's port (default: %(default)s)")
    pam.add_argument("--attach", nargs="?", type=int, const=0, metavar="PID",
                     help="record a PAM that runs, and its workers: this "
                          "process, or the one that listens on --port; needs "
                          "PYFRAMES=agent in PAM's environment")
    pam.add_argument("--unit", metavar="NAME",
                     help="record a PAM that systemd runs; restarts the "
                          "service once, with pyframes, where it has none")
    pam.add_argument("--inject", action="store_true",
                     help="with --attach: load pyframes with gdb into a PAM "
                          "that was started without; stops it for some "
                          "seconds and may hang it")
    pam.add_argument("--with-services", action="store_true",
                     help="start redis, mosquitto, a side-service "
                          "stand-in and, except for idle-no-leaffc, a "
                          "simulated vehicle, all on loopback")
    pam.add_argument("--no-pyframes", action="store_true",
                     help="record without Python's functions")
    work = parser.add_argument_group("what PAM does meanwhile")
    work.add_argument("--drive", nargs="?", const="", metavar="WORK[,WORK]",
                      help="run the scenario against the simulated vehicle "
                           "(implies --with-services); WORK: "
                           + ", ".join(drive.WORK) + " (default: the "
                           "scenario's own)")
    work.add_argument("--mission", metavar="FILE",
                      help="post this mission plan to PAM when the recording "
                           "has begun")
    work.add_argument("--vehicle-rate", action="append", default=[],
                      metavar="MESSAGE=HZ",
                      help="rate of one of the simulated vehicle's messages "
                           "(rc_channels=50); may be given several times")
    work.add_argument("--flight-time", type=float, metavar="SECONDS",
                      help="how long the simulated vehicle takes for each leg "
                           "of a mission")
    result = parser.add_argument_group("the result")
    result.add_argument("--output", default="profiles", metavar="DIR",
                        help="folder for the result (default: %(default)s)")
    result.add_argument("--perfconv", metavar="FILE",
                        help="the converter (default: $PERFCONV, PATH, "
                             "../build/perfconv)")
    result.add_argument("--view", action="store_true",
                        help="open the profile in speedscope, or say how")
    result.add_argument("--no-convert", action="store_true",
                        help="only record; keeps the capture")
    result.add_argument("--keep", action="store_true",
                        help="keep the folder with perf.data, side files "
                             "and logs, instead of a bundle")
    settings.add_arguments(parser.add_argument_group("how it is recorded"))
    return parser


def parse_arguments(argv):
    parser = make_parser()
    arguments = parser.parse_args(argv)
    if arguments.all_scenarios == bool(arguments.scenario):
        parser.error("give either --scenario NAME or --all-scenarios")
    if arguments.scenario and not re.fullmatch(
            r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", arguments.scenario):
        parser.error("--scenario becomes part of a file name: use letters, "
                     "digits, '-', '_' and '.'")
    if arguments.duration and not 1 <= arguments.duration <= 86400:
        parser.error("--duration is in seconds, from 1 to 86400, or 0")
    if arguments.all_scenarios and not arguments.duration:
        parser.error("--all-scenarios needs a --duration")
    if arguments.flight_time is not None \
            and not 0 <= arguments.flight_time <= 3600:
        parser.error("--flight-time is in seconds, from 0 to 3600")
    if arguments.attach is not None or arguments.unit:
        check_attach(parser, arguments)
    elif arguments.inject:
        parser.error("--inject belongs to --attach")
    settings.check_arguments(parser, arguments)
    work = None if arguments.drive is None else arguments.drive.split(",")
    if work and work != [""] and not set(work) <= set(drive.WORK):
        parser.error("--drive takes " + ", ".join(drive.WORK))
    if work == [""] and arguments.scenario not in (None, *SCENARIOS):
        parser.error(f"nothing belongs to the scenario {arguments.scenario}: "
                     "say --drive " + "|".join(drive.WORK))
    return arguments


def check_attach(parser, arguments):
    """End with a usage error for what only a PAM that we start can do."""
    if arguments.attach is not None and arguments.unit:
        parser.error("give either --attach or --unit")
    if arguments.drive is not None or arguments.all_scenarios:
        parser.error("--drive turns motors: only with the simulated vehicle, "
                     "which comes with a PAM that is started here")
    for name in ("startup", "shutdown", "with_services"):
        if getattr(arguments, name):
            parser.error(f"--{name.replace('_', '-')} is for a PAM that is "
                         "started here, not for one that runs")


def of_scenario(arguments, scenario):
    """The arguments of one profile: `drive` becomes a list of work."""
    chosen = argparse.Namespace(**vars(arguments))
    chosen.scenario = scenario
    driven = arguments.drive is not None or arguments.all_scenarios
    chosen.drive = [kind for kind in (arguments.drive or "").split(",") if kind]
    if driven and not chosen.drive and scenario in drive.WORK:
        chosen.drive = [scenario]
    if arguments.mission and drive.MISSION not in chosen.drive:
        chosen.drive.append(drive.MISSION)
    chosen.with_services = chosen.with_services or driven
    return chosen


def profile(arguments, stop):
    """One profile; returns the exit status."""
    subject = Launched
    if arguments.unit:
        subject = Unit
    elif arguments.attach is not None:
        subject = Attached
    run = Run(arguments, stop, SCRIPT_FOLDER, subject)
    try:
        return run.execute()
    except ProfilingError as error:
        run.steps.abandon()
        for sentence in str(error).splitlines():
            say(f"profile_pam.py: {sentence}")
        return 1
    except OSError as error:
        run.steps.abandon()
        say(f"profile_pam.py: {error.filename or 'a file'}: "
            f"{error.strerror}; check the folder's owner and free space.")
        return 1
    except Stopped:
        say("profile_pam.py: stopped before anything was recorded.")
        return 128 + stop.number


def main(argv=None):
    arguments = parse_arguments(argv)
    names = SCENARIOS if arguments.all_scenarios else (arguments.scenario,)
    stop = StopRequest()
    status = 0
    try:
        for name in names:
            status = max(status, profile(of_scenario(arguments, name), stop))
            if stop.count:
                break
    finally:
        stop.release()
    return status


if __name__ == "__main__":
    sys.exit(main())
