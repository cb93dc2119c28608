# SPDX-License-Identifier: GPL-2.0
"""Who asked for this run: the user behind sudo, or the current one.

Only perf needs privilege. PAM, pip and every service run as the person who
typed the command, and every file they get belongs to that person.
"""

import os
import pwd
import re

# sudo makes these root's; the user's own are known.
OF_LOGIN = ("PATH", "MAIL", "SHELL")
SUDO_KEYS = ("SUDO_UID", "SUDO_GID", "SUDO_USER", "SUDO_COMMAND", "SUDO_HOME")


class InvokingUser:
    """The user to run programs as; `switch` tells whether that is not us."""

    def __init__(self, environ=None):
        environ = os.environ if environ is None else environ
        uid = environ.get("SUDO_UID", "")
        self.switch = os.geteuid() == 0 and uid.isdigit() and int(uid) != 0
        self.uid = int(uid) if self.switch else os.geteuid()
        self.gid = os.getegid()
        self.name = str(self.uid)
        self.home = environ.get("HOME", "/")
        self.groups = []
        try:
            entry = pwd.getpwuid(self.uid)
        except KeyError:
            entry = None
        if self.switch:
            self._take_over(entry, environ)
        elif entry:
            self.name = entry.pw_name

    def _take_over(self, entry, environ):
        """Fill in what a login of the user behind sudo would have."""
        if entry is None:
            self.gid = int(environ.get("SUDO_GID", self.gid))
            return
        self.name = entry.pw_name
        self.gid = entry.pw_gid
        self.home = entry.pw_dir
        self.groups = os.getgrouplist(self.name, self.gid)

    def popen_options(self):
        """Keyword arguments for subprocess that drop to this user."""
        if not self.switch:
            return {}
        return {"user": self.uid, "group": self.gid,
                "extra_groups": self.groups}

    def command(self, words):
        """`words`, to be started by a program that stays privileged."""
        if not self.switch:
            return words
        groups = ",".join(map(str, self.groups))
        return ["/usr/bin/setpriv", f"--reuid={self.uid}", f"--regid={self.gid}",
                f"--groups={groups}" if groups else "--clear-groups", "--", *words]

    def login(self):
        """The environment with this user's name and home, and none of sudo's."""
        result = {key: value for key, value in os.environ.items()
                  if not self.switch or key not in SUDO_KEYS}
        if self.switch:
            result.update(HOME=self.home, USER=self.name, LOGNAME=self.name)
        return result

    def environment(self, environ=None):
        """A copy of the environment that names this user, without sudo's.

        sudo takes away what the user had exported, PETAL_* and the virtual
        environment among it: that is given back.
        """
        result = dict(os.environ if environ is None else environ)
        if self.switch:
            before = environment_before_sudo()
            if before:
                for key in OF_LOGIN:
                    result.pop(key, None)
                result = {"PATH": os.defpath, **before, **result}
            result.update(HOME=self.home, USER=self.name, LOGNAME=self.name)
            for key in SUDO_KEYS:
                result.pop(key, None)
        return result

    def make_directory(self, path, mode=0o755):
        """Create `path` and its missing parents, owned by this user."""
        missing = []
        probe = os.path.abspath(path)
        while not os.path.isdir(probe):
            missing.append(probe)
            probe = os.path.dirname(probe)
        for directory in reversed(missing):
            os.mkdir(directory, mode)
            self.own(directory)

    def own(self, path):
        """Give one file or folder to this user; follows no symbolic link."""
        if self.switch:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def own_tree(self, path):
        """Give a folder and all that is in it to this user."""
        if not self.switch:
            return
        self.own(path)
        for folder, directories, files in os.walk(path):
            for name in directories + files:
                self.own(os.path.join(folder, name))


def environment_before_sudo():
    """What the sudo that started us was started with; {} if that is not known.

    Read of the nearest process above us that is sudo and root's.
    """
    pid = os.getpid()
    while pid > 1:
        try:
            with open(f"/proc/{pid}/status", encoding="utf-8",
                      errors="replace") as stream:
                status = dict(re.findall(r"^(\w+):\s*(\S+)", stream.read(), re.M))
            if status["Name"] == "sudo" and os.stat(f"/proc/{pid}").st_uid == 0:
                with open(f"/proc/{pid}/environ", "rb") as stream:
                    return parse_environment(stream.read())
            pid = int(status["PPid"])
        except (OSError, KeyError, ValueError):
            break
    return {}


def parse_environment(block):
    """The variables of a block of NAME=VALUE, each ended by a zero byte."""
    parts = (entry.partition(b"=") for entry in block.split(b"\0"))
    return {os.fsdecode(name): os.fsdecode(value)
            for name, separator, value in parts if separator}
