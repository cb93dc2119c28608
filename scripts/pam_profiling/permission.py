# SPDX-License-Identifier: GPL-2.0
"""How perf may be run here, and what it may record: found by trying.

perf is the only program here that may need privilege: it runs directly where
that is allowed, else through `sudo -n`.
"""

import os
import shutil
import subprocess

from . import perf_event, settings
from .messages import see

TRIAL_S = 20
FIRST_USER_NAMESPACE = 0xEFFFFFFD  # its inode: linux/proc_ns.h


class Permission:
    """A way to run perf that was tried and works.

    perf        path of perf
    prefix      [] or ["sudo", "-n"]
    settings    settings.Settings
    """

    def __init__(self, perf, prefix, chosen):
        self.perf = perf
        self.prefix = prefix
        self.settings = chosen

    @property
    def options(self):
        """Options of perf record that were tried."""
        return self.settings.options()

    @property
    def kernel(self):
        """True when kernel frames are recorded too."""
        return self.settings.kernel


def find_permission(folder, best=None, through_sudo=True):
    """Try a recording of `true` in the ways that are open to this user.

    folder        takes the trial's file
    best          settings.Settings to begin with; those that ask for less
                  follow
    through_sudo  False: only with this user's own rights

    Returns (Permission, None), or (None, a sentence with the remedy).
    """
    perf = shutil.which("perf")
    if perf is None:
        return None, ("perf is not installed: apt-get install linux-perf "
                      "(Debian, Raspberry Pi OS) or linux-tools-$(uname -r) "
                      "(Ubuntu)." + see("no-perf"))
    best = best or settings.Settings(clock=settings.best_clock())
    refusal = ""
    for prefix, chosen in attempts(perf, best, through_sudo):
        words = refusal_of(Permission(perf, prefix, chosen), folder)
        if words is None:
            return Permission(perf, prefix, chosen), None
        refusal = refusal or words
    return None, permission_remedy(refusal)


def attempts(perf, best, through_sudo):
    """(prefix, Settings) in the order in which they are tried.

    Privilege through sudo is preferred to a recording that lacks a part, and a
    lesser recording to none.
    """
    root = os.geteuid() == 0
    if root and not in_user_namespace():
        # In a container root may lack the right, and perf does without in silence.
        return [([], step) for step in settings.within_own_rights(
            settings.ladder(best, True))]
    steps = settings.ladder(best, False)
    if root or not has_capabilities(perf):
        steps = settings.within_own_rights(steps)
    own = [([], step) for step in steps]
    if not through_sudo or root or not shutil.which("sudo"):
        return own
    whole = [attempt for attempt in own if attempt[1] == best]
    rest = [attempt for attempt in own if attempt[1] != best]
    return whole + [(["sudo", "-n"], step)
                    for step in settings.ladder(best, True)] + rest


def in_user_namespace():
    """True where root is root of a user namespace only."""
    try:
        return os.stat("/proc/self/ns/user").st_ino != FIRST_USER_NAMESPACE
    except OSError:
        return False


def has_capabilities(path):
    """True for a program with file capabilities, as setcap gives them."""
    try:
        return bool(os.getxattr(path, "security.capability"))
    except OSError:
        return False


def refusal_of(permission, folder):
    """None when a trial recording works, else perf's words."""
    trial = os.path.join(folder, "trial.data")
    command = [*permission.prefix, permission.perf, "record",
               *permission.options, "-o", trial, "--", "true"]
    try:
        # In a session of its own, as the recording: sudo asks per terminal.
        result = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            errors="replace", timeout=TRIAL_S, check=False,
            start_new_session=True)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    finally:
        if os.path.exists(trial):
            os.unlink(trial)
    return None if result.returncode == 0 else result.stderr or "no reason given"


def permission_remedy(words):
    """One sentence for the kernel's refusal."""
    paranoid = perf_event.paranoid_level()
    if paranoid > 1:
        return ("perf may not watch processes here (perf_event_paranoid is "
                f"{paranoid}): run this with sudo, or allow it until the next "
                "boot with: sudo sysctl kernel.perf_event_paranoid=1."
                + see("permission"))
    lines = [line.strip() for line in words.splitlines() if line.strip()
             and not line.startswith("WARNING:")]
    reason = lines[0][:100] if lines else "no reason given"
    return (f"perf could not record a trial ({reason}): in a container allow "
            "perf_event_open (--cap-add PERFMON), else run this with sudo."
            + see("permission"))
