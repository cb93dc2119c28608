# SPDX-License-Identifier: GPL-2.0
"""Shows a profile in a viewer, where this machine has one and a screen."""

import shlex
import shutil
import subprocess

from .capture import shorter_path
from .messages import say

VIEW_S = 60


def viewer(environ):
    """The command that opens a file in a window, or None."""
    screen = any(environ.get(name) for name in
                 ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
    return shutil.which("speedscope") if screen else None


def show(path, perfconv, user):
    """Open the profile, as the user who asked; else say how it is looked at."""
    environ = user.environment()
    command = viewer(environ)
    if command is None:
        say("no speedscope in PATH, or no screen here; look at it with: "
            + shlex.join([perfconv, "view", shorter_path(path)]))
        return
    try:
        done = subprocess.run([command, path], stdin=subprocess.DEVNULL,
                              env=environ, timeout=VIEW_S, check=False,
                              **user.popen_options()).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        done = False
    if not done:
        say(f"{command} did not open it: drop {shorter_path(path)} on "
            "https://www.speedscope.app")
