# SPDX-License-Identifier: MIT
"""The dormant agent of a process: waits for a signal, does what it asks, answers.

The agent announces itself, and answers, in one file of the private directory,
pyframes-agent-PID, which is replaced as a whole. _attach reads it from outside.
"""

import _thread
import atexit
import json
import os
import signal
import sys

import pyframes

START, STOP, DUMP, STATUS = range(4)
_state = {"path": None, "signal": None, "pid": None}


def start_time(pid):
    """When a process started, in clock ticks since boot: tells it from a later one."""
    with open("/proc/%s/stat" % pid) as file:
        return int(file.read().rpartition(")")[2].split()[19])


def start():
    """Wait for requests; False when that is not possible (said once on stderr)."""
    try:
        native = pyframes._load()
        directory = os.environ.get("PYFRAMES_DIR")
        _state["directory"] = native.directory(pyframes._path(directory))
        _state["signal"] = _install(native)
        _publish()
    except (ImportError, OSError, ValueError) as error:
        pyframes._warn("no agent: %s" % (getattr(error, "strerror", None) or error))
        return False
    os.register_at_fork(after_in_child=_after_fork)
    atexit.register(_remove)
    return True


def _install(native):
    """Takes a real-time signal that nobody uses, from the highest down."""
    for number in range(signal.SIGRTMAX - 1, signal.SIGRTMIN, -1):
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, _on_signal)
            native.agent_wrap(number)
            return number
    raise OSError("all real-time signals are in use")


def _publish(**answer):
    pid = os.getpid()
    path = os.path.join(_state["directory"], "pyframes-agent-%d" % pid)
    temporary = "%s.%s" % (path, os.urandom(8).hex())
    text = json.dumps(dict(answer, pid=pid, signal=_state["signal"],
                           exe=os.readlink("/proc/self/exe"), start_time=start_time("self"),
                           status=pyframes.status()))
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
        os.rename(temporary, path)
    except OSError:
        os.unlink(temporary)
        raise
    _state["path"], _state["pid"] = path, pid


def _after_fork():
    try:
        _publish()
    except OSError:
        _state["pid"] = None  # no room: this child cannot be asked


def _remove():
    if _state["pid"] == os.getpid():
        try:
            os.unlink(_state["path"])
        except OSError:
            pass


def stacks():
    """Every thread's Python stack, leaf first, as plain data."""
    threading = sys.modules.get("threading")
    threads = dict(threading._active) if threading else {}
    result = []
    if pyframes._native.gil_stops_all():
        current = sys._current_frames()
    else:
        current = {_thread.get_ident(): sys._getframe()}  # the others may run at this moment
    for ident, frame in current.items():
        thread = threads.get(ident)
        frames = []
        while frame is not None and frame.f_code.co_filename == __file__:
            frame = frame.f_back  # the agent's own
        while frame is not None:
            code = frame.f_code
            frames.append({"name": getattr(code, "co_qualname", code.co_name),
                           "file": code.co_filename, "line": frame.f_lineno})
            frame = frame.f_back
        result.append({"name": getattr(thread, "_name", ""),
                       "tid": getattr(thread, "_native_id", None), "frames": frames})
    return result


def _carry_out(operation):
    if operation == START:
        return {"done": pyframes.start()}
    if operation == STOP:
        pyframes.stop()
        return {"done": True}
    if operation == DUMP:
        return {"done": True, "snapshot": pyframes.snapshot(), "stacks": stacks()}
    return {"done": operation == STATUS}


def _on_signal(number, frame):
    request = pyframes._native.agent_request()
    if request < 0:
        return
    try:
        _publish(request=request, **_carry_out(request & 255))
    except Exception as error:  # whatever it is, the program must run
        pyframes._warn("the agent failed: %s" % error)
