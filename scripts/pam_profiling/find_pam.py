# SPDX-License-Identifier: GPL-2.0
"""Finds a PAM that runs: by the port it listens on, since its name tells little.

Workers of uvicorn have neither "uvicorn" nor "petal_app_manager" in their
command lines; they are found as descendants of the process that listens.
"""

import os
import pwd

from .messages import ProfilingError, see
from .process import read_line
from .snapshots import stat_fields
from .user import parse_environment

LISTENING = "0A"


def find(port, pid=None):
    """The pid of the PAM to look at: the one given, or who listens on the port.

    Raises ProfilingError with a remedy when there is none, or it may not be
    looked at.
    """
    if pid is not None:
        if not os.path.isdir(f"/proc/{pid}"):
            raise ProfilingError(
                f"There is no process {pid}: find PAM's with: ss -ltnp "
                f"'sport = :{port}'")
        check_access(pid)
        return pid
    found, hidden = listeners(port)
    if found:
        check_access(found[0])
        return found[0]
    if hidden:
        raise ProfilingError(
            f"Another user's process listens on port {port}: run this with "
            "sudo." + see("attach"))
    raise ProfilingError(
        f"Nothing listens on port {port}: start PAM, name its port with "
        "--port, or name its pid." + see("attach"))


def check_access(pid):
    """Raises ProfilingError when this user may not watch the process."""
    if not os.access(f"/proc/{pid}/environ", os.R_OK):
        raise ProfilingError(
            f"Process {pid} belongs to {owner_name(pid)}: run this with sudo.")


def owner(pid):
    """The effective user id of a process; raises FileNotFoundError."""
    return os.stat(f"/proc/{pid}").st_uid


def owner_name(pid):
    """The name of a process's user, or its number."""
    try:
        uid = owner(pid)
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
    except FileNotFoundError:
        return "nobody any more"


def listeners(port):
    """(pids that listen on a TCP port, ancestors first; whether one is hidden).

    Our own network is searched first, then those of containers.
    """
    networks = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            networks.setdefault(os.readlink(f"/proc/{name}/ns/net"), []).append(int(name))
        except OSError:
            continue
    own = os.readlink("/proc/self/ns/net")
    hidden = False
    for network in sorted(networks, key=lambda each: (each != own, each)):
        pids = networks[network]
        inodes = listening_inodes(pids[0] if network != own else "self", port)
        found = [pid for pid in sorted(pids) if inodes and holds(pid, inodes)]
        if found:
            return without_children(found), False
        hidden = hidden or bool(inodes)
    return [], hidden


def listening_inodes(pid, port):
    """Inodes of the sockets that listen on a port in a process's network."""
    found = set()
    for table in "tcp", "tcp6":
        try:
            with open(f"/proc/{pid}/net/{table}", encoding="ascii") as stream:
                rows = [line.split() for line in stream][1:]
        except OSError:
            continue
        found.update(row[9] for row in rows
                     if row[3] == LISTENING
                     and int(row[1].rpartition(":")[2], 16) == port)
    return found


def holds(pid, inodes):
    """True when a process has one of these sockets open."""
    folder = f"/proc/{pid}/fd"
    try:
        for name in os.listdir(folder):
            link = os.readlink(f"{folder}/{name}")
            if link.startswith("socket:[") and link[8:-1] in inodes:
                return True
    except OSError:
        pass
    return False


def without_children(pids):
    """Those whose parent is not among them."""
    result = []
    for pid in pids:
        fields = stat_fields(f"/proc/{pid}/stat")
        if fields and int(fields[1]) not in pids:
            result.append(pid)
    return result


def environment(pid):
    """The environment that a process was started with."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as stream:
            return parse_environment(stream.read())
    except OSError:
        return {}


def python_of(pid):
    """The interpreter of a process as it can be run from here, or None.

    Its executable alone is not enough: a virtual environment is known by the
    path that Python was started with.
    """
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as stream:
            first = os.fsdecode(stream.read().split(b"\0")[0])
        running = os.stat(f"/proc/{pid}/exe")
        folder = os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return None
    if not first:  # it is being started at this moment
        return None
    environ = environment(pid)
    guesses = [os.path.join(folder, first)] if "/" in first else [
        os.path.join(place, first)
        for place in environ.get("PATH", os.defpath).split(os.pathsep)]
    if environ.get("VIRTUAL_ENV"):
        guesses.append(os.path.join(environ["VIRTUAL_ENV"], "bin", "python"))
    guesses.append(os.path.realpath(f"/proc/{pid}/exe"))
    for guess in guesses:
        try:
            if os.path.samestat(os.stat(guess), running):
                return guess
        except OSError:
            continue
    return None


def started(pid):
    """When a process started, in clock ticks since boot; None when it is gone.

    Tells a process from a later one with its pid.
    """
    fields = stat_fields(f"/proc/{pid}/stat")
    return int(fields[19]) if fields and fields[0] not in "ZX" else None


def name_of(pid):
    """What the kernel calls a process."""
    return read_line(f"/proc/{pid}/comm") or "?"
