# SPDX-License-Identifier: GPL-2.0
"""What the live test records: threads with long names, one that polls, a task.

    program.py SECONDS

Prints the CPU time of the process and, as "NAME TID SECONDS", of each thread.
"""
import asyncio
import select
import sys
import threading
import time

SECONDS = float(sys.argv[1])
REPORT = []


def crunch(seconds):
    end = time.thread_time() + seconds
    total = 0
    while time.thread_time() < end:
        for i in range(2000):
            total += i * i
    return total


def report():
    thread = threading.current_thread()
    REPORT.append(f"{thread.native_id} {time.thread_time():.6f} {thread.name}")


def compute_outer():
    compute_inner()
    report()


def compute_inner():
    crunch(SECONDS / 2)


def poll_forever():
    """Many short waits in select(), whose frame is large; longer than the others run."""
    end = time.monotonic() + 1.5 * SECONDS
    while time.monotonic() < end:
        select.select([], [], [], 0.0001)
    report()


class Worker(threading.Thread):
    def run(self):
        self.descend(20)
        report()

    def descend(self, depth):
        if depth:
            self.descend(depth - 1)
        else:
            crunch(SECONDS / 4)


async def step():
    for _ in range(10):
        crunch(SECONDS / 100)
        await asyncio.sleep(0.001)


async def serve():
    await asyncio.create_task(step(), name="live task")


def main():
    threads = [
        threading.Thread(target=compute_outer, name="MavLinkExternalProxy-Recv"),
        threading.Thread(target=poll_forever, name="A poller with a long name"),
        Worker(name="Recursive worker (20 deep)"),
    ]
    for thread in threads:
        thread.start()
    asyncio.run(serve())
    for thread in threads:
        thread.join()
    report()
    print(f"process {time.process_time():.6f}")
    print("\n".join(REPORT))


main()
