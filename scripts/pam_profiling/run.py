# SPDX-License-Identifier: GPL-2.0
"""One profile of PAM, from the checks to the file.

    check      everything that can be known to fail, before anything starts
    record     PAM is made ready, perf records it, a scenario may be driven
    finish     PAM is left as it is to be left, the capture is converted and
               becomes a bundle

The PAM may be started here (launch.Launched) or run already
(attach.Attached): the same steps, the same words.
"""

import os
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

from . import capture_size, drive, preflight, settings, snapshots, view
from .capture import (
    Capture, bundle_command, convert, convert_command, describe_target,
    find_perfconv, findings_of, make_bundle, shorter_path)
from .board import board_facts, throttle_facts
from .messages import ProfilingError, Steps, Stopped, say, see
from .permission import find_permission
from .process import Children
from .progress import RecordingProgress, watch
from .recorder import Recorder
from .stack_dumps import StackDumps
from .user import InvokingUser


class Run:
    """One profile.

    arguments  those of profile_pam.py
    stop       process.StopRequest
    subject    (run) -> the PAM to record: a class as launch.Launched

    Raises ProfilingError with one sentence; Stopped when the user gave up
    before there was anything to keep.
    """

    def __init__(self, arguments, stop, script_folder, subject):
        self.arguments = arguments
        self.stop = stop
        self.steps = Steps()
        self.user = InvokingUser()
        self.children = Children()
        self.capture = Capture(arguments.output, arguments.scenario,
                               self.user)
        self.script_folder = script_folder
        self.subject = subject(self, script_folder)
        self.permission = None
        self.perfconv = None
        self.mission = None
        self.phases = Phases()
        self.keep_folder = arguments.keep or arguments.no_convert

    # ----- before anything is started ------------------------------------

    def check(self):
        """Everything that can be known to fail, told at once."""
        arguments = self.arguments
        # Two programs are asked, each for a second where the machine is busy.
        with ThreadPoolExecutor(max_workers=1) as pool:
            trial = pool.submit(self.try_perf)
            problems = self.subject.problems()
            self.permission, problem = trial.result()
        if not arguments.no_convert:
            self.perfconv = find_perfconv(arguments.perfconv,
                                          self.script_folder)
            problems.append(preflight.check_perfconv(self.perfconv,
                                                     arguments.perfconv))
        problems.append(problem)
        problems.append(preflight.check_output(
            arguments.output, self.user, arguments.duration, self.rate()))
        if drive.MISSION in arguments.drive:
            try:
                self.mission = drive.read_mission(
                    arguments.mission
                    or drive.example_mission(self.subject.contrib or ""))
            except ProfilingError as error:
                problems.append(str(error))
        problems = [problem for problem in problems if problem]
        if problems:
            raise ProfilingError("\n".join(problems))

    def try_perf(self):
        """What permission.find_permission says."""
        with tempfile.TemporaryDirectory(prefix="profile-pam-") as folder:
            return find_permission(folder, settings.wanted(self.arguments))

    def rate(self):
        """Bytes a second that the recording may write."""
        chosen = (self.permission.settings if self.permission
                  else settings.wanted(self.arguments))
        busy = capture_size.activity(
            self.arguments.scenario, self.arguments.drive,
            self.arguments.with_services)
        return capture_size.bytes_per_second(chosen, *busy)

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
        try:
            self.subject.prepare()
            problem, metadata = self.record()
        finally:
            self.steps.abandon()
            self.subject.end()
        if problem:
            self.keep_folder = True
            say(f"profile_pam.py: {problem}")
        self.finish(metadata)
        return 1 if problem else 0

    def headline(self):
        target, arguments = self.subject.target, self.arguments
        length = (f"{arguments.duration:g} s" if arguments.duration
                  else "until Ctrl+C")
        say(f"PAM {target.pam_version or '(source checkout)'} "
            f"(Python {target.version}, {len(target.enabled_petals)} petals)"
            f", scenario {arguments.scenario}, {length}")
        for loss in self.permission.settings.losses():
            say(f"  {loss}")
        if target.missing:
            say(f"  not installed, though proxies.yaml enables them: "
                f"{', '.join(target.missing)}; PAM goes on without."
                + see("petals"))

    def record(self):
        """Record PAM and its workers for the duration, or until a stop.

        Returns (what went wrong or "", metadata).
        """
        capture, subject = self.capture, self.subject
        self.choose_stacks()
        recorder = Recorder(self.permission, capture.data, capture.folder,
                            self.children, self.user, self.stack_dumps(),
                            monitors=os.path.dirname(capture.folder),
                            scenario=self.arguments.scenario)
        progress = RecordingProgress(self.arguments.scenario,
                                     self.arguments.duration)
        metadata = describe_target(subject.target)
        metadata.update(subject.facts())
        work = self.work(progress)
        self.steps.begin("perf")
        try:
            recorder.start(snapshots.family(subject.pids()), self.stop,
                           at_once=self.arguments.startup)
            self.leave_if_stopped()
            recorder.enable(self.stop)
            self.leave_if_stopped()
            self.steps.done()
            metadata.update(board_facts())
            throttled = throttle_facts()
            self.phases.begin()
            problem = self.record_phases(recorder, progress, work)
        except ProfilingError as error:
            # A PAM that has ended takes perf with it, and is the reason.
            ended = subject.obituary()
            if ended is None:
                raise
            raise ProfilingError(ended) from error
        finally:
            work.stop()
            elapsed = self.phases.elapsed_s()
            refusal = recorder.stop()
        progress.finish(elapsed, recorder, self.stop)
        metadata.update(work.facts(), **self.phases.facts())
        metadata.update(throttle_facts(throttled))
        metadata["duration_s"] = f"{elapsed:.1f}"
        if self.stop.count:
            metadata["stopped_early"] = "yes"
        problem = problem or refusal or "\n".join(work.refusals[:1])
        if not recorder.bytes_written():
            raise ProfilingError(
                problem or f"perf wrote nothing: read {recorder.log}.")
        return problem, metadata

    def record_phases(self, recorder, progress, work):
        """Startup, the time itself, shutdown; what went wrong, or ""."""
        subject = self.subject
        if self.arguments.startup:
            subject.begin()
            self.phases.end("startup")
        work.start()
        _, problem = watch(recorder, progress, self.stop, subject.obituary)
        work.stop()
        if self.arguments.startup or self.arguments.shutdown:
            self.phases.end("steady")
        if self.arguments.shutdown and not problem:
            recorder.look_around_last()
            self.steps.begin("PAM stops")
            subject.stop_pam()
            self.steps.done()
            self.phases.end("shutdown")
        return problem

    def work(self, progress):
        """What drives the scenario, not yet started."""
        return drive.Drive(self.arguments.port, self.arguments.drive,
                           self.mission, self.subject.vehicle_log(),
                           progress.note)

    def leave_if_stopped(self):
        if self.stop.count:
            self.steps.abandon()
            raise Stopped()

    def choose_stacks(self):
        """Frame pointers where PAM's Python has them, else stack copies."""
        chosen = self.permission.settings
        if (self.arguments.mode == "auto"
                and self.subject.keeps_frame_pointers()):
            chosen = chosen.with_frame_pointers()
            say("  this Python keeps frame pointers: recording with -g, "
                "without stack copies (--mode dwarf has them, and lines)")
        self.permission.settings = chosen

    def stack_dumps(self):
        """How pyframes in PAM is asked for its stacks."""
        python = (None if self.arguments.no_pyframes
                  else self.subject.target.executable)
        return StackDumps(python, self.subject.pam_user,
                          self.subject.dump_environment())

    # ----- after everything is stopped -----------------------------------

    def finish(self, metadata):
        """Convert; perfconv's summary says where the file is."""
        if not self.subject.collect(self.capture) \
                and not self.arguments.no_pyframes:
            self.keep_folder = True
        if not self.arguments.no_convert:
            convert(convert_command(self.perfconv, self.capture,
                                    self.arguments.scenario, metadata),
                    self.capture, self.stop)
            self.tell_findings()
            if self.arguments.view:
                view.show(self.capture.output, self.perfconv, self.user)
        if not self.keep_folder:
            self.bundle()
        if self.keep_folder:
            say(f"capture: {shorter_path(self.capture.folder)}")

    def tell_findings(self):
        """What stands out, a line each, and where more is said of it."""
        path = shorter_path(self.capture.output)
        findings = findings_of(self.perfconv, self.capture)
        for line in findings:
            say(line)
        if findings:
            say(f"why:     perfconv report {path}")

    def bundle(self):
        """One file instead of the folder, which stays where that fails."""
        path = shorter_path(self.capture.bundle)
        size = make_bundle(bundle_command(self.perfconv, self.capture),
                           self.capture, self.stop)
        if size is None:
            self.keep_folder = True
            say(f"  {path} could not be made: the capture is kept as it is.")
        else:
            say(f"{path}   {size / 1e6:.1f} MB   the capture, for perfconv on "
                "any machine")


class Phases:
    """When each phase of a recording began and ended, in seconds from its start."""

    def __init__(self):
        self._begin = self._last = time.monotonic()
        self._spans = {}

    def begin(self):
        """The recording begins now."""
        self._begin = self._last = time.monotonic()

    def end(self, name):
        """The phase since the last call, or the beginning, is called `name`."""
        now = time.monotonic()
        self._spans[name] = (self._last - self._begin, now - self._begin)
        self._last = now

    def elapsed_s(self):
        return time.monotonic() - self._begin

    def facts(self):
        """Metadata: phase_NAME_s is "begin-end"."""
        return {f"phase_{name}_s": f"{begin:.1f}-{end:.1f}"
                for name, (begin, end) in self._spans.items()}
