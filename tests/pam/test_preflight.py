# SPDX-License-Identifier: GPL-2.0
"""Checks before anything starts, against real sockets and interpreters."""

import os
import socket
import subprocess
import tempfile
import unittest
import unittest.mock

import support
from pam_profiling import capture_size, perf_event, permission, preflight, settings
from pam_profiling.messages import ProfilingError
from pam_profiling.target import ask_target
from pam_profiling.user import InvokingUser


class Ports(support.ServiceCase):
    def test_taken_port_is_reported_with_the_way_to_find_its_owner(self):
        with socket.socket() as holder:
            holder.bind(("127.0.0.1", 0))
            holder.listen()
            port = holder.getsockname()[1]
            message = preflight.check_pam_port(port)
        self.assertIn(f"Port {port} is taken", message)
        self.assertIn("--port N", message)
        self.assertIn("ss -ltnp", message)
        self.assertIsNone(preflight.check_pam_port(port))

    def test_free_port_moves_away_from_a_taken_udp_port(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
            holder.bind(("127.0.0.1", 0))
            taken = holder.getsockname()[1]
            chosen = preflight.free_port(taken, socket.SOCK_DGRAM)
        self.assertNotEqual(chosen, taken)
        self.assertTrue(preflight.port_is_free(chosen, socket.SOCK_DGRAM))

    def test_redis_up_down_and_something_else(self):
        port = self.start_redis()
        self.assertIsNone(preflight.check_redis("127.0.0.1", port))
        down = preflight.check_redis("127.0.0.1", support.free_port())
        self.assertIn("Redis does not answer", down)
        self.assertIn("--with-services", down)
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            process = self.start(
                ["sh", "-c", "exec sleep 5"], pass_fds=(other.fileno(),))
            silent = preflight.check_redis("127.0.0.1",
                                           other.getsockname()[1])
            self.end(process)
        self.assertIn("Redis does not answer", silent)


class Interpreters(unittest.TestCase):
    def setUp(self):
        self.user = InvokingUser({})
        self.environ = dict(os.environ, PYTHONPATH=os.path.join(
            support.STAND_IN, "site"))

    def test_other_python_version_is_refused(self):
        answer = ask_target(os.sys.executable, self.user, self.environ)
        self.assertTrue(answer.has_pam)
        answer.version = "3.12.1"
        message = preflight.check_target(answer)
        self.assertIn("CPython 3.12.1, and PAM needs CPython 3.11", message)
        self.assertIn("--python EXE", message)

    def test_a_program_that_is_no_python(self):
        with self.assertRaises(ProfilingError) as caught:
            ask_target("/bin/true", self.user, self.environ)
        self.assertIn("--python EXE", str(caught.exception))

    def test_python_without_pam(self):
        environ = dict(self.environ, PYTHONPATH="")
        with tempfile.TemporaryDirectory() as folder:
            venv = os.path.join(folder, "v")
            subprocess.run([os.sys.executable, "-m", "venv", "--without-pip",
                            venv], check=True)
            answer = ask_target(os.path.join(venv, "bin", "python"),
                                self.user, environ)
        if not answer.is_supported():
            self.skipTest("the tests run on another Python than 3.11")
        self.assertFalse(answer.pyframes)
        self.assertIn("no petal_app_manager", preflight.check_target(answer))
        self.assertIn("pip install", preflight.check_pyframes(answer))

    def test_a_folder_named_pyframes_is_not_the_module(self):
        with tempfile.TemporaryDirectory() as folder:
            os.mkdir(os.path.join(folder, "pyframes"))
            environ = dict(self.environ, PYTHONPATH=folder)
            known = ask_target(os.sys.executable, self.user, self.environ)
            answer = ask_target(os.sys.executable, self.user, environ)
        self.assertEqual(answer.pyframes, known.pyframes)


class Sources(unittest.TestCase):
    """What is told of a PAM from its sources and its configuration alone."""

    # A YAML file is a Python expression here.
    YAML = "import datetime\ndef safe_load(stream):\n    return eval(stream.read())\n"

    def ask(self, main="", settings="{}"):
        with tempfile.TemporaryDirectory() as folder:
            site = os.path.join(folder, "site")
            for name, text in (("site/petal_app_manager/__init__.py", ""),
                               ("site/petal_app_manager/main.py", main),
                               ("site/petal_app_manager/more.py", "import petal_that_is_missing"),
                               ("site/yaml.py", self.YAML), ("config.json", "{}"),
                               ("site/petal_namespace/plugin.py", ""),
                               ("proxies.yaml", settings)):
                os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
                with open(os.path.join(folder, name), "w", encoding="utf-8") as stream:
                    stream.write(text)
            return ask_target(os.sys.executable, InvokingUser({}),
                              dict(os.environ, PYTHONPATH=site))

    def test_an_import_that_always_happens_is_missing(self):
        for main in ("import petal_that_is_missing", "from petal_that_is_missing.x import y",
                     "from . import more", "from .more import x",
                     "import petal_app_manager.more"):
            self.assertIn("No module named 'petal_that_is_missing'",
                          self.ask(main).import_trouble, main)

    def test_one_that_may_never_happen_is_no_trouble(self):
        line = "import petal_that_is_missing"
        for main in (f"def rarely():\n    {line}", f"class X:\n    def f(self):\n        {line}",
                     f"import sys\nif sys.platform == 'win32':\n    {line}",
                     f"try:\n    {line}\nexcept ImportError:\n    pass",
                     f"import sys\nsys.path.insert(0, '/opt/more')\n{line}",
                     f"import sys\nsys.path.append('/opt/more')\nfrom . import more",
                     f"{line}\nfrom sys import path", f"import site\nsite.addsitedir('x')\n{line}",
                     "def rarely():\n    from . import more"):
            self.assertIsNone(self.ask(main).import_trouble, main)

    def test_sources_that_cannot_be_checked_are_no_trouble(self):
        for main in ("import __main__", "x = " + "1 + " * 20_000 + "1", "from .... import x"):
            answer = self.ask(main)
            self.assertTrue(answer.has_pam)
            self.assertIsNone(answer.import_trouble, main[:20])

    def test_any_configuration_is_answered(self):
        cycle = "(lambda a: (a.append(a), {'petals': a, 'enabled_petals': a})[1])([])"
        for settings in ("datetime.date(2026, 1, 1)", "b'abc'", "{'a'}", "[1]", "None", cycle,
                         "{'startup_petals': datetime.date(2026, 1, 1), 'x': b'y'}",
                         "{'petals': ['a'], 'enabled_petals': ['a']}",
                         "{'petals': 'abc', 'enabled_petals': ['a']}",
                         "{'petals': {'a': 5, 'b': ':X'}, 'enabled_petals': ['a', 'b']}",
                         "{'petals': {'a': 'b'}, 'enabled_petals': 5}",
                         "{'petals': {'a': 'b'}, 'enabled_petals': [{'x': 1}, ['a'], b'a']}"):
            answer = self.ask(settings=settings)
            self.assertIsNone(answer.config_trouble, settings)
            self.assertEqual(answer.missing, [], settings)
        answer = self.ask(settings="{'enabled_proxies': ['redis', 5], 'enabled_petals': 'abc',"
                                   "'startup_petals': ['a', 'a']}")
        self.assertEqual((answer.enabled_proxies, answer.enabled_petals), (["redis"], ["a"]))

    def test_only_petals_that_are_not_there_are_missing(self):
        answer = self.ask(settings="{'petals': {'a': 'petal_not_there.plugin:A', 'b':"
                                   "'petal_namespace.plugin:B'}, 'enabled_petals': ['a', 'b']}")
        self.assertEqual(answer.missing, ["a (petal_not_there)"])


class Perf(unittest.TestCase):
    """A perf that fails, in place of a kernel that refuses."""

    def refusal(self, script):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "perf")
            with open(path, "w", encoding="ascii") as stream:
                stream.write("#!/bin/sh\n" + script)
            os.chmod(path, 0o755)
            with unittest.mock.patch.dict(os.environ, PATH=folder):
                return permission.find_permission(folder)

    def test_no_perf_at_all(self):
        with unittest.mock.patch.dict(os.environ, PATH="/nowhere"):
            found, words = permission.find_permission("/tmp")
        self.assertIsNone(found)
        self.assertIn("apt-get install linux-perf", words)

    def test_the_sysctl_is_named_where_it_is_the_reason(self):
        with unittest.mock.patch.object(perf_event, "paranoid_level",
                                        return_value=3):
            found, words = self.refusal("exit 1\n")
        self.assertIsNone(found)
        self.assertIn("kernel.perf_event_paranoid=1", words)

    def test_else_perf_s_own_words_are_shown(self):
        with unittest.mock.patch.object(perf_event, "paranoid_level",
                                        return_value=-1):
            _, words = self.refusal("echo seccomp says no >&2; exit 1\n")
        self.assertIn("seccomp says no", words)
        self.assertIn("PERFMON", words)


class Output(unittest.TestCase):
    def test_room_for_the_capture(self):
        user = InvokingUser({})
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "not", "there", "yet")
            self.assertIsNone(preflight.check_output(path, user, 1, 1e6))
            message = preflight.check_output(path, user, 1e9, 1e6)
        self.assertIn("free some space", message)

    def test_a_file_in_the_way(self):
        with tempfile.NamedTemporaryFile() as file:
            message = preflight.check_output(file.name, InvokingUser({}), 1, 1e6)
        self.assertIn("is not a folder", message)


class Room(unittest.TestCase):
    """What is asked for, against what recordings of PAM 0.2.7 wrote (MB/s)."""

    WHOLE = settings.Settings()
    # Scenario, what is driven, settings, the most that was seen, and on how busy a machine.
    SEEN = (("idle-no-leaffc", [], WHOLE, 6.0, "the README's"),
            ("idle-with-leaffc", [], WHOLE, 7.5, "load 6"),
            ("esc-calibration", ["esc-calibration"], WHOLE, 6.4, "load 12"),
            ("mission-execution", ["mission-execution", "rc-stream"], WHOLE, 9.5, "calm"),
            ("mission-execution", ["mission-execution", "rc-stream"],
             settings.Settings(switch_bytes=0), 1.9, "load 14"),
            ("mission-execution", ["mission-execution", "rc-stream"],
             WHOLE.with_frame_pointers(), 0.7, "load 14"),
            ("idle-no-leaffc", [], settings.Settings(dump_bytes=65528), 6.5, "load 12"),
            ("idle-no-leaffc", [], settings.Settings(frequency_hz=499), 4.7, "load 12"))

    @staticmethod
    def rate(scenario, kinds, chosen, simulated=True):
        return capture_size.bytes_per_second(
            chosen, *capture_size.activity(scenario, kinds, simulated)) / 1e6

    def test_it_is_enough_and_not_far_too_much(self):
        for scenario, kinds, chosen, seen, load in self.SEEN:
            rate = self.rate(scenario, kinds, chosen)
            self.assertGreater(rate, 1.2 * seen, (scenario, chosen, load))
            # A busy machine's PAM writes less than a calm one's.
            self.assertLess(rate, (2 if load == "calm" else 5) * seen, (scenario, chosen, load))

    def test_what_is_recorded_counts(self):
        whole = self.rate("idle-with-leaffc", [], self.WHOLE)
        for less in (settings.Settings(switch_bytes=0), settings.Settings(dump_bytes=1024),
                     settings.Settings(frequency_hz=9), settings.Settings(switches=False),
                     self.WHOLE.with_frame_pointers()):
            self.assertLess(self.rate("idle-with-leaffc", [], less), whole, less)

    def test_a_pam_that_is_not_ours_may_be_busy_whatever_its_label_says(self):
        self.assertEqual(self.rate("idle-no-leaffc", [], self.WHOLE, simulated=False),
                         self.rate("mission-execution", [], self.WHOLE))

    def test_the_bundle_and_the_rest_need_room_too(self):
        self.assertGreater(capture_size.needed_bytes(1e6, 100), 170e6)


class User(unittest.TestCase):
    def test_sudo_names_the_user_to_run_as(self):
        if os.geteuid() != 0:
            self.skipTest("needs root, as under sudo")
        user = InvokingUser({"SUDO_UID": "65534", "SUDO_GID": "65534"})
        self.assertTrue(user.switch)
        result = subprocess.run(
            ["id", "-u"], capture_output=True, text=True, check=True,
            **user.popen_options())
        self.assertEqual(result.stdout.strip(), "65534")
        environ = user.environment({"SUDO_UID": "65534", "HOME": "/before"})
        self.assertNotIn("SUDO_UID", environ)
        self.assertNotEqual(environ["HOME"], "/before")

    def test_root_without_sudo_stays_root(self):
        self.assertFalse(InvokingUser({}).switch)
        self.assertFalse(InvokingUser({"SUDO_UID": "0"}).switch)

    def test_own_follows_no_symbolic_link(self):
        if os.geteuid() != 0:
            self.skipTest("needs root, as under sudo")
        user = InvokingUser({"SUDO_UID": "65534"})
        with tempfile.TemporaryDirectory() as folder:
            target = os.path.join(folder, "target")
            tree = os.path.join(folder, "tree")
            os.mkdir(tree)
            with open(target, "w", encoding="ascii"):
                pass
            os.symlink(target, os.path.join(tree, "link"))
            user.own_tree(tree)
            self.assertEqual(os.stat(target).st_uid, 0)
            self.assertEqual(os.stat(tree).st_uid, 65534)
