# SPDX-License-Identifier: GPL-2.0
"""asyncio tasks: names, steps, bounds."""

import collections
import sys
import unittest

from support import Case, names, records

STEPS = """
    import asyncio
    async def child(n):
        for _ in range(n):
            await asyncio.sleep(0)
    async def main():
        await asyncio.gather(asyncio.create_task(child(3), name="three"),
                             asyncio.create_task(child(5), name="five"), child(2))
    {run}
"""


class Tasks(Case):
    def check_pairs(self, steps):
        """Steps of a thread begin and end properly nested, in time order."""
        stacks = collections.defaultdict(list)
        last = 0
        for step in steps:
            self.assertGreaterEqual(step["time_ns"], last)
            last = step["time_ns"]
            if step["end"]:
                self.assertEqual(stacks[step["tid"]].pop(), step["task"])
            else:
                stacks[step["tid"]].append(step["task"])
        self.assertFalse(any(stacks.values()))

    def check_counts(self, side):
        self.check_pairs(side.steps)
        tasks = {task["id"]: task for task in records(side, "task")}
        counts = collections.Counter(tasks[step["task"]]["name"] for step in side.steps
                                     if not step["end"])
        self.assertEqual((counts["three"], counts["five"], counts["child"]), (4, 6, 3))
        self.assertEqual({tasks[i]["coroutine"] for i in tasks if tasks[i]["name"] == "five"},
                         {"child"})
        self.assertLessEqual({"three", "five", "child", "main"}, set(names(side, "task")))

    def test_every_step_is_in_the_ring(self):
        side, = self.run_python(STEPS.format(run="asyncio.run(main())")).sides()
        self.check_counts(side)

    def test_uvloop(self):
        try:
            import uvloop
        except ImportError:
            self.skipTest("uvloop is not installed in this environment")
        self.assertTrue(uvloop)
        run = "import uvloop; uvloop.install(); asyncio.run(main())"
        side, = self.run_python(STEPS.format(run=run)).sides()
        self.check_counts(side)

    def test_cancelled_and_failing_tasks(self):
        side, = self.run_python("""
            import asyncio
            async def wait():
                try:
                    await asyncio.sleep(60)
                finally:
                    await asyncio.sleep(0)
            async def fail():
                raise ValueError("expected")
            async def main():
                waiting = asyncio.create_task(wait(), name="waiting")
                failing = asyncio.create_task(fail(), name="failing")
                await asyncio.sleep(0)
                waiting.cancel()
                print(await asyncio.gather(waiting, failing, return_exceptions=True))
            asyncio.run(main())
        """).sides()
        self.check_pairs(side.steps)
        tasks = {task["id"]: task["name"] for task in records(side, "task")}
        counts = collections.Counter(tasks[step["task"]] for step in side.steps if step["end"])
        # What is thrown into nested coroutines shows as a pair for each of them.
        self.assertIn(counts["waiting"], (3, 4))
        self.assertEqual(counts["failing"], 1)

    def test_switched_off(self):
        side, = self.run_python(STEPS.format(run="asyncio.run(main())"),
                                PYFRAMES_TASKS="0").sides()
        self.assertEqual((names(side, "task"), side.steps), ([], []))

    def test_frames_without_steps(self):
        side, = self.run_python(STEPS.format(run="asyncio.run(main())"),
                                PYFRAMES_STEPS="0").sides()
        self.assertIn("five", names(side, "task"))
        self.assertEqual(side.steps, [])

    def test_names_are_bounded(self):
        side, = self.run_python("""
            import asyncio
            async def request(): pass
            async def main():
                for number in range(1500):
                    await asyncio.create_task(request(), name="request-%d" % number)
            asyncio.run(main())
        """).sides()
        self.assertLess(len(names(side, "task")), 1030)
        self.assertIn("request", names(side, "task"))

    @unittest.skipIf(sys.version_info < (3, 12), "eager tasks came with Python 3.12")
    def test_eager_tasks(self):
        side, = self.run_python("""
            import asyncio
            async def child():
                await asyncio.sleep(0)
            async def main():
                asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
                await asyncio.create_task(child(), name="eager")
            asyncio.run(main())
        """).sides()
        self.check_pairs(side.steps)
        # 3.12 sets the name after the first step, so the coroutine tells the task.
        tasks = {task["id"]: task["coroutine"] for task in records(side, "task")}
        steps = [step for step in side.steps if tasks[step["task"]] == "child"]
        self.assertEqual(len(steps), 4)

    def check_steps(self, side, expected):
        """Numbers of tasks by (coroutine, steps)."""
        self.check_pairs(side.steps)
        begun = collections.Counter(step["task"] for step in side.steps if not step["end"])
        found = collections.Counter((task["coroutine"], begun[task["id"]])
                                    for task in records(side, "task"))
        self.assertEqual({key: found[key] for key in expected}, expected)

    def test_coroutines_at_addresses_of_earlier_ones(self):
        """Also more tasks at a time than are remembered by their coroutines."""
        side, = self.run_python("""
            import asyncio
            async def child(n):
                for _ in range(n):
                    await asyncio.sleep(0)
            async def main():
                finished = []
                for number in (1500, 1500, 10, 10, 10):
                    tasks = [asyncio.create_task(child(i % 5)) for i in range(number)]
                    await asyncio.gather(*tasks)
                    finished += tasks[::2]
            asyncio.run(main())
        """).sides()
        self.check_steps(side, {("child", steps): 606 for steps in range(1, 6)})

    @unittest.skipIf(sys.version_info < (3, 12), "eager tasks came with Python 3.12")
    def test_coroutines_at_addresses_of_eager_ones(self):
        """An eager task that ends in its first step lets its coroutine go, and may live on."""
        side, = self.run_python("""
            import asyncio
            async def eager(): pass
            async def child(n):
                for _ in range(n):
                    await asyncio.sleep(0)
            async def main():
                loop, finished = asyncio.get_running_loop(), []
                for _ in range(20):
                    loop.set_task_factory(asyncio.eager_task_factory)
                    finished += [asyncio.create_task(eager()) for _ in range(10)]
                    loop.set_task_factory(None)
                    tasks = [asyncio.create_task(child(2)) for _ in range(10)]
                    await asyncio.gather(*tasks)
                    finished += tasks
            asyncio.run(main())
        """).sides()
        self.check_steps(side, {("eager", 1): 200, ("child", 3): 200})

    def test_coroutine_driven_by_hand_inside_a_task(self):
        side, = self.run_python("""
            import asyncio
            async def by_hand():
                await asyncio.sleep(0)
                await asyncio.sleep(0)
            def drive():
                coroutine = by_hand()
                try:
                    while True:
                        coroutine.send(None)
                except StopIteration:
                    pass
            async def child():
                for _ in range(3):
                    drive()
                    await asyncio.sleep(0)
            async def main():
                await asyncio.gather(*[asyncio.create_task(child()) for _ in range(5)])
            asyncio.run(main())
        """).sides()
        self.check_steps(side, {("child", 4): 5})

    def test_tasks_of_two_threads(self):
        side, = self.run_python("""
            import asyncio, threading
            async def child():
                for _ in range(200):
                    await asyncio.sleep(0)
            def run(name):
                async def main():
                    await asyncio.create_task(child(), name=name)
                asyncio.run(main())
            threads = [threading.Thread(target=run, args=("task-of-%d" % i,)) for i in range(2)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
        """).sides()
        self.check_pairs(side.steps)
        tids = {task["name"]: task["tid"] for task in records(side, "task")}
        self.assertNotEqual(tids["task-of-0"], tids["task-of-1"])


if __name__ == "__main__":
    unittest.main()
