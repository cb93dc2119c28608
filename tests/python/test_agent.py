# SPDX-License-Identifier: GPL-2.0
"""The dormant agent: attach, dump, detach; who may ask; and injection with gdb."""

import json
import os
import shutil
import subprocess
import sys
import time
import unittest

from support import SECONDS, Case, names

PROGRAM = """
    import sys, threading, time
    def named_call(): pass
    def waits():
        print("ready", flush=True)
        {wait}
    waits()
"""
WAITS = {
    "sleep": "time.sleep(60)",
    "input": "sys.stdin.readline()",
    "join": "t = threading.Thread(target=time.sleep, args=(60,), daemon=True)\n"
            "        t.start(); t.join()",
    "computing": "while True: named_call()",
    "asyncio": "import asyncio; asyncio.run(asyncio.sleep(60))",
    "uvloop": "import asyncio, uvloop; uvloop.install(); asyncio.run(asyncio.sleep(60))",
}
REACTION_S = 2.0 if os.environ.get("SANITIZED") else 0.2


def gdb_may_attach():
    if not shutil.which("gdb"):
        return "gdb is not installed"
    probe = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        out = subprocess.run(["gdb", "-p", str(probe.pid), "-batch", "-nx", "-ex", "print 6 * 7"],
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, timeout=SECONDS).stdout
    finally:
        probe.communicate(b"\n")
    return None if "$1 = 42" in out else "gdb may not attach to processes here"


class Agent(Case):
    def start_waiting(self, wait, mode="agent"):
        return self.start_python(PROGRAM.format(wait=WAITS[wait]), mode=mode)

    def ask_all(self, wait):
        """Attach, dump and detach through the same code as the command; returns times."""
        process = self.start_waiting(wait)
        times = []
        self.assertFalse(json.loads(self.command("status", process.pid).stdout)["active"])
        for operation in ("START", "DUMP", "STOP"):
            code = ("import sys, time; from pyframes import _agent, _attach\n"
                    "begin = time.monotonic()\n"
                    "answer = _attach.ask(%d, _agent.%s)\n"
                    "print(time.monotonic() - begin, answer['done'])" % (process.pid, operation))
            out = subprocess.run([sys.executable, "-c", code], env=self.environment(None),
                                 stdout=subprocess.PIPE, text=True, timeout=SECONDS).stdout.split()
            self.assertEqual(out[1:], ["True"], operation)
            times.append(float(out[0]))
        process.kill()
        return times

    def check_reaction(self, wait):
        times = self.ask_all(wait)
        sys.stderr.write("%s: %s ms\n" % (wait, " ".join("%.0f" % (1e3 * t) for t in times))
                         if os.environ.get("PYFRAMES_TEST_VERBOSE") else "")
        self.assertLess(sorted(times)[1], REACTION_S, times)

    def test_reaction_in_sleep(self):
        self.check_reaction("sleep")

    def test_reaction_in_read(self):
        self.check_reaction("input")

    def test_reaction_in_join(self):
        self.check_reaction("join")

    def test_reaction_while_computing(self):
        self.check_reaction("computing")

    def test_reaction_in_asyncio(self):
        self.check_reaction("asyncio")

    def test_reaction_in_uvloop(self):
        try:
            import uvloop
        except ImportError:
            self.skipTest("uvloop is not installed in this environment")
        self.assertTrue(uvloop)
        self.check_reaction("uvloop")

    def test_commands(self):
        process = self.start_waiting("computing")
        path = self.command("attach", process.pid).stdout.strip()
        self.assertTrue(os.path.exists(path))
        dump = self.command("dump", process.pid).stdout
        self.assertRegex(dump, r"thread %d MainThread\n    (named_call .*\n    )?waits"
                         % process.pid)
        self.assertTrue(json.loads(self.command("status", process.pid).stdout)["active"])
        self.command("detach", process.pid)
        self.assertFalse(json.loads(self.command("status", process.pid).stdout)["active"])
        self.assertIsNone(process.poll())

    def test_agent_of_a_process_that_is_active(self):
        process = self.start_python(PROGRAM.format(wait=WAITS["sleep"]), PYFRAMES_AGENT="1")
        self.assertTrue(json.loads(self.command("status", process.pid).stdout)["active"])
        self.assertIn("waits", self.command("dump", process.pid).stdout)
        plain = self.start_python(PROGRAM.format(wait=WAITS["sleep"]))
        self.assertIn("has no agent", self.command("dump", plain.pid, check=False).stderr)

    def test_process_without_agent(self):
        process = self.start_waiting("sleep", mode=None)
        refused = self.command("attach", process.pid, check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("has no agent", refused.stderr)
        self.assertIsNone(process.poll())

    def test_no_such_process(self):
        refused = self.command("dump", (1 << 22) + 1, check=False)
        self.assertEqual((refused.returncode, refused.stderr),
                         (1, "pyframes: no process %d\n" % ((1 << 22) + 1)))

    def test_announcement_that_lies(self):
        process = self.start_waiting("sleep")
        path = os.path.join(self.directory, "pyframes-agent-%d" % process.pid)
        with open(path) as file:
            truth = json.load(file)
        for lie in ('{', '[]', '{}', '"text"', "[" * 100000,
                    json.dumps(dict(truth, signal="1")), json.dumps(dict(truth, start_time=None)),
                    json.dumps(dict(truth, signal=9)), json.dumps(dict(truth, signal=-1))):
            with open(path, "w") as file:
                file.write(lie)
            refused = self.command("dump", process.pid, check=False)
            self.assertEqual(refused.returncode, 1, lie[:80])
            self.assertRegex(refused.stderr, r"\Apyframes: .*(is damaged|has no agent.*)\n\Z")
        os.unlink(path)
        os.mkfifo(path)
        self.assertIn("has no agent", self.command("dump", process.pid, check=False).stderr)
        self.assertIsNone(process.poll())

    def test_pipe_in_place_of_a_side_file(self):
        os.mkfifo(os.path.join(self.directory, "pyframes-0.side"))
        process = self.start_waiting("sleep", mode="1")
        code = ("from pyframes import _attach\n"
                "print(_attach._await_state(%d, 1).endswith('.side'))" % process.pid)
        out = subprocess.run([sys.executable, "-c", code], env=self.environment(None),
                             stdout=subprocess.PIPE, text=True, timeout=SECONDS).stdout
        self.assertEqual(out, "True\n")

    def test_plain_signal_is_not_a_request(self):
        result = self.run_python("""
            import os, pyframes
            from pyframes import _agent
            os.kill(os.getpid(), _agent._state["signal"])
            print(pyframes.status()["active"])
        """, mode="agent")
        self.assertEqual(result.stdout, "False\n")

    def test_host_handlers_are_left_alone(self):
        result = self.run_python("""
            import signal
            taken = signal.SIGRTMAX - 1
            signal.signal(taken, lambda *_: None)
            mine = signal.getsignal(taken)
            from pyframes import _agent
            _agent.start()
            print(signal.getsignal(taken) is mine, _agent._state["signal"] < taken)
        """, mode=None)
        self.assertEqual(result.stdout, "True True\n")

    @unittest.skipUnless(os.geteuid() == 0, "needs root, to become another user")
    def test_foreign_user_is_refused(self):
        process = self.start_waiting("sleep")
        code = ("import os\n"
                "from pyframes import _pyframes\n"  # while it may be read
                "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
                "try:\n    _pyframes.agent_send(%d, %d, 0)\n"
                "except PermissionError:\n    print('refused')")
        with open(os.path.join(self.directory, "pyframes-agent-%d" % process.pid)) as file:
            number = json.load(file)["signal"]
        out = subprocess.run([sys.executable, "-c", code % (process.pid, number)],
                             stdout=subprocess.PIPE, text=True, timeout=SECONDS).stdout
        self.assertEqual(out, "refused\n")

    def test_no_thread_and_no_warning_on_fork(self):
        result = self.run_python("""
            import os
            print(len(os.listdir("/proc/self/task")))
            pid = os.fork()
            if pid == 0:
                os._exit(0)
            os.waitpid(pid, 0)
        """, mode="agent", flags=("-W", "error"))
        self.assertEqual(result.stdout, "1\n")

    def test_forked_child_answers_for_itself(self):
        process = self.start_python("""
            import os, time
            pid = os.fork()
            if pid == 0:
                time.sleep(60)
            path = os.path.join(os.environ["PYFRAMES_DIR"], "pyframes-agent-%d" % pid)
            while not os.path.exists(path):
                pass
            print(pid, flush=True)
            os.waitpid(pid, 0)
        """, mode="agent")
        child = None
        for name in os.listdir(self.directory):
            if name.startswith("pyframes-agent-") and name != "pyframes-agent-%d" % process.pid:
                child = int(name.rpartition("-")[2])
        self.command("attach", child)
        self.assertTrue(json.loads(self.command("status", child).stdout)["active"])
        self.assertFalse(json.loads(self.command("status", process.pid).stdout)["active"])
        os.kill(child, 9)

    def test_announcement_goes_with_the_process(self):
        self.run_python("pass", mode="agent")
        self.assertEqual(os.listdir(self.directory), ["program.py"])

    def test_inject(self):
        if os.environ.get("SANITIZED"):
            self.skipTest("gdb would be sanitized, too")
        reason = gdb_may_attach()
        if reason:
            self.skipTest(reason)
        process = self.start_python("""
            import threading, time
            def after_injection(): pass
            print("ready", flush=True)
            while True:
                after_injection(); time.sleep(0.001)
        """, mode=None)
        path = self.command("attach", "--inject", process.pid).stdout.strip()
        self.command("detach", "--inject", process.pid)
        from pyframes import _reader
        end = time.monotonic() + SECONDS
        known = []
        while "after_injection" not in known and time.monotonic() < end:
            with open(path, "rb") as file:
                known = names(_reader.read(file.read()))
        self.assertIn("after_injection", known)
        self.assertIsNone(process.poll())


if __name__ == "__main__":
    unittest.main()
