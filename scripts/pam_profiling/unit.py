# SPDX-License-Identifier: GPL-2.0
"""A PAM that systemd runs: given pyframes by a drop-in, then recorded as any other.

The drop-in lies below /run, so that no reboot sees it, and is removed when the
profile is done. The service is restarted once, where it runs without pyframes,
which is active from the start: a loop that a thread never leaves, as PAM's have,
is named only so. What stays until its next start is the extension, asleep.
"""

import os
import shutil
import subprocess

from . import find_pam
from .app import Health
from .attach import Attached
from .messages import ProfilingError, say, see
from .snapshots import family

DROP_INS = "/run/systemd/system"
DROP_IN = "50-pyframes.conf"
TEXT = """\
# Written by profile_pam.py --unit, which removes it again.
[Service]
Environment=PYFRAMES=1
Environment=PYFRAMES_AGENT=1
"""
SYSTEMCTL_S = 120.0


class Unit(Attached):
    """Records the PAM among a service's processes, and its workers."""

    topic = "unit"

    def __init__(self, run, script_folder):
        super().__init__(run, script_folder)
        self.name = service_name(self.arguments.unit)
        self._drop_in = os.path.join(DROP_INS, self.name + ".d", DROP_IN)

    # ----- before anything is started ------------------------------------

    def find(self):
        """The PAM of the service; raises ProfilingError.

        That is the main process, or its child that listens on PAM's port: a
        unit may start a shell script.
        """
        main = self._main_process()
        listening, _ = find_pam.listeners(self.arguments.port)
        members = set(family([main]))
        return next((pid for pid in listening if pid in members), main)

    def _main_process(self):
        """The service's main process; raises ProfilingError."""
        if not shutil.which("systemctl"):
            raise ProfilingError(
                "There is no systemctl here: record a PAM that runs with "
                "--attach instead of --unit." + see("unit"))
        known = self._show()
        if known.get("LoadState") != "loaded":
            raise ProfilingError(
                f"systemd knows no {self.name} "
                f"({known.get('LoadState') or 'no answer'}): find PAM's with: "
                "systemctl list-units --type=service." + see("unit"))
        pid = int(known.get("MainPID") or 0)
        if not pid:
            raise ProfilingError(
                f"{self.name} does not run ({known.get('ActiveState')}): start "
                f"it with: sudo systemctl start {self.name}." + see("unit"))
        return find_pam.find(self.arguments.port, pid)

    def without_agent(self):
        """None: the service can be restarted with one. Else a sentence."""
        if os.geteuid() == 0:
            return None
        return (f"{self.name} runs without pyframes, and to restart it with "
                "pyframes needs root: run this with sudo." + see("unit"))

    # ----- while it runs -------------------------------------------------

    def prepare(self):
        """Restart the service with pyframes, where it has none; wake that."""
        if not (self.arguments.no_pyframes or self.agents() or self.named()):
            self.steps.begin(f"{self.name} with pyframes")
            self._write_drop_in()
            self._systemctl("restart", self.name)
            # For some milliseconds the main process is systemd's own child,
            # of root, and what it will be cannot be seen: wait before looking.
            self.watch(self._main_process())
            health = Health(self.arguments.port, self.target, self.run.stop,
                            self.obituary, f"journalctl -u {self.name}")
            health.wait_healthy(self.steps)
            self.run.leave_if_stopped()
            self.look_at(self.find())
            self._woken = dict.fromkeys([self.pid, *self.agents()], ())
            self.steps.done("restarted, healthy")
            say("  pyframes stays in it until its next restart, asleep after this")
        elif os.path.exists(self._drop_in):
            # Left by a profile that was killed, and so pyframes is active.
            self._woken = dict.fromkeys(self.agents(), ())
        super().prepare()

    def _write_drop_in(self):
        os.makedirs(os.path.dirname(self._drop_in), exist_ok=True)
        with open(self._drop_in, "w", encoding="ascii") as stream:
            stream.write(TEXT)
        self._systemctl("daemon-reload")

    def obituary(self):
        ended = super().obituary()
        return ended and (f"{self.name} (pid {self.pid}) ended during the "
                          f"profile: journalctl -u {self.name} tells why.")

    def facts(self):
        return dict(super().facts(), unit=self.name)

    def where_it_speaks(self):
        return f"journalctl -u {self.name}"

    # ----- the end -------------------------------------------------------

    def end(self):
        """Put pyframes to sleep, and take the drop-in away."""
        super().end()
        if os.path.exists(self._drop_in):
            os.unlink(self._drop_in)
            try:
                os.rmdir(os.path.dirname(self._drop_in))
            except OSError:
                pass  # others have drop-ins there
            self._systemctl("daemon-reload")

    # ----- systemctl -----------------------------------------------------

    def _show(self):
        """Properties of the service, as systemd tells them."""
        words = self._systemctl("show", self.name, "--property=LoadState,"
                                "ActiveState,MainPID")
        return dict(line.split("=", 1) for line in words.splitlines()
                    if "=" in line)

    def _systemctl(self, *words):
        """What systemctl says; raises ProfilingError with its words if it fails."""
        command = ["systemctl", "--no-ask-password", *words]
        try:
            result = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True,
                text=True, timeout=SYSTEMCTL_S, check=False)
            failure = result.stderr.strip() if result.returncode else None
        except (OSError, subprocess.TimeoutExpired) as error:
            failure = str(error)
        if failure is not None:
            raise ProfilingError(
                f"{' '.join(command)} failed ({failure[:160]}): see: "
                f"systemctl status {self.name}")
        return result.stdout


def service_name(name):
    """The full name of a service unit."""
    return name if name.endswith(".service") else name + ".service"
