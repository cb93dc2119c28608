# SPDX-License-Identifier: GPL-2.0
"""What must be true before anything is started.

Each check returns None, or one sentence that says what is wrong and what to
do about it. PAM notices a taken port only after its whole start-up, and
reports a missing redis as a health status: here both are known at once.
"""

import os
import shutil
import socket

from . import capture_size
from .messages import see

STANDARD_PORTS = {"redis": 6379, "mqtt": 1883, "side-service": 3004,
                  "mavlink": 14551}
HOST = "127.0.0.1"


def port_is_free(port, kind=socket.SOCK_STREAM):
    """True when a loopback port can be bound now."""
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind == socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port(preferred, kind=socket.SOCK_STREAM):
    """`preferred` when it is free, else one that the kernel picks."""
    if port_is_free(preferred, kind):
        return preferred
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def check_pam_port(port):
    if port_is_free(port):
        return None
    return (f"Port {port} is taken, by another PAM perhaps: stop it (find it "
            f"with: ss -ltnp 'sport = :{port}'), or give this one another with "
            "--port N." + see("port"))


def check_target(target):
    """The interpreter's version, PAM, uvicorn and its configuration."""
    if not target.is_supported():
        return (f"{target.executable} is {target.implementation} "
                f"{target.version}, and PAM needs CPython 3.11: name PAM's "
                "Python with --python EXE, or make one with "
                "scripts/install_pam.py." + see("python"))
    if not target.has_pam or not target.uvicorn:
        missing = "uvicorn" if target.has_pam else "petal_app_manager"
        return (f"{target.executable} has no {missing}: activate PAM's venv, "
                "name its Python with --python EXE, or run "
                "scripts/install_pam.py." + see("no-pam"))
    if not os.path.exists(target.config):
        return (f"PAM's configuration {target.config} is missing: copy "
                "PAM's config.json there, or run scripts/install_pam.py."
                + see("config"))
    if target.config_trouble:
        return (f"PAM's configuration cannot be read ({target.config_trouble})"
                ": mend that file." + see("config"))
    if target.import_trouble:
        return (f"PAM cannot be imported ({target.import_trouble}): install "
                f"what is missing ({target.executable} -m pip install ...), "
                "or run scripts/install_pam.py." + see("import"))
    return None


def check_pyframes(target):
    if target.pyframes:
        return None
    return (f"pyframes is not installed for {target.executable}, so perf "
            f"would see no Python function: {target.executable} -m pip "
            "install <this repository>/pyframes, or add --no-pyframes."
            + see("pyframes"))


def check_redis(host, port):
    """A redis that answers PING (an authentication error is an answer)."""
    remedy = ("start it (systemctl start redis-server), or add "
              "--with-services." + see("redis"))
    try:
        with socket.create_connection((host, port), timeout=2.0) as link:
            link.sendall(b"PING\r\n")
            answer = link.recv(64)
    except OSError as error:
        reason = error.strerror or str(error)
        return f"Redis does not answer on {host}:{port} ({reason}): {remedy}"
    if answer[:1] in (b"+", b"-"):
        return None
    return (f"What answers on {host}:{port} is not redis: another program has "
            f"the port, see ss -ltnp 'sport = :{port}'." + see("redis"))


def check_service_programs(target, names=("redis-server", "mosquitto")):
    """The programs and Python packages that --with-services starts."""
    missing = [name for name in names if find_program(name) is None]
    if missing:
        return (f"{' and '.join(missing)} not found: install with apt-get "
                f"install {' '.join(missing)}." + see("services"))
    packages = [name for name, there in (("paho-mqtt", target.paho),
                                         ("leaf-pymavlink", target.pymavlink))
                if not there]
    if packages and target.has_pam:
        return (f"{' and '.join(packages)} not installed for "
                f"{target.executable}: run scripts/install_pam.py, or "
                f"{target.executable} -m pip install {' '.join(packages)}."
                + see("services"))
    return None


def find_program(name):
    """Path of a program, also where only root's PATH looks; or None."""
    places = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/usr/local/sbin"
    return shutil.which(name, path=places)


def check_output(path, user, duration_s, rate):
    """The output folder can be written and has room for the capture.

    duration_s   0: not known, until it is stopped
    rate         bytes a second that the recording may write
    """
    parent = os.path.abspath(path)
    while not os.path.exists(parent):
        parent = os.path.dirname(parent)
    if not os.path.isdir(parent):
        return (f"{parent} is not a folder: name another with --output DIR."
                + see("output"))
    if not user.switch and not os.access(parent, os.W_OK | os.X_OK):
        return (f"{parent} cannot be written by {user.name}: name another "
                "folder with --output DIR." + see("output"))
    free = shutil.disk_usage(parent).free
    needed = capture_size.needed_bytes(rate, duration_s)
    if free < needed:
        length = f"{duration_s:g} s" if duration_s else "a recording"
        return (f"{parent} has {free >> 20} MB free, and {length} may "
                f"need {needed >> 20} MB: free some space, record for less "
                "time, or name another folder with --output DIR."
                + see("disk"))
    return None


def check_perfconv(path, wanted):
    """perfconv was found, or was not asked for by name."""
    if path:
        return None
    if wanted:
        return (f"{wanted} is not a program that can be run: build perfconv "
                "with make, or name it with --perfconv FILE."
                + see("perfconv"))
    return ("perfconv was not found in PATH or ../build: build it with make, "
            "name it with --perfconv FILE, or add --no-convert to keep the "
            "capture only." + see("perfconv"))
