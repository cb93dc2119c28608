#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The Debian packages of `make deb`, installed in a clean Debian 12, do what they promise.

    tests/package/run.py

debootstrap makes the system once, into build/package/base.tar (O names another folder than
build); each run unpacks it, lets apt-get install the packages with what they depend on, and
uses them as a person would: perf speedscope, manual pages, a shell's Tab key, the viewer, a
wheel, a recording.  Needs root, debootstrap and the network; without, it says so and is
skipped.  What is mounted is so in a namespace of its own, which ends with the command.
"""
import http.client
import json
import os
import shutil
import subprocess
import sys
import unittest
from pathlib import Path
from urllib.parse import urlsplit

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "install")]
import suite  # noqa: E402
from suite import BUILD, ROOT  # noqa: E402
from terminal import Terminal  # noqa: E402
from wheels import PROGRAM  # noqa: E402

FOLDER = BUILD / "package"
BASE = FOLDER / "base.tar"
SYSTEM = FOLDER / "root"
SPEEDSCOPE = BUILD / "node/node_modules/speedscope"
RELEASE = "bookworm"
HELPERS = ["bash-completion", "linux-perf", "man-db", "python3-venv", "zsh"]
INSIDE = """
mount --bind /dev "$1/dev" && mount --bind /dev/pts "$1/dev/pts" && mount -t proc proc "$1/proc" &&
cd / && exec chroot "$@"
"""
FILES = ["good-python-threads.data", "good-fp.data", "pyframes-*", "perf-*.map"]
LOOP = PROGRAM.replace("    pass", "    for _ in range(10_000_000): pass")
LIMIT_S = 900


def inside(*command):
    """The command line of @command in the clean system."""
    return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", INSIDE, "sh",
            SYSTEM, "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "HOME=/home",
            "DEBIAN_FRONTEND=noninteractive", "TERM=dumb", *command]


def run(*command, **options):
    done = suite.run(inside(*command), limit_s=LIMIT_S, **options)
    if done.returncode:
        raise AssertionError(f"{command} ends with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


def reason_to_skip():
    if os.geteuid():
        return "only root can make a clean system"
    for program in "debootstrap", "unshare":
        if not shutil.which(program):
            return f"{program} is not installed"
    if len(packages()) < 2:
        return "the packages are not built: make deb"
    return None


def packages():
    return sorted(path for path in (BUILD / "deb").glob("*.deb") if "-dbgsym_" not in path.name)


def make_base():
    if BASE.exists():
        return
    folder = FOLDER / "base"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    done = suite.run(["debootstrap", "--variant=minbase", RELEASE, folder], limit_s=LIMIT_S)
    if done.returncode:
        raise unittest.SkipTest(f"debootstrap fails: {done.stdout.strip()[-300:]}")
    done = suite.run(["tar", "-C", folder, "-cf", BASE.with_suffix(".new"), "."])
    if done.returncode:
        raise AssertionError(done.stderr)
    BASE.with_suffix(".new").rename(BASE)
    shutil.rmtree(folder)


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        reason = reason_to_skip()
        if reason:
            raise unittest.SkipTest(reason)
        make_base()
        shutil.rmtree(SYSTEM, ignore_errors=True)
        SYSTEM.mkdir(parents=True)
        cls.addClassCleanup(shutil.rmtree, SYSTEM, ignore_errors=True)
        suite.run(["tar", "-C", SYSTEM, "-xf", BASE])
        for path in packages():
            shutil.copy(path, SYSTEM)
        shutil.copy("/etc/resolv.conf", SYSTEM / "etc")
        run("apt-get", "update", "-q")
        run("apt-get", "install", "-y", "-q", "--no-install-recommends", *HELPERS,
            *[f"/{path.name}" for path in packages()])
        cls.home = SYSTEM / "home"
        for pattern in FILES:
            for path in (ROOT / "tests/files").glob(pattern):
                shutil.copy(path, cls.home)

    def in_home(self, command):
        return run("sh", "-c", f"cd /home && {command}")

    def test_perf_speedscope(self):
        self.in_home("perf speedscope -q -i good-python-threads.data")
        profile = json.loads((self.home / "good-python-threads.speedscope.json").read_text())
        self.assertIn("MainThread", [thread["name"] for thread in profile["profiles"]])
        self.assertEqual(self.in_home("perfconv convert -q -i good-python-threads.data -o -"),
                         (self.home / "good-python-threads.speedscope.json").read_text())

    def test_plugin_of_perf_script(self):
        self.in_home("perf script -f -i good-fp.data --dlfilter "
                     "/usr/lib/perfconv/perfconv-speedscope.so --dlarg output=plugin.json")
        self.assertTrue(json.loads((self.home / "plugin.json").read_text())["profiles"])

    def test_manual_pages(self):
        for name in ("perfconv", "perfconv-convert", "perfconv-view", "perf-speedscope",
                     "perf-pyrecord"):
            text = self.in_home(f"MANPAGER=cat man {name}")
            self.assertIn("SYNOPSIS", text)
            self.assertIn("--help", text)

    def check_tab(self, shell, set_up):
        terminal = Terminal(inside(*shell))
        self.addCleanup(terminal.close)
        terminal.check_tab(set_up)

    def test_bash_completes(self):
        self.check_tab(["bash", "--norc", "-i"], ". /usr/share/bash-completion/bash_completion")

    def test_zsh_completes(self):
        self.check_tab(["zsh", "-f", "-i"], "autoload -U compinit; compinit -u")

    def test_viewer(self):
        if not SPEEDSCOPE.is_dir():
            self.skipTest(f"speedscope is not in {SPEEDSCOPE} (make speedscope)")
        # Where npm install -g would put it.
        shutil.copytree(SPEEDSCOPE, SYSTEM / "usr/local/lib/node_modules/speedscope")
        self.in_home("perfconv convert -q -i good-fp.data -o view.speedscope.json")
        viewer = subprocess.Popen([str(part) for part in inside(
            "perfconv", "view", "/home/view.speedscope.json")], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(viewer.communicate)
        self.addCleanup(viewer.kill)
        url = urlsplit(viewer.stdout.readline().strip())
        for path, wanted in (("", b"<title>perfconv view"), ("list.json", b"view.speedscope.json"),
                             ("speedscope/index.html", b"speedscope"),
                             ("profile/0/x.json", b'"perfconv"')):
            connection = http.client.HTTPConnection(url.netloc, timeout=60)
            connection.request("GET", url.path + path)
            answer = connection.getresponse()
            self.assertEqual(answer.status, 200, path)
            self.assertIn(wanted, answer.read())
            connection.close()

    def test_wheel_and_recording(self):
        machine = os.uname().machine
        self.in_home("python3 -m venv venv && venv/bin/pip install --quiet --no-index "
                     f"/usr/share/perfconv/wheels/pyframes-*_{machine}.whl")
        (self.home / "program.py").write_text(LOOP)
        reason = suite.perf_trouble()
        if reason:
            self.skipTest(f"the wheel installs, but {reason}")
        self.in_home("perf-pyrecord -o perf.data -- venv/bin/python program.py && perf speedscope -q")
        profile = json.loads((self.home / "perf.speedscope.json").read_text())
        self.assertIn("a thread with a long name", [p["name"] for p in profile["profiles"]])
        self.assertLessEqual({"outer", "inner"}, {f["name"] for f in profile["shared"]["frames"]})

    def test_wheels_for_boards(self):
        names = [path.name for path in (SYSTEM / "usr/share/perfconv/wheels").iterdir()]
        self.assertEqual(len(names), 2)
        for arch in "x86_64", "aarch64":
            self.assertTrue([name for name in names if name.endswith(f"_{arch}.whl")], names)

    def test_removal_leaves_nothing(self):
        run("dpkg", "--purge", "perfconv", "pyframes-wheels")
        left = [folder for folder in ("usr/lib/perfconv", "usr/share/perfconv",
                                      "usr/share/doc/perfconv") if (SYSTEM / folder).exists()]
        run("dpkg", "-i", *[f"/{path.name}" for path in packages()])
        self.assertEqual(left, [])


if __name__ == "__main__":
    suite.run_tests(verbosity=2)
