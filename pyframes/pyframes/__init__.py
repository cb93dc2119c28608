# SPDX-License-Identifier: MIT
"""Makes Python functions, threads and asyncio tasks visible to Linux perf.

    import pyframes
    pyframes.start()
    ...
    pyframes.stop()

From outside: ``PYFRAMES=1 python program.py``, or ``python -m pyframes run program.py``.
Nothing here raises because profiling is not possible: one line on stderr says
why, and the program goes on.
"""

import atexit
import os
import sys

__all__ = ["start", "start_native", "stop", "snapshot", "status", "__version__"]
__version__ = "0.1.0"

_DEFAULT_SLOTS = 4096
_DEFAULT_SIDE_MIB = 32
_DEFAULT_RING_ENTRIES = 65536
_DEFAULT_SNAPSHOT_S = 0.5

_DEEP = 10000  # levels of recursion that the usual stack of 8 MiB surely holds

_warned = False
_remove_at_exit = False
_native = None


def _warn(message):
    """Write one line on stderr, once."""
    global _warned
    if not _warned:
        _warned = True
        try:
            os.write(2, ("pyframes: %s\n" % message).encode("utf-8", "surrogateescape"))
        except (OSError, ValueError):
            pass


def _load():
    """Import the C half; ImportError where it does not fit this Python or interpreter."""
    global _native
    if _native is None:
        if sys.implementation.name != "cpython" or not (3, 9) <= sys.version_info[:2] <= (3, 13):
            raise ImportError("CPython 3.9 to 3.13 is needed, this is %s %s"
                              % (sys.implementation.name, sys.version.split()[0]))
        from . import _pyframes
        if not _pyframes.is_main_interpreter():
            raise ImportError("only the main interpreter can be profiled")
        _native = _pyframes
        atexit.register(_finish)
    return _native


def _finish():
    _native.finish(_remove_at_exit)


def _number(name, default, least, most):
    """A number from the environment; the default where it makes no sense."""
    text = os.environ.get(name)
    if not text:
        return default
    try:
        value = type(default)(text)
    except ValueError:
        value = None
    if value is None or not least <= value <= most:
        _warn("%s=%s is not a number from %s to %s" % (name, text, least, most))
        return default
    return value


def _path(directory):
    """A directory as the C half takes it; nothing stays nothing."""
    return os.fsencode(os.path.abspath(directory)) if directory else b""


def _warn_of_deep_recursion():
    """Each Python call needs more C stack with a frame evaluator than without."""
    threading = sys.modules.get("threading")
    stack_bytes = threading.stack_size() if threading else 0
    limit = sys.getrecursionlimit()
    if limit > _DEEP or (stack_bytes and stack_bytes < 512 * limit):
        _warn("a recursion limit of %d may overflow the C stack; calls take up to 500 bytes of it"
              % limit)


def start(directory=None, *, snapshots=None, tasks=None):
    """Begin to name Python calls; True when that was possible.

    directory: where the files go; default $PYFRAMES_DIR, else /tmp/pyframes-UID.
    snapshots: age in seconds at which the snapshot of all stacks is renewed, 0 for
        never; default $PYFRAMES_SNAPSHOTS, else 0.5.
    tasks: whether asyncio tasks get frames; default: unless PYFRAMES_TASKS=0.

    Only calls that begin afterwards are named. Starting twice is fine; settings hold
    from the first start on, until stop(remove=True).
    """
    global _remove_at_exit
    if directory is None:
        directory = os.environ.get("PYFRAMES_DIR")
    if snapshots is None:
        snapshots = _number("PYFRAMES_SNAPSHOTS", _DEFAULT_SNAPSHOT_S, 0.0, 86400.0)
    if tasks is None:
        tasks = os.environ.get("PYFRAMES_TASKS", "1") != "0"
    _remove_at_exit = os.environ.get("PYFRAMES_REMOVE", "0") not in ("", "0")
    steps = os.environ.get("PYFRAMES_STEPS", "1") != "0"
    try:
        _load().start(
            _path(directory),
            _number("PYFRAMES_SLOTS", _DEFAULT_SLOTS, 2, 1 << 17),
            _number("PYFRAMES_SIDE_MIB", _DEFAULT_SIDE_MIB, 1, 4096) << 20,
            _DEFAULT_RING_ENTRIES if steps else 0,
            int(snapshots * 1e9),
            tasks,
        )
    except (ImportError, OSError, MemoryError, ValueError) as error:
        _warn("not profiling: %s" % (getattr(error, "strerror", None) or error))
        return False
    _warn_of_deep_recursion()
    return True


def start_native():
    """Switch CPython's own perf trampolines on (3.12 and later); True when that was possible.

    They have no unwind information, and name no threads and tasks.
    """
    try:
        sys.activate_stack_trampoline("perf")
    except (AttributeError, ValueError, RuntimeError) as error:
        if not hasattr(sys, "activate_stack_trampoline"):
            error = "CPython has no trampolines of its own before 3.12"
        _warn("not profiling: %s" % error)
        return False
    return True


def stop(*, remove=False):
    """Stop naming calls; with remove=True the files are deleted, too."""
    if _native is not None:
        _native.stop(remove)


def snapshot():
    """Write every thread's Python stack into the side file; True when done."""
    return _native is not None and _native.snapshot()


def status():
    """What is going on in this process, as a dict."""
    return dict(_native.status() if _native is not None else {"active": False},
                version=__version__, python=sys.version.split()[0])
