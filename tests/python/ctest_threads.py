# SPDX-License-Identifier: GPL-2.0
"""The whole extension under TSan, in a Python that is not instrumented.

Python's locks are pthread mutexes, which the preloaded sanitizer sees, so it knows
the order that the GIL gives, and tells where our code relies on more than that:
arenas, slots, the side file, threads, tasks, the agent's request, fork.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import unittest

import venvs

FLAGS = "-fsanitize=thread -g"
PROGRAM = """
    import asyncio, ctypes, os, signal, sys, threading
    import pyframes
    from pyframes import _agent, _pyframes
    if sys.argv[1:]:
        assert ctypes.CDLL(sys.argv[1]).race() == 0
    assert _agent.start()
    stop = threading.Event()
    def fib(n):
        return n if n < 2 else fib(n - 1) + fib(n - 2)
    async def child(n):
        await asyncio.sleep(0)
        return fib(n)
    async def main():
        return await asyncio.gather(*[asyncio.create_task(child(n), name="t%d" % n)
                                      for n in range(3)])
    def calls(number):
        while not stop.is_set():
            fib(6)
            exec("def g%d(): pass\\ng%d()" % (number, number))
            threading.current_thread().name = "renamed-%d" % number
    def tasks(number):
        while not stop.is_set():
            asyncio.run(main())
    def threads(number):
        while not stop.is_set():
            thread = threading.Thread(target=fib, args=(3,))
            thread.start(); thread.join()
    ask = threading.Semaphore(0)
    def asks(number):
        while ask.acquire() and not stop.is_set():
            _pyframes.agent_send(os.getpid(), _agent._state["signal"], _agent.DUMP)
    workers = [threading.Thread(target=work, args=(number,)) for number, work in
               enumerate((calls, tasks, threads, asks))]
    for worker in workers: worker.start()
    for i in range(10):
        ask.release()
        assert pyframes.start()
        fib(5); pyframes.snapshot()
        pid = os.fork()
        if pid == 0:
            os._exit(fib(6))
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 8
        pyframes.stop(remove=i % 5 == 0)
    stop.set(); ask.release()
    for worker in workers: worker.join()
    print("done")
"""


class Threads(unittest.TestCase):
    def setUp(self):
        if not shutil.which("gcc"):
            self.skipTest("gcc is not installed")
        header = os.path.join(sysconfig.get_paths()["include"], "Python.h")
        if sys.version_info[:2] not in venvs.SUPPORTED or not os.path.exists(header):
            self.skipTest("pyframes cannot be built for this interpreter")
        self.library = subprocess.run(["gcc", "-print-file-name=libtsan.so"], text=True,
                                      stdout=subprocess.PIPE).stdout.strip()
        if not os.path.isabs(self.library):
            self.skipTest("gcc has no libtsan.so")
        self.directory = tempfile.mkdtemp(prefix="pyframes-ctest-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def run_program(self, *arguments):
        python = venvs.make(getattr(sys, "_base_executable", sys.executable), "tsan", FLAGS)
        program = os.path.join(self.directory, "program.py")
        with open(program, "w") as file:
            file.write("if True:\n" + PROGRAM)
        environment = venvs.clean_environment(
            PYFRAMES_DIR=self.directory, PYFRAMES_SLOTS="256", PYFRAMES_SNAPSHOTS="0.05",
            LD_PRELOAD=self.library, TSAN_OPTIONS="die_after_fork=0 exitcode=66")
        return subprocess.run([python, "-W", "ignore", program, *arguments], env=environment,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=300)

    def test_no_data_race(self):
        process = self.run_program()
        if "unexpected memory mapping" in process.stdout:
            self.skipTest("the sanitizer does not run on this kernel")
        self.assertEqual((process.returncode, process.stdout), (0, "done\n"))

    def test_a_data_race_would_be_told(self):
        library = os.path.join(self.directory, "race.so")
        source = os.path.join(venvs.HERE, "c", "race.c")
        subprocess.run(["gcc", "-shared", "-fPIC", "-O1", *FLAGS.split(), "-o", library, source],
                       check=True)
        process = self.run_program(library)
        if "unexpected memory mapping" in process.stdout:
            self.skipTest("the sanitizer does not run on this kernel")
        self.assertIn("WARNING: ThreadSanitizer: data race", process.stdout)
        self.assertEqual(process.returncode, 66)


if __name__ == "__main__":
    unittest.main()
