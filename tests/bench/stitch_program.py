# SPDX-License-Identifier: GPL-2.0
"""What stitching is measured on: programs whose stacks do not fit small dumps.

    stitch_program.py PROGRAM SECONDS

threads     threads that call deep and shallow functions in turn
asyncio     tasks that await, compute and descend, beside a server's accept loop
poller      a thread that polls with select(), whose frame is larger than a dump
twins       two functions that reach a third with equal CFAs, in turn
rare-twin   the same, one of them rarely
twin-waits, rare-wait   the same, where the third waits in select()
twin-coroutines         gathered coroutines that await one, a third one rarely
"""
import asyncio
import json
import select
import sys
import threading
import time

SECONDS = float(sys.argv[2])
END = time.monotonic() + SECONDS
DEEP = 45  # calls; some 20 KiB of stack
RARE = 20  # one call of so many is the rare caller's


def compute(n):
    total = 0
    for i in range(n):
        total += i * i
    return total


def descend(depth, n):
    if depth:
        return descend(depth - 1, n)
    return compute(n)


def run_threads(targets):
    threads = [threading.Thread(target=target, name=target.__name__) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


# --- threads ---------------------------------------------------------------


def parse(depth):
    text = json.dumps({"depth": depth, "list": list(range(200))})
    return json.loads(text, object_hook=lambda d: descend(depth, 300) and d)


def sort_deep(depth):
    return sorted(range(8), key=lambda i: descend(depth, 200 + i))


def deep_and_shallow():
    while time.monotonic() < END:
        for depth in 2, 10, 20, DEEP:
            descend(depth, 3000)
        time.sleep(0.0005)


def callbacks():
    while time.monotonic() < END:
        for depth in 3, 15, 30:
            parse(depth)
            sort_deep(depth)
        time.sleep(0.0005)


def one_deep_call():
    """Long-lived callers, all the time in what they call."""
    def loop(depth):
        if depth:
            loop(depth - 1)
        while time.monotonic() < END:
            compute(3000)
            time.sleep(0.0005)
    loop(30)


# --- asyncio ---------------------------------------------------------------


async def leaf(n):
    descend(20, n)
    await asyncio.sleep(0)


async def middle(n):
    for _ in range(3):
        await leaf(n)
    descend(5, n)


async def outer(n):
    while time.monotonic() < END:
        await middle(n)
        await asyncio.sleep(0.001)


async def serve():
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        tasks = [asyncio.create_task(outer(500 * i), name=f"worker {i}") for i in range(1, 5)]
        await asyncio.gather(*tasks)


# --- poller ----------------------------------------------------------------


def wait_for_input(seconds):
    return select.select([], [], [], seconds)


def receive_once():
    wait_for_input(0.001)
    return compute(500)


def receiver():
    while time.monotonic() < END:
        receive_once()


# --- twins -----------------------------------------------------------------


def shared():
    return descend(DEEP, 4000)


def first():
    return shared()


def second():
    return shared()


def call_in_turn(one, other, every):
    count = 0
    while time.monotonic() < END:
        count += 1
        for caller in [one] if count % every else [other]:
            caller()


def twins_in_turn():
    call_in_turn(first, second, 2)


def twins_one_rare():
    call_in_turn(first, second, RARE)


def wait_first():
    return wait_for_input(0.001)


def wait_second():
    return wait_for_input(0.001)


def waits_in_turn():
    call_in_turn(wait_first, wait_second, 2)


def waits_one_rare():
    call_in_turn(wait_first, wait_second, RARE)


async def shared_coroutine():
    descend(DEEP, 4000)
    await asyncio.sleep(0)


async def first_coroutine():
    while time.monotonic() < END:
        await shared_coroutine()


async def second_coroutine():
    while time.monotonic() < END:
        await shared_coroutine()


async def rare_coroutine():
    while time.monotonic() < END:
        await shared_coroutine()
        await asyncio.sleep(0.2)


async def twin_coroutines():
    await asyncio.gather(first_coroutine(), second_coroutine(), rare_coroutine())


def gathered():
    asyncio.run(twin_coroutines())


PROGRAMS = {
    "threads": [deep_and_shallow, callbacks, one_deep_call],
    "asyncio": [lambda: asyncio.run(serve())],
    "poller": [receiver],
    "twins": [twins_in_turn],
    "rare-twin": [twins_one_rare],
    "twin-waits": [waits_in_turn],
    "rare-wait": [waits_one_rare],
    "twin-coroutines": [gathered],
}

run_threads(PROGRAMS[sys.argv[1]])
