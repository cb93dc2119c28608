# SPDX-License-Identifier: GPL-2.0
"""A PAM that runs already, on the stand-in: found, recorded, left alone.

systemd is a stand-in too (stand_in/systemctl): none runs where tests do.
"""

import glob
import importlib.util
import mmap
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

import support
import test_profile
from pam_profiling import attach, find_pam
from pam_profiling.messages import ProfilingError

HAS_PYFRAMES = importlib.util.find_spec("pyframes") is not None


class Finding(support.ServiceCase):
    def listen(self):
        holder = socket.socket()
        self.addCleanup(holder.close)
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        return holder, holder.getsockname()[1]

    def test_who_listens_is_found_and_workers_are_not_taken_for_it(self):
        holder, port = self.listen()
        child = self.start(["sleep", "60"], pass_fds=(holder.fileno(),))
        self.assertEqual(find_pam.listeners(port), ([os.getpid()], False))
        self.assertEqual(find_pam.find(port), os.getpid())
        self.assertTrue(find_pam.holds(
            child.pid, find_pam.listening_inodes("self", port)))

    def test_nobody_listens(self):
        with self.assertRaisesRegex(ProfilingError, "Nothing listens on port .*--port"):
            find_pam.find(support.free_port())

    def test_a_connected_socket_does_not_listen(self):
        _, port = self.listen()
        with socket.create_connection(("127.0.0.1", port)) as link:
            self.assertEqual(find_pam.listeners(link.getsockname()[1]), ([], False))

    def test_another_network_namespace_is_searched(self):
        port = support.free_port()
        code = ("import socket, time; s = socket.socket(); s.bind(('', %d)); "
                "s.listen(); time.sleep(60)" % port)
        process = self.start(["unshare", "--net", sys.executable, "-c", code],
                             stderr=subprocess.PIPE)
        try:
            found = support.wait_for(
                lambda: find_pam.listeners(port)[0] or process.poll() is not None)
        finally:
            process.terminate()
        if found is True:
            self.skipTest("no network namespace: " + process.stderr.read().strip())
        self.assertEqual(found, [process.pid])

    def test_a_pid_that_is_gone(self):
        with self.assertRaisesRegex(ProfilingError, "There is no process"):
            find_pam.find(1, 2 ** 22 + 1)

    def test_a_virtual_environment_is_known_by_how_python_was_started(self):
        with tempfile.TemporaryDirectory() as folder:
            venv = os.path.join(folder, "venv")
            subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv],
                           check=True)
            python = os.path.join(venv, "bin", "python")
            for words, cwd in (([python], "/"), (["bin/python"], venv)):
                process = self.start([*words, "-c", "import signal; signal.pause()"], cwd=cwd,
                                     executable=python)
                self.assertEqual(support.wait_for(
                    lambda: find_pam.python_of(process.pid)), python)


class Copying(unittest.TestCase):
    TOKEN = "0123456789abcdef" * 2

    def setUp(self):
        self.source, self.target = tempfile.mkdtemp(), tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.source)
        self.addCleanup(shutil.rmtree, self.target)

    def name(self, end):
        return os.path.join(self.source, f"pyframes-{self.TOKEN}{end}")

    def copied(self):
        return attach.copy_files(self.source, self.TOKEN, self.target, os.getuid())

    def test_the_token_s_files_and_no_others(self):
        data = b"head" + bytes(1 << 20) + b"tail" + bytes(1 << 20)
        for name in self.name(".side"), self.name("-0.so"), self.source + "/pyframes-other.side":
            with open(name, "wb") as stream:
                stream.write(data)
        self.assertEqual(self.copied(), 2)
        path = os.path.join(self.target, os.path.basename(self.name(".side")))
        with open(path, "rb") as stream:
            self.assertEqual(stream.read(), data)
        self.assertLess(os.stat(path).st_blocks * 512, 1 << 19)

    def test_files_that_are_mapped_and_not_deleted(self):
        path = self.name(".side")
        with open(path, "w+b") as stream:
            stream.truncate(4096)
            with mmap.mmap(stream.fileno(), 0):
                self.assertEqual(attach.mapped_tokens(os.getpid()),
                                 {(os.getpid(), self.source, self.TOKEN)})
                os.unlink(path)
                self.assertEqual(attach.mapped_tokens(os.getpid()), set())

    def test_links_pipes_and_what_is_there_are_left_alone(self):
        os.symlink("/etc/passwd", self.name(".side"))
        os.mkfifo(self.name("-0.so"))
        self.assertEqual(self.copied(), 0)
        self.assertEqual(os.listdir(self.target), [])


class Attaching(test_profile.Case):
    """profile_pam.py --attach."""

    def start_pam(self, **environ):
        """The stand-in on a port of its own; returns (process, port)."""
        port = support.free_port()
        process = self.start(
            [sys.executable, "-m", "uvicorn", "petal_app_manager.main:app",
             "--port", str(port)], env=dict(self.environ, **environ), cwd="/")
        support.wait_for(lambda: support.accepts(port))
        return process, port

    def command(self, *arguments, duration="1"):
        return [sys.executable,
                os.path.join(support.SCRIPTS, "profile_pam.py"), "--attach",
                "--scenario", "unit-test", "--duration", duration, "--output",
                self.output, "--perfconv", self.perfconv, *arguments]

    def test_pam_is_found_by_its_port_and_goes_on(self):
        pam, port = self.start_pam()
        result = self.run_profile("--port", str(port), "--no-pyframes")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIsNone(pam.poll())
        self.assertIn(f"attached_to={pam.pid}", self.arguments())
        self.assertEqual(len(glob.glob(self.output + "/*.speedscope.json")), 1)

    def test_a_pid_can_be_named(self):
        pam, _ = self.start_pam()
        command = self.command("--no-pyframes")
        command.insert(command.index("--attach") + 1, str(pam.pid))
        result = self.run_command(command)
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_nothing_to_attach_to_is_told_at_once(self):
        result = self.run_profile("--port", str(support.free_port()))
        self.assertEqual(result.returncode, 1)
        self.assertIn("Nothing listens on port", result.stderr)
        self.assertFalse(os.path.exists(self.output))

    def test_pam_without_pyframes_is_told_with_all_ways_out(self):
        _, port = self.start_pam()
        result = self.run_profile("--port", str(port))
        self.assertEqual(result.returncode, 1)
        self.assertIn("PYFRAMES=agent" if HAS_PYFRAMES else "pip install",
                      result.stderr)
        self.assertIn("--no-pyframes", result.stderr)

    def test_pam_that_ends_meanwhile_is_told_and_the_capture_kept(self):
        pam, port = self.start_pam()
        status, words = self.act_during(
            lambda _process: pam.kill(), "--port", str(port), "--no-pyframes",
            recorded=1_000_000)
        self.assertEqual(status, 1)
        self.assertIn(f"PAM (pid {pam.pid}) ended during the profile", words)
        self.assertEqual(len(glob.glob(self.output + "/*.speedscope.json")), 1)

    def test_kill_9_at_any_time_leaves_pam_running(self):
        pam, port = self.start_pam()
        for recorded in 0, 1, 2_000_000:
            status, _ = self.act_during(
                lambda process: process.send_signal(signal.SIGKILL), "--port",
                str(port), "--no-pyframes", recorded=recorded, begun="*_perf")
            self.assertEqual(status, -signal.SIGKILL)
            self.assertIsNone(pam.poll())
            support.wait_for(lambda: not self.left_running())
            data = glob.glob(self.output + "/*/perf.data")
            if recorded > 1:
                self.assertGreater(test_profile.count_samples(data[0]), 30)
            shutil.rmtree(self.output)

    def test_driving_is_refused(self):
        result = self.run_profile("--drive")
        self.assertEqual(result.returncode, 2)
        self.assertIn("--drive turns motors", result.stderr)

    @unittest.skipUnless(HAS_PYFRAMES, "this Python has no pyframes")
    def test_pyframes_is_woken_and_put_to_sleep(self):
        folder = os.path.join(os.path.dirname(self.output), "frames")
        pam, port = self.start_pam(PYFRAMES="agent", PYFRAMES_DIR=folder)
        result = self.run_profile("--port", str(port), "--keep")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("leaving PAM as it was", result.stderr)
        self.assertIn("running since before have no name", result.stderr)
        self.assertEqual(len(glob.glob(self.output + "/*/pyframes-*.side")), 1)
        status = subprocess.run(
            [sys.executable, "-m", "pyframes", "status", str(pam.pid)],
            env=dict(os.environ, PYFRAMES="0"), capture_output=True, text=True,
            check=False)
        self.assertIn('"active": false', status.stdout, status.stderr)


class Services(test_profile.Case):
    """profile_pam.py --unit, in a mount namespace with a /run of its own."""

    def setUp(self):
        if os.geteuid() != 0:
            self.skipTest("needs root, for namespaces")
        super().setUp()
        self.folder = os.path.join(os.path.dirname(self.output), "systemd")
        programs = os.path.join(self.folder, "bin")
        os.makedirs(programs)
        shutil.copy(os.path.join(support.STAND_IN, "systemctl"), programs)
        self.port = support.free_port()
        self.environ.update(PATH=programs + ":" + os.environ["PATH"],
                            STAND_IN_SYSTEMD=self.folder)
        self.write_unit(f"{sys.executable} -m uvicorn petal_app_manager.main:app "
                        f"--port {self.port}")
        self.addCleanup(self.systemctl, "stop", "pam.service")

    def write_unit(self, command):
        with open(os.path.join(self.folder, "pam.service"), "w",
                  encoding="ascii") as stream:
            stream.write(
                f"[Service]\nExecStart={command}\n"
                f"Environment=PYTHONPATH={self.environ['PYTHONPATH']}\n"
                "PrivateTmp=yes\n")

    def systemctl(self, *words):
        return subprocess.run(["systemctl", *words], env=self.environ, check=True,
                              capture_output=True, text=True).stdout

    def main_pid(self):
        return int(self.systemctl("show", "pam.service").rpartition("=")[2])

    def start_service(self):
        self.systemctl("daemon-reload")
        self.systemctl("restart", "pam.service")
        support.wait_for(lambda: support.accepts(self.port))
        return self.main_pid()

    def run_unit(self, name, *arguments):
        """In a namespace: a folder below the real /run would look like systemd's."""
        command = [sys.executable,
                   os.path.join(support.SCRIPTS, "profile_pam.py"), "--unit",
                   name, "--scenario", "unit-test", "--duration", "1",
                   "--output", self.output, "--perfconv", self.perfconv,
                   "--port", str(self.port), *arguments]
        script = ('mount -t tmpfs none /run && "$@"; status=$?; '
                  'find /run -type f >&2; exit $status')
        return self.run_command(["unshare", "--mount", "sh", "-c", script, "sh",
                                 *command])

    @unittest.skipUnless(HAS_PYFRAMES, "this Python has no pyframes")
    def test_it_is_restarted_once_and_its_private_tmp_is_seen(self):
        first = self.start_service()
        result = self.run_unit("pam", "--keep")
        self.assertEqual(result.returncode, 0, result.stderr)
        second = self.main_pid()
        self.assertNotEqual(second, first)
        self.assertIn("restarted, healthy", result.stderr)
        self.assertIn("unit=pam.service", self.arguments())
        side, = glob.glob(self.output + "/*/pyframes-*.side")
        self.assertFalse(os.path.exists(
            f"/tmp/pyframes-{os.getuid()}/{os.path.basename(side)}"))
        self.assertNotIn("/run/systemd", result.stderr, "the drop-in is left")
        again = self.run_unit("pam.service")
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertEqual(self.main_pid(), second)
        self.assertNotIn("restarted", again.stderr)

    @unittest.skipUnless(HAS_PYFRAMES, "this Python has no pyframes")
    def test_pam_is_found_behind_the_shell_script_that_a_unit_starts(self):
        self.write_unit(f"sh -c '{sys.executable} -m uvicorn petal_app_manager.main:app "
                        f"--port {self.port}; exit $?'")
        self.start_service()
        result = self.run_unit("pam", "--keep")
        self.assertEqual(result.returncode, 0, result.stderr)
        pid, = re.findall(r"pyframes in PAM \(pid (\d+)\)", result.stderr)
        self.assertEqual(find_pam.listeners(self.port), ([int(pid)], False))
        self.assertNotEqual(int(pid), self.main_pid())

    def test_units_that_are_not_there_or_do_not_run(self):
        result = self.run_unit("nothing")
        self.assertEqual(result.returncode, 1)
        self.assertIn("systemd knows no nothing.service (not-found)", result.stderr)
        result = self.run_unit("pam")
        self.assertIn("sudo systemctl start pam.service", result.stderr)
