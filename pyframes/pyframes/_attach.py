# SPDX-License-Identifier: MIT
"""Asks another process's agent to start, stop or dump; or injects pyframes with gdb."""

import glob
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time

import pyframes
from pyframes import _agent, _reader

WAIT_S = 10.0
POLL_S = 0.002
GDB_S = 60.0


class AttachError(Exception):
    """Complete, in the user's words."""


def _status(pid):
    """Lines of /proc/PID/status by name."""
    try:
        with open("/proc/%d/status" % pid) as file:
            return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    except FileNotFoundError:
        raise AttachError("no process %d" % pid) from None


def _directory(pid, uid):
    """The process's private directory, as we can reach it."""
    directory = "/tmp/pyframes-%d" % uid
    try:
        with open("/proc/%d/environ" % pid, "rb") as file:
            for entry in file.read().split(b"\0"):
                if entry.startswith(b"PYFRAMES_DIR=/"):
                    directory = os.fsdecode(entry.partition(b"=")[2])
    except PermissionError:
        raise AttachError("process %d belongs to another user" % pid) from None
    return "/proc/%d/root%s" % (pid, directory)


def _read_theirs(path, uid, most):
    """The first bytes of a regular file of that user, who may be hostile; or None."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(handle, "rb") as file:
        info = os.fstat(handle)
        if not stat.S_ISREG(info.st_mode) or info.st_uid != uid:
            return None
        return file.read(most)


def read_agent(pid):
    """What the agent of a process says, or None when there is none."""
    status = _status(pid)
    uid = int(status["Uid"].split()[1])
    inner = status.get("NSpid", str(pid)).split()[-1]
    path = os.path.join(_directory(pid, uid), "pyframes-agent-%s" % inner)
    text = _read_theirs(path, uid, 1 << 24)
    if text is None:
        return None
    try:
        answer = json.loads(text)
        number = answer["signal"]
        valid = isinstance(number, int) and signal.SIGRTMIN < number < signal.SIGRTMAX
        same = (answer["start_time"] == _agent.start_time(pid)
                and answer["exe"] == os.readlink("/proc/%d/exe" % pid))
    except (ValueError, KeyError, TypeError, RecursionError):
        raise AttachError("%s is damaged" % path) from None
    caught = valid and int(status["SigCgt"], 16) >> (number - 1) & 1
    return answer if caught and same else None


def ask(pid, operation):
    """Send one request and wait for its answer."""
    before = read_agent(pid)
    if before is None:
        raise AttachError("process %d has no agent; start it with PYFRAMES=agent, or see "
                          "attach --inject" % pid)
    request = int.from_bytes(os.urandom(2), "big") << 8 | operation
    try:
        pyframes._load().agent_send(pid, before["signal"], request)
    except PermissionError:
        raise AttachError("process %d belongs to another user" % pid) from None
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        answer = read_agent(pid)
        if answer is None:
            raise AttachError("process %d ended" % pid)
        if answer.get("request") == request:
            return answer
        time.sleep(POLL_S)
    raise AttachError("process %d did not answer within %.0f s: its main thread does not come "
                      "back to Python" % (pid, WAIT_S))


def _python_of(pid):
    """(major, minor) of the interpreter that a process runs, by what it has mapped."""
    with open("/proc/%d/maps" % pid) as file:
        found = re.search(r"/(?:lib)?python(\d)\.(\d+)", file.read())
    if not found:
        raise AttachError("process %d does not look like Python" % pid)
    return int(found.group(1)), int(found.group(2))


def inject(pid, stop):
    """Have gdb call pyframes_inject() in the process. Returns the side file, or None."""
    gdb = shutil.which("gdb")
    if not gdb:
        raise AttachError("gdb is not installed")
    _status(pid)
    version = _python_of(pid)
    if version != sys.version_info[:2]:
        raise AttachError("process %d runs Python %d.%d; call attach with that version"
                          % (pid, *version))
    extension = pyframes._load().__file__
    package = os.path.dirname(os.path.dirname(extension))
    if any(c in '"\\\n' for c in extension):
        raise AttachError("the path %r cannot be given to gdb" % extension)
    commands = [
        "set confirm off",
        "set unwindonsignal on",
        'print ((void *(*)(const char *, int))dlopen)("%s", 2) != 0' % extension,
        'print ((int (*)(const char *, int))pyframes_inject)("%s", %d)' % (package, stop),
    ]
    arguments = [part for command in commands for part in ("-ex", command)]
    try:
        done = subprocess.run([gdb, "-p", str(pid), "-batch", "-nx", *arguments],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=GDB_S)
    except subprocess.TimeoutExpired:
        raise AttachError("gdb did not finish within %.0f s" % GDB_S) from None
    if "$1 = 1" not in done.stdout or "$2 = 0" not in done.stdout:
        raise AttachError("gdb could not inject:\n" + done.stdout)
    return _await_state(pid, 2 if stop else 1)


def _await_state(pid, state):
    """The newest side file of a process, once its header shows the state."""
    status = _status(pid)
    inner = int(status.get("NSpid", str(pid)).split()[-1])
    uid = int(status["Uid"].split()[1])
    pattern = os.path.join(glob.escape(_directory(pid, uid)), "pyframes-*.side")
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        found = []
        for path in glob.glob(pattern):
            try:
                header = _reader.read_header(_read_theirs(path, uid, 4096) or b"")
            except _reader.FormatError:
                continue
            if header.pid == inner:
                found.append((header.start_ns, header.state, path))
        if found and max(found)[1] == state:
            return max(found)[2]
        time.sleep(POLL_S)
    raise AttachError("process %d did not get the GIL to its new thread within %.0f s"
                      % (pid, WAIT_S))
