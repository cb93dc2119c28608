# SPDX-License-Identifier: GPL-2.0
"""Shows a profile in a viewer, where this machine has one and a screen."""

import shlex
import shutil
import subprocess

from .capture import shorter_path
from .messages import say

VIEW_S = 60


def viewer(perfconv, environ):
    """The command that opens a file, without the file; None: there is none."""
    if not any(environ.get(name) for name in
               ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")):
        return None
    if shutil.which("speedscope"):
        return ["speedscope"]
    return [perfconv, "view"] if has_view(perfconv) else None


def has_view(perfconv):
    """True when this perfconv has a viewer of its own."""
    try:
        result = subprocess.run([perfconv, "--help"], capture_output=True,
                                text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return any(line.split()[:1] == ["view"]
               for line in (result.stdout + result.stderr).splitlines())


def show(path, perfconv, user):
    """Open the profile, as the user who asked; else say how it is opened."""
    environ = user.environment()
    command = viewer(perfconv, environ)
    if command is None:
        say("no viewer or no screen here; elsewhere: npx speedscope "
            + shlex.quote(shorter_path(path)))
        return
    try:
        done = subprocess.run([*command, path], stdin=subprocess.DEVNULL,
                              env=environ, timeout=VIEW_S, check=False,
                              **user.popen_options()).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        done = False
    if not done:
        say(f"{command[0]} did not open it: drop {shorter_path(path)} on "
            "https://www.speedscope.app")
