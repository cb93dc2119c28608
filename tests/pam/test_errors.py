# SPDX-License-Identifier: GPL-2.0
"""What goes wrong most often: each told in a sentence with the remedy, and soon."""

import glob
import os
import re
import socket
import subprocess
import sys
import unittest

import support
import test_profile
from pam_profiling import messages

DOCS = os.path.join(support.REPOSITORY, "docs", "troubleshooting.md")
# What can be known before PAM is started.
AT_ONCE_S = 3.0


class Trouble(test_profile.Launching):
    """Ways to make it."""

    def refused(self, *arguments, words, **environ):
        self.environ.update(environ)
        watch = support.Stopwatch()
        result = self.run_profile(*arguments)
        seconds = watch.seconds()
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertRegex(result.stderr, words)
        self.assertRegex(result.stderr, r"See docs/troubleshooting\.md#")
        self.assertFalse(os.path.exists(self.output))
        self.assertLess(seconds, AT_ONCE_S)

    def program(self, name, script):
        """A program of that name, first in PATH."""
        folder = os.path.dirname(self.output)
        path = os.path.join(folder, name)
        with open(path, "w", encoding="ascii") as stream:
            stream.write("#!/bin/sh\n" + script)
        os.chmod(path, 0o755)
        self.environ["PATH"] = folder + ":" + os.environ["PATH"]
        return path

    def in_small_disk(self, size, command):
        """The command in a namespace where the output's disk is that small."""
        if os.geteuid() != 0:
            self.skipTest("needs root, for a small disk")
        os.makedirs(self.output, exist_ok=True)
        return ["unshare", "--mount", "sh", "-c",
                f'mount -t tmpfs -o size={size} none {self.output} && exec "$@"',
                "sh", *command]

    def broken_pam(self, line, config="{}"):
        """The stand-in, with a line in PAM's main module."""
        folder = os.path.join(os.path.dirname(self.output), "site")
        os.makedirs(os.path.join(folder, "petal_app_manager"))
        os.symlink(os.path.join(support.STAND_IN, "site", "uvicorn"),
                   os.path.join(folder, "uvicorn"))
        for name, text in (("__init__.py", ""), ("main.py", line + "\n")):
            with open(os.path.join(folder, "petal_app_manager", name), "w",
                      encoding="ascii") as stream:
                stream.write(text)
        with open(os.path.join(os.path.dirname(folder), "config.json"), "w",
                  encoding="ascii") as stream:
            stream.write(config)
        self.environ["PYTHONPATH"] = folder


class AtOnce(Trouble):
    """Told before anything is started."""

    def test_port_taken(self):
        self.with_redis()
        with socket.socket() as holder:
            holder.bind(("127.0.0.1", 0))
            holder.listen()
            port = holder.getsockname()[1]
            self.refused("--port", str(port),
                         words=f"Port {port} is taken.*stop it.*ss -ltnp")

    def test_redis_down(self):
        self.refused(words="Redis does not answer.*start it",
                     PETAL_REDIS_PORT=str(support.free_port()))

    def test_no_permission(self):
        self.with_redis()
        self.program("perf", "echo 'Permission denied' >&2; exit 255\n")
        self.program("sudo", "exit 1\n")
        self.refused(words="perf .*run this with sudo")

    def test_no_perf(self):
        self.with_redis()
        python = self.program("python", f'exec {sys.executable} "$@"\n')
        self.environ["PATH"] = os.path.dirname(self.output)
        self.refused("--python", python, words="perf is not installed: apt-get install")

    def test_wrong_python(self):
        self.with_redis()
        python = self.program(
            "python", f"{sys.executable} \"$@\" | sed 's/\"3.11[.0-9]*\"/\"3.9.2\"/'\n")
        self.refused("--python", python,
                     words="CPython 3.9.2, and PAM needs CPython 3.11: name .*--python EXE")

    def test_no_pam_in_this_python(self):
        self.with_redis()
        python = os.path.join(os.path.dirname(self.output), "venv", "bin", "python")
        subprocess.run([sys.executable, "-m", "venv", "--without-pip",
                        os.path.dirname(os.path.dirname(python))], check=True)
        self.refused("--python", python, words="has no petal_app_manager: activate",
                     PYTHONPATH="")

    def refused_to_import(self, line, words):
        self.with_redis()
        self.broken_pam(line)
        self.refused(words=r"PAM cannot be imported \(" + words + r".*-m pip install",
                     PYTHONPATH=self.environ["PYTHONPATH"])

    def test_a_module_that_pam_imports_is_missing(self):
        self.refused_to_import("import petal_that_is_missing",
                               r"ModuleNotFoundError: No module named 'petal_that_is_missing'"
                               r", which petal_app_manager\.main imports")

    def test_a_source_that_is_no_python(self):
        self.refused_to_import("def (:", r"SyntaxError: .*main\.py, line 1")

    def test_configuration_that_is_no_json(self):
        self.with_redis()
        self.broken_pam("", config="{")
        self.refused(words=r"configuration cannot be read \(.*config\.json: Expecting.*mend",
                     PYTHONPATH=self.environ["PYTHONPATH"])

    def test_disk_without_room(self):
        self.with_redis()
        command = self.in_small_disk("16m", self.command())
        result = self.run_command(command)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertRegex(result.stderr, r"has \d+ MB free.*may need.*--output DIR")


class Later(Trouble):
    """Told when it happens; what was recorded is kept."""

    # What its sources do not tell is seen when PAM has tried it.
    HIDDEN = "__import__('petal_that_is_missing')"

    def test_pam_s_import_fails(self):
        self.with_redis()
        self.broken_pam(self.HIDDEN)
        watch = support.Stopwatch()
        result = self.run_profile()
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, r"PAM ended by itself.*ModuleNotFoundError: No module "
                         r"named 'petal_that_is_missing'.*-m pip install")
        # PAM has to try it.
        self.assertLess(watch.seconds(), 2 * AT_ONCE_S)

    def test_pam_s_import_fails_while_its_startup_is_recorded(self):
        self.with_redis()
        self.broken_pam(self.HIDDEN)
        result = self.run_profile("--startup")
        self.assertEqual(result.returncode, 1)
        self.assertIn("petal_that_is_missing", result.stderr)

    def test_a_disk_that_fills_up_ends_the_recording_in_time(self):
        self.with_redis()
        command = self.in_small_disk("240m", self.command("--switch-bytes", "0", duration="20"))
        profiler = self.start(command, env=self.environ, stderr=subprocess.PIPE)
        # The disk as the profiler sees it.
        seen = f"/proc/{profiler.pid}/root{self.output}"
        support.wait_for(lambda: any(
            os.path.getsize(path) > 500_000
            for path in glob.glob(seen + "/*/perf.data")), 30)
        with open(seen + "/other", "wb") as stream:
            stream.write(bytes(216 << 20))
        words = profiler.stderr.read()
        self.assertEqual(profiler.wait(), 1, words)
        self.assertRegex(words, r"ended early, because .* has only \d+ MB left: free some space")
        self.assertIn(".speedscope.json", words)


class Links(unittest.TestCase):
    def test_every_topic_of_a_message_is_in_the_guide(self):
        with open(DOCS, encoding="utf-8") as stream:
            known = set(re.findall(r'<a id="([a-z-]+)">', stream.read()))
        asked = set()
        folder = os.path.join(support.SCRIPTS, "pam_profiling")
        for path in glob.glob(folder + "/*.py"):
            with open(path, encoding="utf-8") as stream:
                asked |= set(re.findall(r'\bsee\("([a-z-]+)"\)', stream.read()))
        self.assertGreater(len(asked), 10)
        self.assertEqual(asked - known, set())

    def test_a_sentence_ends_with_where_to_read_on(self):
        self.assertEqual(messages.see("port"), " See docs/troubleshooting.md#port.")
