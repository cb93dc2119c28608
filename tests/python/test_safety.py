# SPDX-License-Identifier: GPL-2.0
"""Whatever goes wrong, the program goes on, with one line on stderr at most."""

import os
import shutil
import subprocess
import sys
import sysconfig
import unittest

from support import EMULATOR, SECONDS, Case, compile_shared, names, records

BUSY = """
    import asyncio, threading, pyframes
    def work(n):
        return n and 1 + work(n - 1)
    async def child(n):
        await asyncio.sleep(0)
        return work(n)
    async def main():
        return sum(await asyncio.gather(*[
            asyncio.create_task(child(n), name="t%d" % n) for n in range(4)]))
    loop = asyncio.new_event_loop()
    started = pyframes.start()
    pyframes.snapshot()
    thread = threading.Thread(target=work, args=(3,), name="busy-thread")
    thread.start(); thread.join()
    print(loop.run_until_complete(main()), work(20))
    loop.close()
    pyframes.stop()
    print(pyframes.start() == started, work(5))
"""

# Each N in a child of its own, which is the first to start pyframes.
EVERY_ALLOCATION = """
    import asyncio, os, threading, pyframes
    pyframes._load()
    log = os.environ["FAIL_LOG"]
    def work(n):
        return n and 1 + work(n - 1)
    async def child(n):
        await asyncio.sleep(0)
        return work(n)
    async def main():
        return sum(await asyncio.gather(*[
            asyncio.create_task(child(n), name="t%d" % n) for n in range(4)]))
    def scenario():
        loop = asyncio.new_event_loop()
        pyframes.start()
        pyframes.snapshot()
        thread = threading.Thread(target=work, args=(3,), name="busy-thread")
        thread.start(); thread.join()
        done = loop.run_until_complete(main()), work(20)
        loop.close()
        pyframes.stop()
        pyframes.start()
        return done + (work(5),)
    def attempt(number):
        os.environ["FAIL_AT"] = str(number)
        os.dup2(os.open("errors", os.O_CREAT | os.O_RDWR | os.O_TRUNC), 2)
        os._exit(0 if scenario() == (6, 20, 5) else 1)
    stride = int(os.environ["STRIDE"])
    number = 1 - stride
    while True:
        number += stride
        pid = os.fork()
        if pid == 0:
            attempt(number)
        assert os.waitpid(pid, 0)[1] == 0, number
        with open("errors") as file:
            lines = file.read()
        assert lines.count("\\n") <= 1, (number, lines)
        if not os.path.exists(log):
            break
        os.unlink(log)
    print(number - 1)
"""


class Memory(Case):
    def setUp(self):
        super().setUp()
        if os.environ.get("SANITIZED"):
            self.skipTest("the sanitizer has the memory functions")

    @unittest.skipIf(EMULATOR, "the emulator's loader would preload it, too")
    def test_every_allocation_of_ours_may_fail(self):
        library = os.path.join(self.directory, "fail_nth.so")
        reason = compile_shared("fail_nth.c", library)
        if reason:
            self.skipTest(reason)
        # The same C in every version: each N with one of them, every fifth with the others.
        stride = "1" if sys.version_info[:2] == (3, 11) else "5"
        result = self.run_python(EVERY_ALLOCATION, mode=None, LD_PRELOAD=library,
                                 FAIL_LOG=os.path.join(self.directory, "failed"),
                                 PYFRAMES_SLOTS="16", STRIDE=stride)
        self.assertGreater(int(result.stdout), 20)

    @unittest.skipIf(EMULATOR, "the emulator's loader would preload it, too")
    def test_signals_interrupt_requests_for_disk_space(self):
        library = os.path.join(self.directory, "fail_nth.so")
        reason = compile_shared("fail_nth.c", library)
        if reason:
            self.skipTest(reason)
        result = self.run_python("""
            scope = {}
            body = "".join(" a += %d * a\\n" % j for j in range(300))
            for i in range(200):
                exec("def g%d(a):\\n" % i + body, scope)
                scope["g%d" % i](0)
        """, LD_PRELOAD=library, INTERRUPT="1")
        side, = result.sides()
        self.assertEqual(side.header.dropped_records, 0)
        self.assertIn("g199", names(side))

    def test_every_allocation_of_pythons_may_fail(self):
        if subprocess.run([sys.executable, "-c", "import _testcapi; _testcapi.set_nomemory"],
                          stderr=subprocess.DEVNULL).returncode:
            self.skipTest("this Python has no _testcapi.set_nomemory")
        result = self.run_python("""
            import _testcapi, pyframes
            done = 0
            for n in range(1, 80):
                scope = {}
                exec("def fresh(x):\\n return x + 1", scope)
                fresh = scope["fresh"]
                _testcapi.set_nomemory(n, n + 1)
                try:
                    fresh(1)
                except MemoryError:
                    pass
                finally:
                    _testcapi.remove_mem_hooks()
                done += fresh(1) == 2
            for n in range(1, 80):
                _testcapi.set_nomemory(n, n + 1)
                try:
                    pyframes.snapshot()
                except MemoryError:
                    pass
                finally:
                    _testcapi.remove_mem_hooks()
            print(done)
        """, check=False)
        self.assertEqual((result.returncode, result.stdout), (0, "79\n"), result.stderr)


class Disk(Case):
    def run_on(self, options):
        """Run the busy program with its directory on a file system of its own."""
        if os.geteuid() or not shutil.which("unshare"):
            self.skipTest("needs root and unshare, to mount a file system")
        script = self.write("program.py", BUSY.replace('work(5)', 'work(5), "end"'))
        mount = os.path.join(self.directory, "mount")
        os.mkdir(mount, 0o700)
        command = "mount -t tmpfs -o mode=700,%s none %s && exec %s %s" % (
            options, mount, sys.executable, script)
        process = subprocess.run(["unshare", "--mount", "sh", "-c", command], text=True,
                                 env=self.environment("1", PYFRAMES_DIR=mount),
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=SECONDS)
        if "mount" in process.stderr and process.returncode == 32:
            self.skipTest("mounting is not allowed here")
        self.assertEqual((process.returncode, process.stdout.split()[:2]), (0, ["6", "20"]),
                         process.stderr)
        self.assertTrue(process.stdout.endswith("end\n"))
        return process.stderr

    def test_no_room_for_anything(self):
        self.assertRegex(self.run_on("size=64k"), r"\Apyframes: .*No space left on device\n\Z")

    def test_no_room_for_the_trampolines(self):
        self.assertRegex(self.run_on("size=600k"), r"\Apyframes: .*No space left on device\n\Z")

    def test_no_room_for_the_ring_and_more_records(self):
        self.assertEqual(self.run_on("size=1500k"), "")

    @unittest.skipIf(EMULATOR, "qemu maps code without asking the kernel to execute it")
    def test_no_execution(self):
        self.assertRegex(self.run_on("noexec"), r"\Apyframes: .*cannot load the trampolines.*\n\Z")

    def test_read_only(self):
        self.assertRegex(self.run_on("ro"), r"\Apyframes: .*Read-only file system\n\Z")


class Directory(Case):
    def warning(self, directory):
        result = self.run_python("print('on')", check=False, PYFRAMES_DIR=directory)
        self.assertEqual((result.returncode, result.stdout), (0, "on\n"))
        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
        return result.stderr

    def test_symlink_is_not_followed(self):
        os.symlink("/tmp", os.path.join(self.directory, "link"))
        self.assertIn("not profiling", self.warning(os.path.join(self.directory, "link")))

    def test_others_must_not_write(self):
        path = os.path.join(self.directory, "open")
        os.mkdir(path)
        os.chmod(path, 0o777)
        self.assertIn("mode 0777", self.warning(path))

    def test_file_in_its_place(self):
        path = os.path.join(self.directory, "file")
        open(path, "w").close()
        self.assertIn("cannot open directory", self.warning(path))

    @unittest.skipUnless(os.geteuid() == 0, "needs root, to give a directory away")
    def test_foreign_owner(self):
        path = os.path.join(self.directory, "foreign")
        os.mkdir(path, 0o700)
        os.chown(path, 65534, 65534)
        self.assertIn("belongs to user 65534", self.warning(path))

    def test_directory_that_the_user_gave_may_be_read_by_others(self):
        path = os.path.join(self.directory, "shown")
        os.mkdir(path)
        os.chmod(path, 0o755)
        self.run_python("pass", PYFRAMES_DIR=path)
        self.assertEqual([oct(os.stat(os.path.join(path, name)).st_mode & 0o7777)
                          for name in os.listdir(path)], [oct(0o600)] * 2)

    def test_directory_above_must_not_be_writable_by_others(self):
        above = os.path.join(self.directory, "above")
        path = os.path.join(above, "mine")
        os.mkdir(above)
        os.mkdir(path, 0o700)
        os.chmod(above, 0o777)
        self.assertIn("%s (user %d, mode 0777) lets other users" % (above, os.geteuid()),
                      self.warning(path))
        os.chmod(above, 0o1777)
        self.run_python("pass", PYFRAMES_DIR=path)
        if os.geteuid() == 0:
            os.chmod(above, 0o755)
            os.chown(above, 65534, 65534)
            self.assertIn("(user 65534, mode 0755) lets other users", self.warning(path))

    def test_directory_that_is_replaced_is_not_used(self):
        path = os.path.join(self.directory, "dir")
        result = self.run_python("""
            import os
            path = os.environ["PYFRAMES_DIR"]
            os.rename(path, path + ".old")
            os.mkdir(path, 0o700)
            for i in range(200):  # the next arena is due
                exec("def f%d(): pass\\nf%d()" % (i, i))
            print(os.listdir(path))
        """, check=False, PYFRAMES_DIR=path, PYFRAMES_SLOTS="32")
        self.assertEqual((result.returncode, result.stdout), (0, "[]\n"))
        self.assertIn("Stale file handle", result.stderr)

    def test_directory_whose_name_is_no_text(self):
        path = os.fsencode(self.directory) + b"/\xff\xe9"
        result = self.run_python("""
            import os, pyframes
            from pyframes import _agent
            status = pyframes.status()
            print(status["active"], os.fsencode(status["directory"]) == os.environb[b"PYFRAMES_DIR"],
                  _agent.start())
        """, PYFRAMES_DIR=os.fsdecode(path), PYTHONUTF8="1", check=False)
        self.assertEqual(result.stdout, "True True True\n", result.stderr)
        self.assertEqual(sum(name.endswith(b".side") for name in os.listdir(path)), 1)

    def test_impossible_directories_do_not_raise(self):
        result = self.run_python("""
            import pyframes
            print(pyframes.start("with a \\0"), pyframes.start("/" + "x" * 5000))
        """, mode=None, check=False)
        self.assertEqual((result.returncode, result.stdout), (0, "False False\n"))
        self.assertEqual(result.stderr.count("\n"), 1)

    def test_new_directory_is_private(self):
        path = os.path.join(self.directory, "new")
        self.run_python("pass", PYFRAMES_DIR=path)
        self.assertEqual(os.stat(path).st_mode & 0o7777, 0o700)
        for name in os.listdir(path):
            self.assertEqual(os.stat(os.path.join(path, name)).st_mode & 0o7777, 0o600)


class Host(Case):
    def test_host_closes_all_descriptors(self):
        result = self.run_python("""
            import os
            os.closerange(3, 256)
            files = [open("host-%d" % i, "w+") for i in range(20)]
            for i in range(300):
                exec("def f%d():\\n '''%s'''\\nf%d()" % (i, "x" * 4000, i))
            scope = {}
            body = "".join(" a += %d * a\\n" % j for j in range(300))
            for i in range(200):
                exec("def g%d(a):\\n" % i + body, scope)
                scope["g%d" % i](0)
            for file in files:
                file.seek(0)
                assert file.read() == "", file.name
            print(len(os.listdir("/proc/self/fd")) - len(files))
        """)
        self.assertEqual(result.stdout, "4\n")  # 0, 1, 2 and the listing's own
        self.assertIn("g199", names(result.sides()[0]))

    def test_no_descriptor_is_held(self):
        result = self.run_python("import os; print(len(os.listdir('/proc/self/fd')))")
        self.assertEqual(result.stdout, self.run_python(
            "import os; print(len(os.listdir('/proc/self/fd')))", mode=None).stdout)

    def test_recursion_ends_as_without(self):
        code = """
            def depth(n):
                try:
                    return depth(n + 1)
                except RecursionError:
                    return n
            print(depth(0))
        """
        self.assertEqual(self.run_python(code).stdout, self.run_python(code, mode=None).stdout)

    def test_deep_recursion_limit_is_warned_of(self):
        result = self.run_python("""
            import sys, pyframes
            sys.setrecursionlimit(20000)
            print(pyframes.start())
        """, mode=None, check=False)
        self.assertEqual((result.returncode, result.stdout), (0, "True\n"))
        self.assertIn("recursion limit of 20000", result.stderr)

    def limited(self, limit, amount):
        """Start where a limit of the host's leaves no room, and work on.

        amount is an expression; mapped is what the process has mapped, in bytes."""
        return self.run_python("""
            import resource, pyframes
            pyframes._load()
            with open("/proc/self/statm") as file:
                mapped = int(file.read().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.%s, (%s, resource.RLIM_INFINITY))
            def work(): return 7
            print(pyframes.start(), work())
        """ % (limit, amount), mode=None, check=False)

    def test_file_size_limit(self):
        result = self.limited("RLIMIT_FSIZE", "1 << 20")
        self.assertEqual((result.returncode, result.stdout), (0, "False 7\n"))
        self.assertRegex(result.stderr, r"\Apyframes: not profiling: .*File too large\n\Z")

    @unittest.skipIf(os.environ.get("SANITIZED"), "the sanitizer needs the address space")
    @unittest.skipIf(EMULATOR, "qemu does not limit what it emulates")
    def test_address_space_limit(self):
        result = self.limited("RLIMIT_AS", "mapped + (16 << 20)")
        self.assertEqual((result.returncode, result.stdout), (0, "False 7\n"))
        self.assertRegex(result.stderr, r"\Apyframes: not profiling: .*Cannot allocate memory\n\Z")

    def test_tracers_see_the_same(self):
        code = """
            import cProfile, io, pstats, sys
            events = []
            def trace(frame, event, arg):
                events.append((frame.f_code.co_name, event, frame.f_lineno))
                return trace
            def gen():
                yield 1
                yield 2
            def traced():
                try:
                    {}["missing"]
                except KeyError:
                    pass
                return sum(gen())
            sys.settrace(trace); traced(); sys.settrace(None)
            profile = cProfile.Profile()
            profile.runcall(traced)
            out = io.StringIO()
            print(events, sorted((k[2], v[0]) for k, v in pstats.Stats(profile).stats.items()))
        """
        self.assertEqual(self.run_python(code).stdout, self.run_python(code, mode=None).stdout)

    def test_start_and_stop_while_threads_run(self):
        result = self.run_python("""
            import threading, pyframes
            stop = threading.Event()
            def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
            results = []
            def run():
                while not stop.is_set(): results.append(fib(12))
            threads = [threading.Thread(target=run) for _ in range(4)]
            for thread in threads: thread.start()
            for _ in range(100):
                pyframes.start(); fib(5); pyframes.stop(); fib(5)
            stop.set()
            for thread in threads: thread.join()
            print(set(results), pyframes.status()["active"])
        """)
        self.assertEqual(result.stdout, "{144} False\n")

    def test_daemon_threads_at_exit(self):
        result = self.run_python("""
            import threading, time
            ready = threading.Event()
            def step(): pass
            def spin():
                ready.set()
                while True: step()
            for _ in range(4): threading.Thread(target=spin, daemon=True).start()
            ready.wait()
        """)
        self.assertEqual(result.returncode, 0)

    def test_a_task_that_stops_pyframes_while_it_is_named(self):
        result = self.run_python("""
            import asyncio, os, pyframes
            class Task(asyncio.Task):
                def get_name(self):
                    pyframes.stop(remove=True)
                    return "named"
            async def main():
                await asyncio.sleep(0)
                return 7
            loop = asyncio.new_event_loop()
            print(loop.run_until_complete(Task(main(), loop=loop)), pyframes.status()["active"])
            loop.close()
        """)
        self.assertEqual(result.stdout, "7 False\n")
        self.assertEqual(result.paths("pyframes-*"), [])

    @unittest.skipIf(sys.version_info < (3, 12), "interpreters share the GIL before 3.12")
    def test_no_snapshot_beside_other_interpreters(self):
        result = self.run_python("""
            try:
                import _interpreters as interpreters
            except ImportError:
                import _xxsubinterpreters as interpreters
            import pyframes
            from pyframes import _agent
            other = interpreters.create()
            print(pyframes.snapshot(), len(_agent.stacks()))
            interpreters.destroy(other)
            print(pyframes.snapshot(), len(_agent.stacks()))
        """)
        self.assertEqual(result.stdout, "False 1\nTrue 1\n")

    def test_sub_interpreters_are_left_alone(self):
        result = self.run_python("""
            try:
                import _interpreters as interpreters
            except ImportError:
                import _xxsubinterpreters as interpreters
            import pyframes
            code = "def inside(): return 41 + 1\\nassert inside() == 42"
            for _ in range(3):
                interpreter = interpreters.create()
                interpreters.run_string(interpreter, code)
                interpreters.destroy(interpreter)
            def after(): pass
            after()
            print(pyframes.status()["active"])
        """)
        self.assertEqual(result.stdout, "True\n")
        self.assertIn("after", names(result.sides()[0]))
        self.assertNotIn("inside", names(result.sides()[0]))


class ForeignExtras(Case):
    def test_release_functions_of_others_are_not_called_for_us(self):
        result = self.run_python("""
            import ctypes, gc, sys
            prefix = "PyUnstable_" if sys.version_info >= (3, 12) else "_Py"
            request = getattr(ctypes.pythonapi, prefix + "Eval_RequestCodeExtraIndex")
            released = []
            release = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(released.append)
            index = request(release)
            for number in range(10):
                scope = {}
                exec("def function(): pass", scope)
                scope["function"]()
            del scope
            gc.collect()
            print(index > 0, released)
        """)
        self.assertEqual(result.stdout, "True []\n")  # and it ended well


class ForeignHook(Case):
    """Another tool's evaluator below and above ours."""

    PROGRAM = """
        import ctypes, pyframes
        chain = ctypes.PyDLL({library!r})
        def call(): pass
        def counted():
            before = chain.chain_calls(); call(); return chain.chain_calls() - before
        {body}
    """

    def run_chain(self, body):
        library = os.path.join(self.directory, "chain.so")
        reason = compile_shared("chain.c", library, "-I" + sysconfig.get_paths()["include"])
        if reason:
            self.skipTest(reason)
        return self.run_python(self.PROGRAM.format(library=library, body=body), mode=None)

    def test_below(self):
        result = self.run_chain("chain.chain_install(); pyframes.start(); print(counted() > 0); "
                                "pyframes.stop(); print(counted() > 0)")
        self.assertEqual(result.stdout, "True\nTrue\n")
        self.assertIn("call", names(result.sides()[0]))

    def test_above_when_stopped(self):
        result = self.run_chain(
            "pyframes.start(); chain.chain_install(); pyframes.stop(); print(counted() > 0); "
            "pyframes.start(); print(counted() > 0); chain.chain_remove(); print(counted()); "
            "pyframes.stop(); call()")
        self.assertEqual(result.stdout, "True\nTrue\n0\n")

    def test_all_taken_away_and_started_again(self):
        result = self.run_chain("pyframes.start(); chain.chain_reset(); call(); pyframes.start()\n"
                                "        def later(): pass\n"
                                "        later(); pyframes.stop()")
        self.assertIn("later", names(result.sides()[0]))
        self.assertNotIn("call", names(result.sides()[0]))

    def test_above_removed_after_stop(self):
        result = self.run_chain(
            "pyframes.start(); chain.chain_install(); pyframes.stop(); chain.chain_remove(); "
            "print(counted()); pyframes.start(); call(); print(pyframes.status()['active'])")
        self.assertEqual(result.stdout, "0\nTrue\n")
        self.assertIn("call", names(result.sides()[0]))


if __name__ == "__main__":
    unittest.main()
