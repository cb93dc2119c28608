# SPDX-License-Identifier: GPL-2.0
"""A small program to record: named threads, a task, a recursion, a wait.

pyframes is started when all is imported, so that its files stay small.
"""
import asyncio
import select
import threading
import time

import pyframes


def spin(seconds):
    end = time.thread_time() + seconds
    total = 0
    while time.thread_time() < end:
        total += sum(range(500))
    return total


class Link:
    def receive(self):
        for _ in range(3):
            self.decode()
            select.select([], [], [], 0.01)

    def decode(self):
        return spin(0.04)


def recurse(depth):
    return spin(0.08) if depth == 0 else recurse(depth - 1)


async def poll():
    for _ in range(3):
        spin(0.02)
        await asyncio.sleep(0.01)


async def serve():
    await asyncio.create_task(poll(), name="poll vehicle")


def idle(ended):
    ended.wait()


def main():
    ended = threading.Event()
    threads = [
        threading.Thread(target=Link().receive, name="MavLinkExternalProxy-Recv"),
        threading.Thread(target=recurse, args=(5,), name="Telemetry aggregator (1 Hz)"),
        threading.Thread(target=idle, args=(ended,), name="never on a CPU"),
    ]
    for thread in threads:
        thread.start()
    asyncio.run(serve())
    for thread in threads[:2]:
        thread.join()
    ended.set()


pyframes.start()
main()
pyframes.stop()
