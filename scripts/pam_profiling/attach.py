# SPDX-License-Identifier: GPL-2.0
"""A PAM that runs already: recorded as it is, left as it was.

Its Python functions are visible when it was started with PYFRAMES=agent (the
extension then sleeps in it, at no cost): it is woken for the recording and put
to sleep again. What is given to PAM is taken back on every way out, save a
kill -9: then the next recording does it.
"""

import json
import os
import pwd
import re
import stat
import subprocess

from . import find_pam, frame_pointers, preflight, services
from .messages import ProfilingError, say, see
from .snapshots import family
from .target import Target, ask_target

# An agent answers in milliseconds, unless the main thread is deep in C.
AGENT_S = 15.0
INJECT_S = 90.0
COPY_BYTES = 1 << 16


class Attached:
    """Records a running PAM and its workers; as launch.Launched for a new one."""

    # where docs/troubleshooting.md has more
    topic = "attach"

    def __init__(self, run, script_folder):
        self.run = run
        self.arguments = run.arguments
        self.steps = run.steps
        self.contrib = services.find_contrib(script_folder)
        self.target = None
        self.pid = None
        self.pam_user = None
        self._started = None
        self._environ = {}
        # pid -> how to undo what was done to it
        self._woken = {}
        self._tokens = set()

    # ----- before anything is started ------------------------------------

    def problems(self):
        """Sentences about what would fail; finds PAM and asks its Python."""
        try:
            self.look_at(self.find())
        except ProfilingError as error:
            self.target = Target.unknown("")
            return [str(error)]
        if self.arguments.no_pyframes or self.named():
            return []
        missing = preflight.check_pyframes(self.target)
        if missing or self.arguments.inject or self.agents():
            return [missing]
        return [self.without_agent()]

    def find(self):
        """The pid of the PAM to record; raises ProfilingError."""
        return find_pam.find(self.arguments.port,
                             self.arguments.attach or None)

    def without_agent(self):
        """A sentence about a PAM whose pyframes cannot be woken, or None."""
        return (f"PAM (pid {self.pid}) runs without pyframes, so perf would "
                "see no Python function: start it with PYFRAMES=agent in its "
                "environment, add --inject to load it with gdb (stops PAM for "
                "some seconds, and may hang it), or add --no-pyframes."
                + see("attach"))

    def look_at(self, pid):
        """Take a process as the one to record, and ask its Python."""
        self.watch(pid)
        self.pam_user = ProcessUser(pid)
        python = self.arguments.python or find_pam.python_of(pid)
        self._environ = dict(find_pam.environment(pid), PYFRAMES="0")
        self.target = (ask_target(python, self.pam_user, self._environ)
                       if python else Target.unknown(f"/proc/{pid}/exe"))

    def watch(self, pid):
        """Take a process as the one whose end is PAM's."""
        self.pid = pid
        self._started = find_pam.started(pid)

    def agents(self):
        """pid -> what pyframes' agent in it says, for those that have one."""
        answers = {}
        for pid in family([self.pid]):
            answer = self._ask("status", pid)
            if answer is not None:
                answers[pid] = answer
        return answers

    def named(self):
        """True when pyframes is active in the process already."""
        return bool(mapped_tokens(self.pid))

    def _ask(self, word, pid, *options, seconds=AGENT_S):
        """One request to a process's pyframes; its answer, or None."""
        try:
            result = subprocess.run(
                [self.target.executable, "-m", "pyframes", word, *options,
                 str(pid)], stdin=subprocess.DEVNULL, capture_output=True,
                text=True, timeout=seconds, env=self._environ, cwd="/",
                check=False, **self.pam_user.popen_options())
        except (OSError, subprocess.TimeoutExpired):
            return None
        if result.returncode:
            return None
        try:
            return json.loads(result.stdout)
        except ValueError:
            return {"said": result.stdout.strip()}

    # ----- while it runs -------------------------------------------------

    def prepare(self):
        """Wake pyframes where it sleeps."""
        if self.arguments.no_pyframes:
            return
        self.steps.begin(f"pyframes in PAM (pid {self.pid})")
        late = False
        for pid, answer in self.agents().items():
            # One that is active though it was to sleep was left so by a
            # recording that was killed.
            environ = find_pam.environment(pid)
            to_sleep = environ.get("PYFRAMES") == "agent"
            if answer.get("active"):
                if to_sleep:
                    self._woken[pid] = ()
            elif to_sleep or environ.get("PYFRAMES_AGENT"):
                self._woken[pid] = ()
                self._ask("attach", pid)
                late = True
        if not self.named() and self.arguments.inject:
            self._woken[self.pid] = ("--inject",)
            self._ask("attach", self.pid, "--inject", seconds=INJECT_S)
            late = True
        if not self.named():
            raise ProfilingError(
                f"pyframes did not begin in PAM (pid {self.pid}): read "
                f"{self.where_it_speaks()}, or record without it "
                "(--no-pyframes)." + see(self.topic))
        self.steps.done()
        if late:
            say("  Python functions that have been running since before have "
                "no name, a thread's endless loop among them." + see("attach"))

    def where_it_speaks(self):
        """Where PAM's stderr goes, as a person calls it."""
        return "PAM's stderr"

    def begin(self):
        """Nothing: PAM runs."""

    def pids(self):
        return [self.pid]

    def vehicle_log(self):
        """None: what PAM is connected to is not ours."""

    def dump_environment(self):
        return self._environ

    def keeps_frame_pointers(self):
        return frame_pointers.kept(frame_pointers.interpreter_file(self.pid))

    def obituary(self):
        """A sentence once PAM has ended, else None."""
        now = find_pam.started(self.pid)
        if now is not None and now == self._started:
            return None
        return (f"PAM (pid {self.pid}) ended during the profile: its log tells "
                "why." + see("pam-ended"))

    def facts(self):
        return {"attached_to": str(self.pid),
                "processes": str(len(family([self.pid])))}

    # ----- the end -------------------------------------------------------

    def end(self):
        """Put pyframes back to sleep; PAM goes on."""
        if self.pid is None or not self._woken:
            return
        for pid in family([self.pid]):
            self._tokens |= mapped_tokens(pid)
        self.steps.begin("leaving PAM as it was")
        asleep = True
        for pid, options in self._woken.items():
            if find_pam.started(pid) is not None:
                asleep &= self._ask("detach", pid, *options,
                                    seconds=INJECT_S) is not None
        self._woken.clear()
        self.steps.done()
        if not asleep:
            say("  pyframes did not answer and stays active in PAM, which "
                f"costs it little: {self.target.executable} -m pyframes "
                f"detach {self.pid}")

    def collect(self, capture):
        """Copy pyframes' files beside the capture; PAM may still use its own."""
        for pid in family([self.pid]):
            self._tokens |= mapped_tokens(pid)
        count = 0
        for pid, folder, token in sorted(self._tokens):
            count += copy_files(seen_by(pid, folder), token, capture.folder,
                                self.pam_user.uid)
        if not count and not self.arguments.no_pyframes:
            say("  pyframes' files were not found: Python's functions will be "
                "missing.")
        return count


class ProcessUser:
    """The user of a process; programs are run as that user, as user.InvokingUser."""

    def __init__(self, pid):
        info = os.stat(f"/proc/{pid}")
        self.uid, self.gid = info.st_uid, info.st_gid
        self.switch = os.geteuid() == 0 and self.uid != 0

    def popen_options(self):
        """Keyword arguments for subprocess that change to this user."""
        if not self.switch:
            return {}
        try:
            name = pwd.getpwuid(self.uid).pw_name
            groups = os.getgrouplist(name, self.gid)
        except KeyError:
            groups = []
        return {"user": self.uid, "group": self.gid, "extra_groups": groups}


def mapped_tokens(pid):
    """(pid, folder, token) of the pyframes files that a process has mapped.

    Where pyframes could not begin, what it had mapped is deleted.
    """
    try:
        with open(f"/proc/{pid}/maps", encoding="utf-8",
                  errors="replace") as stream:
            found = re.findall(r"\s(/\S*)/pyframes-([0-9a-f]{32})[-.]\S*$",
                               stream.read(), re.MULTILINE)
    except OSError:
        return set()
    return {(pid, folder, token) for folder, token in found}


def seen_by(pid, folder):
    """A folder as a process sees it; as we do where the process is gone.

    A systemd service with PrivateTmp has a /tmp of its own.
    """
    root = f"/proc/{pid}/root"
    return root + folder if os.path.isdir(root + folder) else folder


def copy_files(source, token, target, uid):
    """Copy a token's files into a folder; returns how many there were.

    They belong to another user, who may have put anything there, and we may be
    root: only regular files of that user are read, and no link is followed.
    """
    count = 0
    try:
        names = sorted(os.listdir(source))
    except OSError:
        return 0
    for name in names:
        if not re.fullmatch(rf"pyframes-{token}[-.][A-Za-z0-9.-]+", name):
            continue
        try:
            handle = os.open(os.path.join(source, name), os.O_RDONLY
                             | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            continue
        with open(handle, "rb") as stream:
            info = os.fstat(handle)
            path = os.path.join(target, name)
            if (stat.S_ISREG(info.st_mode) and info.st_uid == uid
                    and not os.path.lexists(path)):
                copy_sparse(stream, path)
                count += 1
    return count


def copy_sparse(stream, path):
    """Copy a file whose unused part takes no room."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600),
              "wb") as output:
        while block := stream.read(COPY_BYTES):
            if block.strip(b"\0"):
                output.write(block)
            else:
                output.seek(len(block), os.SEEK_CUR)
        output.truncate()
