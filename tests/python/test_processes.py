# SPDX-License-Identifier: GPL-2.0
"""fork, exec, spawn: each process has its own files and leaves the parent's alone."""

import os
import signal
import unittest

from support import EMULATOR, Case, compile_shared, names, records


class Processes(Case):
    def by_pid(self, result):
        return {side.header.pid: side for side in result.sides()}

    def test_fork(self):
        result = self.run_python("""
            import os
            def in_parent(): pass
            def in_child(): pass
            def in_both(): pass
            in_both()
            pid = os.fork()
            if pid == 0:
                in_child(); in_both()
                os._exit(0)
            os.waitpid(pid, 0)
            in_parent()
            print(os.getpid(), pid)
        """)
        parent, child = map(int, result.stdout.split())
        sides = self.by_pid(result)
        self.assertEqual(set(sides), {parent, child})
        self.assertIn("in_parent", names(sides[parent]))
        self.assertNotIn("in_child", names(sides[parent]))
        self.assertLessEqual({"in_child", "in_both"}, set(names(sides[child])))
        self.assertNotIn("in_parent", names(sides[child]))

    def test_fork_in_a_thread_while_others_run(self):
        result = self.run_python("""
            import os, threading
            stop = threading.Event()
            def step(): pass
            def busy():
                while not stop.is_set(): step()
            workers = [threading.Thread(target=busy) for _ in range(3)]
            for worker in workers: worker.start()
            def child_work():
                return 7
            def forker():
                for _ in range(5):
                    pid = os.fork()
                    if pid == 0:
                        os._exit(child_work())
                    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
            thread = threading.Thread(target=forker)
            thread.start(); thread.join(); stop.set()
            for worker in workers: worker.join()
        """, flags=("-W", "ignore::DeprecationWarning"))
        sides = result.sides()
        self.assertEqual(len(sides), 6)
        self.assertEqual(sum("child_work" in names(side) for side in sides), 5)

    @unittest.skipIf(EMULATOR, "qemu 7.2 accepts MADV_WIPEONFORK and does not do it")
    def test_fork_that_bypasses_atfork(self):
        result = self.run_python("""
            import ctypes, os, platform, signal
            libc = ctypes.CDLL(None)
            clone = {"x86_64": 56, "aarch64": 220}[platform.machine()]
            import pyframes, threading
            def in_child(): pass
            def before(): pass
            dying = eval(compile("lambda: 1", "dying", "eval"))
            before(), dying()
            status = pyframes.status()
            pid = libc.syscall(clone, signal.SIGCHLD, 0, 0, 0, 0)
            if pid == 0:
                in_child(); before()
                del dying  # its code object dies here and must not be told to the parent's file
                threading.main_thread().name = "renamed"
                pyframes.snapshot()
                pyframes.stop(remove=True)
                os._exit(3)
            assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 3
            assert pyframes.status()["used_bytes"] - status["used_bytes"] < 1000
            def after(): pass
            after()
        """, PYFRAMES_SNAPSHOTS="0")
        side, = result.sides()
        self.assertIn("after", names(side))
        self.assertNotIn("in_child", names(side))
        self.assertNotIn("renamed", [thread["name"] for thread in records(side, "thread")])
        self.assertEqual([s["reason"] for s in records(side, "snapshot")], [1, 2])
        dying = [code["id"] for code in records(side, "code")
                 if (code["name"], code["file"]) == ("<lambda>", "dying")]
        self.assertEqual(len(dying), 1)
        self.assertNotIn(dying[0], [death["id"] for death in records(side, "code_death")])

    def test_fork_while_a_thread_holds_the_loaders_lock(self):
        library = os.path.join(self.directory, "hold_loader.so")
        reason = compile_shared("hold_loader.c", library, "-pthread")
        if reason:
            self.skipTest(reason)
        result = self.run_python("""
            import ctypes, os, signal
            holder = ctypes.CDLL(%r)
            assert holder.hold_loader() == 0
            def child_work(): return 7
            def grandchild_work(): return 8
            pid = os.fork()
            if pid == 0:
                signal.alarm(20)
                status = child_work()
                grandchild = os.fork()  # of a process with one thread, whose lock stays held
                if grandchild == 0:
                    signal.alarm(20)
                    os._exit(grandchild_work())
                assert os.waitstatus_to_exitcode(os.waitpid(grandchild, 0)[1]) == 8
                for i in range(40):  # needs a second arena
                    exec("def f%%d(): pass\\nf%%d()" %% (i, i))
                os._exit(status)
            print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
            holder.release_loader()
        """ % library, flags=("-W", "ignore::DeprecationWarning"), PYFRAMES_SLOTS="32")
        self.assertEqual(result.stdout, "7\n")
        sides = result.sides()
        self.assertEqual(len(sides), 3)
        self.assertEqual(sum("child_work" in names(side) for side in sides), 1)
        self.assertEqual(sum("grandchild_work" in names(side) for side in sides), 1)
        self.assertEqual(max(len(records(side, "arena")) for side in sides[1:]), 2)

    def test_fork_inside_a_task(self):
        result = self.run_python("""
            import asyncio, os
            async def child_work():
                await asyncio.sleep(0)
            async def late():
                await asyncio.create_task(child_work(), name="late")
            async def main():
                await asyncio.create_task(child_work(), name="early")
                pid = os.fork()
                if pid == 0:
                    asyncio.run(late())
                    os._exit(0)
                os.waitpid(pid, 0)
                await late()
            asyncio.run(main())
        """)
        parent, child = result.sides()
        for side in (parent, child):
            tasks = {task["id"]: task["name"] for task in records(side, "task")}
            self.assertLessEqual({step["task"] for step in side.steps}, set(tasks))
            self.assertIn("late", tasks.values())
        self.assertNotIn("early", [task["name"] for task in records(child, "task")])

    def test_exec_and_subprocess(self):
        result = self.run_python("""
            import subprocess, sys
            subprocess.run([sys.executable, "-c", "def inner(): pass\\ninner()"], check=True)
        """)
        self.assertEqual(sum("inner" in names(side) for side in result.sides()), 1)
        self.assertEqual(len(result.sides()), 2)

    def multiprocessing(self, method):
        return self.run_python("""
            import multiprocessing, sys
            def work(n):
                return n * n
            if __name__ == "__main__":
                context = multiprocessing.get_context(%r)
                with context.Pool(2) as pool:
                    assert pool.map(work, range(20)) == [n * n for n in range(20)]
                    pool.close(); pool.join()
        """ % method, flags=("-W", "ignore::DeprecationWarning"))

    def test_multiprocessing_fork(self):
        sides = self.multiprocessing("fork").sides()
        self.assertGreaterEqual(sum("work" in names(side) for side in sides), 1)
        self.assertEqual(len(sides), 3)

    def test_multiprocessing_spawn(self):
        sides = self.multiprocessing("spawn").sides()
        self.assertGreaterEqual(sum("work" in names(side) for side in sides), 1)
        self.assertGreaterEqual(len(sides), 3)

    def test_disk_space_of_many_children_is_bounded(self):
        result = self.run_python("""
            import os
            def child(): pass
            for _ in range(10):
                pid = os.fork()
                if pid == 0:
                    child(); os._exit(0)
                os.waitpid(pid, 0)
        """)
        used = sum(os.stat(path).st_blocks * 512 for path in result.paths("pyframes-*"))
        self.assertLess(used / 11, 2 << 20)

    def test_files_are_removed_on_request(self):
        result = self.run_python("""
            import os
            pid = os.fork()
            if pid == 0:
                def child(): pass
                child()
                raise SystemExit
            os.waitpid(pid, 0)
        """, PYFRAMES_REMOVE="1")
        self.assertEqual(result.paths("pyframes-*"), [])

    def test_stop_with_remove_and_start_again(self):
        result = self.run_python("""
            import pyframes
            first = pyframes.status()["token"]
            pyframes.stop(remove=True)
            def between(): pass
            between()
            assert pyframes.start()
            assert pyframes.status()["token"] != first
            def again(): pass
            again()
        """)
        side, = result.sides()
        self.assertIn("again", names(side))
        self.assertNotIn("between", names(side))

    def test_killed_child_does_not_harm(self):
        result = self.run_python("""
            import os, signal
            def spin():
                while True: step()
            def step(): pass
            read, write = os.pipe()
            pid = os.fork()
            if pid == 0:
                step(); os.write(write, b"x"); spin()
            os.read(read, 1)
            os.kill(pid, signal.SIGKILL)
            print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        """)
        self.assertEqual(int(result.stdout), -signal.SIGKILL)
        self.assertEqual(len(result.sides()), 2)


if __name__ == "__main__":
    unittest.main()
