# SPDX-License-Identifier: GPL-2.0
"""Threads: names in the kernel and in full, renames, ends."""

import json
import unittest

from support import EMULATOR, Case, records


class Threads(Case):
    def test_names_and_ends(self):
        result = self.run_python("""
            import threading
            from concurrent.futures import ThreadPoolExecutor
            def comm():
                with open("/proc/self/task/%d/comm" % threading.get_native_id()) as file:
                    return file.read().strip()
            seen = {}
            def run():
                seen[threading.current_thread().name] = comm()
            threads = [threading.Thread(target=run, name=name)
                       for name in ("short", "a-name-of-more-than-15-bytes",
                                    "caf\\u00e9-" + "\\u00e9" * 8)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            with ThreadPoolExecutor(1, thread_name_prefix="pool") as pool:
                pool.submit(run).result()
            seen["MainThread"] = comm()
            import json; print(json.dumps(seen))
        """)
        seen = json.loads(result.stdout)
        main = seen.pop("MainThread")
        for name, comm in seen.items():
            self.assertTrue(name.startswith(comm), (name, comm))
            self.assertGreaterEqual(len(comm.encode()), min(len(name.encode()), 14))
        self.assertTrue(main.startswith(EMULATOR or "python"), main)
        side, = result.sides()
        known = {thread["name"]: thread["tid"] for thread in records(side, "thread")}
        self.assertEqual(known["MainThread"], side.header.pid)
        self.assertLessEqual(set(seen), set(known))
        ended = {end["tid"] for end in records(side, "thread_end")}
        self.assertLessEqual({known[name] for name in seen}, ended)

    def test_rename(self):
        result = self.run_python("""
            import threading
            ready, go = threading.Event(), threading.Event()
            def run():
                ready.set(); go.wait()
                with open("/proc/self/task/%d/comm" % threading.get_native_id()) as file:
                    print(file.read().strip())
            thread = threading.Thread(target=run, name="before")
            thread.start(); ready.wait()
            thread.name = "after-the-rename"
            go.set(); thread.join()
            threading.main_thread().name = "renamed-main"
            print(open("/proc/self/comm").read().strip())
        """)
        comm, main = result.stdout.split()
        self.assertEqual(comm, "after-the-renam")
        self.assertTrue(main.startswith(EMULATOR or "python"))
        written = [thread["name"] for thread in records(result.sides()[0], "thread")]
        self.assertEqual([name for name in written if name], ["MainThread", "before",
                                                              "after-the-rename", "renamed-main"])

    def test_threads_before_activation(self):
        result = self.run_python("""
            import threading, pyframes
            ready, go = threading.Event(), threading.Event()
            def run():
                ready.set(); go.wait()
            thread = threading.Thread(target=run, name="early-bird")
            thread.start(); ready.wait()
            pyframes.start()
            print(open("/proc/self/task/%d/comm" % thread.native_id).read().strip())
            go.set(); thread.join()
        """, mode=None)
        self.assertEqual(result.stdout, "early-bird\n")
        early, = [thread for thread in records(result.sides()[0], "thread")
                  if thread["name"] == "early-bird"]
        self.assertEqual(early["flags"], 2)

    def test_threads_without_threading(self):
        result = self.run_python("""
            import _thread, os
            done = _thread.allocate_lock(); done.acquire()
            def run():
                done.release()
            _thread.start_new_thread(run, ())
            done.acquire()
        """)
        tids = {thread["tid"] for thread in records(result.sides()[0], "thread")}
        self.assertEqual(len(tids), 2)

    def test_stack_is_touched_within_small_stacks(self):
        result = self.run_python("""
            import threading
            done = []
            for size in (32768, 65536, 131072, 262144, 1 << 20):
                try:
                    threading.stack_size(size)
                except ValueError:  # less than aarch64 allows
                    threading.stack_size(131072)
                thread = threading.Thread(target=lambda: done.append(1))
                thread.start(); thread.join()
            print(len(done))
        """)
        self.assertEqual(result.stdout, "5\n")

    @unittest.skipIf(EMULATOR, "the kernel sees the emulator's stack")
    def test_stack_pages_are_readable_for_the_kernel(self):
        result = self.run_python("""
            import threading
            def stack_of_self():
                line = open("/proc/thread-self/syscall").read().split()
                return int(line[-2], 16)
            def run():
                sp = stack_of_self() & ~4095
                with open("/proc/self/pagemap", "rb") as file:
                    pages = []
                    for page in range(sp - 200 * 1024, sp, 4096):
                        file.seek(page // 4096 * 8)
                        pages.append(int.from_bytes(file.read(8), "little") >> 63)
                print(all(pages))
            thread = threading.Thread(target=run)
            thread.start(); thread.join()
        """)
        self.assertEqual(result.stdout, "True\n")


if __name__ == "__main__":
    unittest.main()
