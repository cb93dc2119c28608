# SPDX-License-Identifier: GPL-2.0
"""The PAM that a run starts itself, with what it needs around it."""

import os
import shutil
import sys

from . import drive, frame_pointers, preflight, services
from .app import Pam
from .messages import Stopped, say
from .target import ask_target

NO_VEHICLE = "idle-no-leaffc"
RC_RATE = "rc_channels=50"


class Launched:
    """Starts PAM and stops it again; as attach.Attached is for one that runs.

    run            run.Run, whose arguments, steps, children, user it shares
    target         target.Target, once problems() was called
    pam_user       whose process PAM is, as user.InvokingUser
    """

    def __init__(self, run, script_folder):
        self.run = run
        self.arguments = run.arguments
        self.steps = run.steps
        self.script_folder = script_folder
        self.environ = base_environment(run.user, script_folder)
        self.contrib = services.find_contrib(script_folder)
        self.pam_user = run.user
        self.target = None
        self.pam = None
        self.around = None

    # ----- before anything is started ------------------------------------

    def problems(self):
        """Sentences about what would fail; asks the interpreter about itself."""
        arguments = self.arguments
        python = arguments.python or default_python(self.script_folder,
                                                    self.environ)
        self.target = ask_target(shutil.which(
            python, path=self.environ.get("PATH")) or python,
                                 self.run.user, self.environ)
        problems = [preflight.check_target(self.target),
                    preflight.check_pam_port(arguments.port)]
        if (not arguments.no_pyframes and self.target.is_supported()
                and self.target.has_pam):
            problems.append(preflight.check_pyframes(self.target))
        if arguments.with_services:
            problems.append(preflight.check_service_programs(self.target))
            if self.contrib is None:
                problems.append("The folder contrib/vehicle is missing: copy "
                                "it beside this script.")
        else:
            problems.append(preflight.check_redis(*self.redis_address()))
        return problems

    def redis_address(self):
        """Where PAM will look for redis: (host, port)."""
        port = self.environ.get("PETAL_REDIS_PORT", "6379")
        return (self.environ.get("PETAL_REDIS_HOST", "localhost"),
                int(port) if port.isdigit() else 6379)

    # ----- start ---------------------------------------------------------

    def prepare(self):
        """Start services, then PAM: until it is healthy, or up to its exec."""
        environ = dict(self.environ)
        if self.arguments.with_services:
            environ.update(self._start_services())
        environ["PETAL_LOG_DIR"] = "logs"
        environ.setdefault("PETAL_CALLBACK_PORT", str(self.arguments.port))
        if not self.arguments.no_pyframes:
            environ["PYFRAMES"] = "1"
            environ["PYFRAMES_AGENT"] = "1"
            environ["PYFRAMES_DIR"] = self.run.capture.pyframes
        self.pam = Pam(self.target, self.run.capture, self.arguments.port,
                       self.run.user, self.run.children, self.run.stop)
        self.pam.start(environ, held=self.arguments.startup)
        if not self.arguments.startup:
            self._wait_ready()

    def begin(self):
        """The recording runs: a PAM that was held back may start now."""
        if self.arguments.startup:
            self.pam.child.release()
            self._wait_ready()

    def _wait_ready(self):
        self.steps.begin(f"PAM on 127.0.0.1:{self.arguments.port}")
        self.pam.wait_healthy(self.steps)
        self._leave_if_stopped()
        self.steps.done("healthy")
        if self.has_vehicle():
            self.steps.begin("PAM hears the vehicle")
            heard = self.pam.wait_vehicle()
            self._leave_if_stopped()
            self.steps.done("ok" if heard else "not yet")

    def has_vehicle(self):
        """True when a simulated vehicle is part of this run."""
        return (self.arguments.with_services
                and self.arguments.scenario != NO_VEHICLE)

    def vehicle_log(self):
        """Where the simulated vehicle speaks, or None without one."""
        return self.around.vehicle_log if self.has_vehicle() else None

    def _start_services(self):
        """Start them; returns the environment that points PAM at them."""
        self.around = services.Services(
            self.run.capture.folder, self.contrib, self.target.executable,
            self.run.user, self.run.children, self.run.stop)
        starts = [("redis", self.around.start_redis),
                  ("mosquitto", self.around.start_broker),
                  ("side-service stand-in", self.around.start_side_service)]
        if self.has_vehicle():
            starts.append(("simulated vehicle", self._start_vehicle))
        for name, start in starts:
            self.steps.begin(name)
            start()
            self._leave_if_stopped()
            self.steps.done()
        return self.around.environment(self.arguments.port, self.environ)

    def _start_vehicle(self):
        self.around.start_vehicle(self._vehicle_rates(),
                                  self.arguments.flight_time)

    def _vehicle_rates(self):
        """Rates as asked for; the RC stream wants its messages as fast."""
        return ([RC_RATE] * (drive.RC in self.arguments.drive)
                + self.arguments.vehicle_rate)

    def _leave_if_stopped(self):
        # What was recorded up to here is worth keeping.
        if self.run.stop.count and not self.arguments.startup:
            self.steps.abandon()
            raise Stopped()

    # ----- while it runs -------------------------------------------------

    def pids(self):
        """Processes to record; their descendants are recorded too."""
        return [self.pam.pid]

    def dump_environment(self):
        """The environment in which `python -m pyframes` finds PAM's agent."""
        return self.environ

    def keeps_frame_pointers(self):
        """True when PAM's Python keeps them; before its exec its file tells."""
        path = (os.path.realpath(self.target.executable)
                if self.arguments.startup
                else frame_pointers.interpreter_file(self.pam.pid))
        return frame_pointers.kept(path)

    def obituary(self):
        """A sentence once PAM has ended by itself, else None."""
        return self.pam.obituary()

    def facts(self):
        """Metadata that only this kind of run has."""
        if not self.arguments.with_services:
            return {}
        if not self.has_vehicle():
            return {"vehicle": "none"}
        facts = {"vehicle": "simulated"}
        if self._vehicle_rates():
            facts["vehicle_rates"] = ", ".join(self._vehicle_rates())
        if self.arguments.flight_time is not None:
            facts["flight_time_s"] = f"{self.arguments.flight_time:g}"
        return facts

    # ----- the end -------------------------------------------------------

    def stop_pam(self):
        """Stop PAM as Ctrl+C would, and wait until it is gone."""
        self.pam.stop()

    def end(self):
        """Stop PAM and all that was started for it."""
        if self.pam is None:
            return
        self.steps.begin("stopping PAM and services"
                         if self.arguments.with_services else "stopping PAM")
        self.pam.stop()
        self.run.children.stop_all()
        self.steps.done()

    def collect(self, capture):
        """Put pyframes' files beside the capture."""
        count = capture.collect_side_files(capture.pyframes)
        if not count and not self.arguments.no_pyframes:
            say("  pyframes wrote no side file: Python's functions will be "
                f"missing; read {self.pam.log}.")
        return count


def default_python(script_folder, environ):
    """PAM's Python where it can be guessed, else the one running this."""
    repository = os.path.dirname(script_folder)
    guesses = [environ.get("VIRTUAL_ENV"),
               os.path.join(os.path.dirname(repository), ".venv"),
               os.path.join(repository, "build", "pam", "venv")]
    for guess in filter(None, guesses):
        path = os.path.join(guess, "bin", "python")
        if os.access(path, os.X_OK):
            return path
    return sys.executable


def base_environment(user, script_folder):
    """The user's environment; a PAM source checkout around us is importable.

    In PAM's repository profile_pam.py lies in tools/profiling/.
    """
    environ = user.environment()
    checkout = os.path.dirname(os.path.dirname(script_folder))
    source = os.path.join(checkout, "src")
    if os.path.isfile(os.path.join(source, "petal_app_manager", "main.py")):
        known = environ.get("PYTHONPATH")
        environ["PYTHONPATH"] = source + (os.pathsep + known if known else "")
    return environ
