#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Profile Petal App Manager (PAM) with perf, Python frames included.

Starts PAM with pyframes, waits until it is healthy, records it with perf,
stops it and writes

    profiles/pam_<scenario>_<YYYYMMDD_HHMMSS>_perf.speedscope.json

Standard library only. To use it inside PAM's own repository, copy this file
and the folder pam_profiling/ into tools/profiling/; perfconv is then found in
PATH, $PERFCONV or with --perfconv.
"""

import argparse
import os
import re
import shutil
import sys
import tempfile

SCRIPT_FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, SCRIPT_FOLDER)

from pam_profiling import (  # noqa: E402
    frame_pointers, preflight, services, settings, snapshots)
from pam_profiling.app import Pam  # noqa: E402
from pam_profiling.capture import (  # noqa: E402
    Capture, board_facts, convert, convert_command, describe_target,
    find_perfconv, shorter_path)
from pam_profiling.messages import (  # noqa: E402
    ProfilingError, Steps, Stopped, say)
from pam_profiling.permission import find_permission  # noqa: E402
from pam_profiling.process import Children, StopRequest  # noqa: E402
from pam_profiling.progress import (  # noqa: E402
    RecordingProgress, watch)
from pam_profiling.recorder import Recorder  # noqa: E402
from pam_profiling.stack_dumps import StackDumps  # noqa: E402
from pam_profiling.target import ask_target  # noqa: E402
from pam_profiling.user import InvokingUser  # noqa: E402

SCENARIOS = ("idle-no-leaffc", "idle-with-leaffc", "esc-calibration",
             "rc-stream", "mission-execution")
NO_VEHICLE = "idle-no-leaffc"


def parse_arguments(argv):
    parser = argparse.ArgumentParser(
        description="Profile PAM with perf and write a speedscope file.",
        epilog="Scenarios are labels: " + ", ".join(SCENARIOS) + ", or any "
               "other word. What is recorded is what PAM does meanwhile.")
    parser.add_argument("--scenario", required=True, metavar="NAME",
                        help="label of this profile")
    parser.add_argument("--duration", type=float, default=60.0,
                        metavar="SECONDS",
                        help="how long to record (default: 60); Ctrl+C ends "
                             "it earlier and keeps what there is")
    parser.add_argument("--output", default="profiles", metavar="DIR",
                        help="folder for the result (default: %(default)s)")
    parser.add_argument("--python", metavar="EXE",
                        help="PAM's Python (default: the active venv, PAM's "
                             ".venv, build/pam/venv, else this one)")
    parser.add_argument("--port", type=int, default=9000,
                        help="PAM's port (default: %(default)s)")
    parser.add_argument("--with-services", action="store_true",
                        help="start redis, mosquitto, a side-service "
                             "stand-in and, except for idle-no-leaffc, a "
                             "simulated vehicle, all on loopback")
    parser.add_argument("--perfconv", metavar="FILE",
                        help="the converter (default: $PERFCONV, PATH, "
                             "../build/perfconv)")
    parser.add_argument("--no-convert", action="store_true",
                        help="only record; keeps the capture")
    parser.add_argument("--no-pyframes", action="store_true",
                        help="record without Python's functions")
    parser.add_argument("--keep", action="store_true",
                        help="keep perf.data, side files and logs")
    settings.add_arguments(parser)
    arguments = parser.parse_args(argv)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}",
                        arguments.scenario):
        parser.error("--scenario becomes part of a file name: use letters, "
                     "digits, '-', '_' and '.'")
    if not 1 <= arguments.duration <= 86400:
        parser.error("--duration is in seconds, from 1 to 86400")
    settings.check_arguments(parser, arguments)
    return arguments


def default_python():
    """PAM's Python where it can be guessed, else the one running this."""
    repository = os.path.dirname(SCRIPT_FOLDER)
    guesses = [os.environ.get("VIRTUAL_ENV"),
               os.path.join(os.path.dirname(repository), ".venv"),
               os.path.join(repository, "build", "pam", "venv")]
    for guess in filter(None, guesses):
        path = os.path.join(guess, "bin", "python")
        if os.access(path, os.X_OK):
            return path
    return sys.executable


def base_environment(user):
    """The user's environment; a PAM source checkout around us is importable.

    In PAM's repository this file lies in tools/profiling/.
    """
    environ = user.environment()
    checkout = os.path.dirname(os.path.dirname(SCRIPT_FOLDER))
    source = os.path.join(checkout, "src")
    if os.path.isfile(os.path.join(source, "petal_app_manager", "main.py")):
        known = environ.get("PYTHONPATH")
        environ["PYTHONPATH"] = source + (os.pathsep + known if known else "")
    return environ


class Run:
    """One profile, from the checks to the file.

    Raises ProfilingError with one sentence; Stopped when the user gave up
    before there was anything to keep.
    """

    def __init__(self, arguments, stop):
        self.arguments = arguments
        self.stop = stop
        self.steps = Steps()
        self.user = InvokingUser()
        self.children = Children()
        self.capture = Capture(arguments.output, arguments.scenario,
                               self.user)
        self.environ = base_environment(self.user)
        self.target = None
        self.permission = None
        self.perfconv = None
        self.contrib = services.find_contrib(SCRIPT_FOLDER)
        self.keep_folder = arguments.keep or arguments.no_convert

    # ----- before anything is started ------------------------------------

    def check(self):
        """Everything that can be known to fail, told at once."""
        arguments = self.arguments
        python = arguments.python or default_python()
        self.target = ask_target(shutil.which(python) or python, self.user,
                                 self.environ)
        problems = [preflight.check_target(self.target),
                    preflight.check_pam_port(arguments.port),
                    preflight.check_output(arguments.output, self.user,
                                           arguments.duration)]
        if not arguments.no_pyframes and self.target.is_supported():
            problems.append(preflight.check_pyframes(self.target))
        if arguments.with_services:
            problems.append(preflight.check_service_programs(self.target))
            if self.contrib is None:
                problems.append("The folder contrib/vehicle is missing: copy "
                                "it beside this script.")
        else:
            problems.append(preflight.check_redis(*self.redis_address()))
        if not arguments.no_convert:
            self.perfconv = find_perfconv(arguments.perfconv, SCRIPT_FOLDER)
            problems.append(preflight.check_perfconv(self.perfconv,
                                                     arguments.perfconv))
        with tempfile.TemporaryDirectory(prefix="profile-pam-") as folder:
            self.permission, problem = find_permission(
                folder, settings.wanted(self.arguments))
        problems.append(problem)
        problems = [problem for problem in problems if problem]
        if problems:
            raise ProfilingError("\n".join(problems))

    def redis_address(self):
        """Where PAM will look for redis: (host, port)."""
        port = self.environ.get("PETAL_REDIS_PORT", "6379")
        return (self.environ.get("PETAL_REDIS_HOST", "localhost"),
                int(port) if port.isdigit() else 6379)

    # ----- start, record, stop -------------------------------------------

    def execute(self):
        """Run the whole profile; returns the exit status."""
        self.check()
        self.headline()
        self.capture.create()
        try:
            status = self.record_and_convert()
        except Stopped:
            self.keep_folder = False
            raise
        except BaseException:
            self.keep_folder = True
            raise
        finally:
            self.children.stop_all()
            if self.keep_folder:
                self.capture.hand_over()
            else:
                self.capture.remove()
        return status

    def record_and_convert(self):
        """All stages between the checks and the cleaning up."""
        pam = self.start_programs()
        problem, metadata = self.record(pam)
        self.stop_programs(pam)
        if problem:
            self.keep_folder = True
            say(f"profile_pam.py: {problem}")
        self.finish(metadata)
        return 1 if problem else 0

    def headline(self):
        target = self.target
        say(f"PAM {target.pam_version or '(source checkout)'} "
            f"(Python {target.version}, {len(target.enabled_petals)} petals)"
            f", scenario {self.arguments.scenario}, "
            f"{self.arguments.duration:g} s")
        for loss in self.permission.settings.losses():
            say(f"  {loss}")

    def start_programs(self):
        """Services as asked for, then PAM until it is healthy."""
        environ = dict(self.environ)
        if self.arguments.with_services:
            environ.update(self.start_services())
        environ["PETAL_LOG_DIR"] = "logs"
        environ.setdefault("PETAL_CALLBACK_PORT", str(self.arguments.port))
        if not self.arguments.no_pyframes:
            environ["PYFRAMES"] = "1"
            environ["PYFRAMES_AGENT"] = "1"
            environ["PYFRAMES_DIR"] = self.capture.pyframes
        pam = Pam(self.target, self.capture, self.arguments.port, self.user,
                  self.children, self.stop)
        self.steps.begin(f"PAM on 127.0.0.1:{self.arguments.port}")
        pam.start(environ)
        pam.wait_healthy(self.steps)
        self.leave_if_stopped()
        self.steps.done("healthy")
        if self.has_vehicle():
            self.steps.begin("PAM hears the vehicle")
            heard = pam.wait_vehicle()
            self.leave_if_stopped()
            self.steps.done("ok" if heard else "not yet")
        return pam

    def has_vehicle(self):
        """True when a simulated vehicle is part of this run."""
        return (self.arguments.with_services
                and self.arguments.scenario != NO_VEHICLE)

    def start_services(self):
        """Start them; returns the environment that points PAM at them."""
        around = services.Services(
            self.capture.folder, self.contrib, self.target.executable,
            self.user, self.children, self.stop)
        starts = [("redis", around.start_redis),
                  ("mosquitto", around.start_broker),
                  ("side-service stand-in", around.start_side_service)]
        if self.has_vehicle():
            starts.append(("simulated vehicle", around.start_vehicle))
        for name, start in starts:
            self.steps.begin(name)
            start()
            self.leave_if_stopped()
            self.steps.done()
        return around.environment(self.arguments.port)

    def leave_if_stopped(self):
        if self.stop.count:
            self.steps.abandon()
            raise Stopped()

    def record(self, pam):
        """Record PAM and its workers for the duration, or until a stop.

        Returns (what went wrong or "", metadata).
        """
        capture = self.capture
        self.choose_stacks(pam)
        recorder = Recorder(self.permission, capture.data, capture.folder,
                            self.children, self.user, self.stack_dumps())
        progress = RecordingProgress(self.arguments.scenario,
                                     self.arguments.duration)
        metadata = describe_target(self.target)
        if self.arguments.with_services:
            metadata["vehicle"] = "simulated" if self.has_vehicle() else "none"
        self.steps.begin("perf")
        try:
            recorder.start(snapshots.family([pam.pid]), self.stop)
            self.leave_if_stopped()
            recorder.enable(self.stop)
            self.leave_if_stopped()
            self.steps.done()
            metadata.update(board_facts())
            elapsed, problem = watch(
                recorder, progress, self.stop,
                lambda: None if pam.child.is_running() else pam.obituary())
        except ProfilingError as error:
            # A PAM that has ended takes perf with it, and is the reason.
            if pam.child.is_running():
                raise
            raise ProfilingError(pam.obituary()) from error
        finally:
            refusal = recorder.stop()
        progress.finish(elapsed, recorder, self.stop)
        problem = problem or refusal
        metadata["duration_s"] = f"{elapsed:.1f}"
        if self.stop.count:
            metadata["stopped_early"] = "yes"
        if not recorder.bytes_written():
            raise ProfilingError(
                problem or f"perf wrote nothing: read {recorder.log}.")
        return problem, metadata

    def choose_stacks(self, pam):
        """Frame pointers where PAM's Python has them, else stack copies."""
        chosen = self.permission.settings
        if self.arguments.mode == "auto" and frame_pointers.kept(
                frame_pointers.interpreter_file(pam.pid)):
            chosen = chosen.with_frame_pointers()
            say("  this Python keeps frame pointers: recording with -g, "
                "without stack copies (--mode dwarf has them, and lines)")
        self.permission.settings = chosen

    def stack_dumps(self):
        """How pyframes in PAM is asked for its stacks."""
        python = None if self.arguments.no_pyframes else self.target.executable
        return StackDumps(python, self.user, self.environ)

    def stop_programs(self, pam):
        self.steps.begin("stopping PAM and services"
                         if self.arguments.with_services else "stopping PAM")
        pam.stop()
        self.children.stop_all()
        self.steps.done()

    # ----- after everything is stopped -----------------------------------

    def finish(self, metadata):
        """Convert; perfconv's summary says where the file is."""
        count = self.capture.collect_side_files()
        if not count and not self.arguments.no_pyframes:
            self.keep_folder = True
            say("  pyframes wrote no side file: Python's functions will be "
                f"missing; read {self.capture.folder}/pam.log.")
        if not self.arguments.no_convert:
            convert(convert_command(self.perfconv, self.capture,
                                    self.arguments.scenario, metadata),
                    self.capture, self.stop)
        if self.keep_folder:
            say(f"capture: {shorter_path(self.capture.folder)}")


def main(argv=None):
    arguments = parse_arguments(argv)
    stop = StopRequest()
    run = Run(arguments, stop)
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
    finally:
        stop.release()


if __name__ == "__main__":
    sys.exit(main())
