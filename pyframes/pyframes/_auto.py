# SPDX-License-Identifier: MIT
"""Runs at interpreter start when PYFRAMES is set (see pyframes-autostart.pth)."""

import os


def _in_sub_interpreter(pyframes):
    """Sub-interpreters run .pth files, too, and get nothing."""
    try:
        return not pyframes._load()
    except ImportError as error:
        return "interpreter" in str(error)


def _begin(mode):
    import pyframes

    if mode in ("1", "agent") and _in_sub_interpreter(pyframes):
        return
    if mode == "1":
        pyframes.start()
    elif mode == "native":
        pyframes.start_native()
    elif mode not in ("0", "agent"):
        pyframes._warn("PYFRAMES=%s is not known; it may be 1, agent, native or 0" % mode)
    if mode == "agent" or mode == "1" and os.environ.get("PYFRAMES_AGENT") == "1":
        from pyframes import _agent

        _agent.start()


try:
    _begin(os.environ.get("PYFRAMES", "0"))
except Exception as error:  # whatever it is, the program must run
    os.write(2, ("pyframes: not profiling: %s\n" % error).encode("utf-8", "replace"))
