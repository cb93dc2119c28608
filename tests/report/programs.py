# SPDX-License-Identifier: GPL-2.0
"""Programs with one mistake each, and their clean twins.

    programs.py NAME planted|clean

Each runs SECONDS. The function that makes the mistake is the one that PLANTED
names; its twin does the same work as it should be done.
"""
import asyncio
import gc
import hashlib
import http.client
import http.server
import json
import os
import select
import socket
import sys
import tempfile
import threading
import time

SECONDS = 2
SLOW_S = 0.15
FILE_BYTES = 96 << 20
DONE = threading.Event()
LOCK = threading.Lock()


def run_threads(*functions):
    """Each function in a thread of its name, until DONE is set after SECONDS."""
    threads = [threading.Thread(target=function, name=f"{function.__name__}_{number}")
               for number, function in enumerate(functions)]
    for thread in threads:
        thread.start()
    time.sleep(SECONDS)
    DONE.set()
    for thread in threads:
        thread.join()


def run_loop(coroutine_function, *arguments):
    """A coroutine again and again, beside one that should be called every 20 ms."""
    async def tick(end):
        while time.monotonic() < end:
            await asyncio.sleep(0.02)

    async def again(end):
        while time.monotonic() < end:
            await coroutine_function(*arguments)
            await asyncio.sleep(0.05)

    async def both():
        end = time.monotonic() + SECONDS
        await asyncio.gather(tick(end), again(end))

    asyncio.run(both())


# busy wait

def spin_until_done():
    while not DONE.is_set():
        pass


def wait_until_done():
    while not DONE.wait(0.2):
        pass


# polling

def look_every_2ms():
    while not DONE.is_set():
        time.sleep(0.002)


def look_every_100ms():
    while not DONE.is_set():
        time.sleep(0.1)


def look_200_times():
    for _ in range(200):
        time.sleep(0.001)


def work_60ms():
    time.sleep(0.02)
    end = time.thread_time() + 0.06
    while time.thread_time() < end:
        sum(range(1000))


def look_and_work():
    while not DONE.is_set():
        look_200_times()
        work_60ms()


def sleep_and_work():
    while not DONE.is_set():
        time.sleep(0.1)
        work_60ms()


def select_with(seconds):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        while not DONE.is_set():
            select.select([ours], [], [], seconds)


def select_every_3ms():
    select_with(0.003)


def select_every_300ms():
    select_with(0.3)


# a blocked event loop

async def nap_in_coroutine():
    time.sleep(SLOW_S)


async def sleep_in_coroutine():
    await asyncio.sleep(SLOW_S)


class SlowHandler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        time.sleep(SLOW_S)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_arguments):
        pass


def fetch(port):
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/")
    connection.getresponse().read()
    connection.close()


async def fetch_in_coroutine(port):
    fetch(port)


async def fetch_in_thread(port):
    await asyncio.to_thread(fetch, port)


def with_server(coroutine_function):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), SlowHandler)
    thread = threading.Thread(target=server.serve_forever, name="server")
    thread.start()
    run_loop(coroutine_function, server.server_address[1])
    server.shutdown()
    thread.join()
    server.server_close()


async def read_in_coroutine(path):
    with open(path, encoding="latin-1") as file:
        file.read()


def read_parts(path):
    with open(path, "rb", buffering=0) as file:
        while file.read(1 << 20):
            pass


async def read_in_thread(path):
    await asyncio.to_thread(read_parts, path)


def with_file(coroutine_function):
    with tempfile.NamedTemporaryFile() as file:
        os.truncate(file.fileno(), FILE_BYTES)
        run_loop(coroutine_function, file.name)


# messages

MESSAGE = {"id": 1, "values": list(range(200)), "names": {str(n): n for n in range(50)}}


def consume(message):
    return sum(message["values"])


def relay_as_text():
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        consume(json.loads(json.dumps(MESSAGE)))


def relay_as_object():
    text = json.dumps(MESSAGE)
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        consume(MESSAGE)
        time.sleep(0.05)
    return text


# the interpreter's lock

def crunch():
    number = 1
    while not DONE.is_set():
        for _ in range(100000):
            number = number * 1103515245 + 12345 & 0x7fffffff


def crunch_natively():
    block = bytes(1 << 18)
    while not DONE.is_set():
        hashlib.sha256(block).digest()
        time.sleep(0.02)


def answer():
    while not DONE.is_set():
        time.sleep(0.02)


# a lock

def update_under_lock():
    while not DONE.is_set():
        with LOCK:
            time.sleep(0.015)


def update_beside_lock():
    while not DONE.is_set():
        with LOCK:
            pass
        time.sleep(0.03)


# garbage collection

class Node:
    def __init__(self):
        self.itself = self


def make_cycles(after_each):
    kept = [{"n": n} for n in range(60000)]
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        for _ in range(200):
            Node()
        after_each()
        time.sleep(0.02)
    return kept


def collect_each_time():
    make_cycles(gc.collect)


def collect_seldom():
    make_cycles(lambda: None)


# start-up

def load_tables():
    end = time.process_time() + 1.2
    table = 0
    while time.process_time() < end:
        table += len([n * n for n in range(1000)])
    return table


async def serve():
    await asyncio.sleep(SECONDS / 2)


def start_slowly():
    load_tables()
    asyncio.run(serve())


def start_at_once():
    asyncio.run(serve())


# name: rule, function that is responsible, planted, clean
PROGRAMS = {
    "busy-wait": ("busy-wait", spin_until_done,
                  lambda: run_threads(spin_until_done), lambda: run_threads(wait_until_done)),
    "polling-sleep": ("polling", look_every_2ms,
                      lambda: run_threads(look_every_2ms), lambda: run_threads(look_every_100ms)),
    "polling-beside-work": ("polling", look_200_times, lambda: run_threads(look_and_work),
                            lambda: run_threads(sleep_and_work)),
    "polling-select": ("polling", select_with, lambda: run_threads(select_every_3ms),
                       lambda: run_threads(select_every_300ms)),
    "loop-sleep": ("loop-blocked", nap_in_coroutine,
                   lambda: run_loop(nap_in_coroutine), lambda: run_loop(sleep_in_coroutine)),
    "loop-http": ("loop-blocked", fetch,
                  lambda: with_server(fetch_in_coroutine), lambda: with_server(fetch_in_thread)),
    "loop-file": ("loop-blocked", read_in_coroutine,
                  lambda: with_file(read_in_coroutine), lambda: with_file(read_in_thread)),
    "ping-pong": ("redundant-serialization", relay_as_text, relay_as_text, relay_as_object),
    "gil-convoy": ("gil-convoy", crunch, lambda: run_threads(crunch, crunch, answer),
                   lambda: run_threads(crunch_natively, crunch_natively, answer)),
    "lock-convoy": ("lock-convoy", update_under_lock, lambda: run_threads(*3 * [update_under_lock]),
                    lambda: run_threads(*3 * [update_beside_lock])),
    "gc-storm": ("gc", make_cycles, collect_each_time, collect_seldom),
    "slow-start": ("slow-start", load_tables, start_slowly, start_at_once),
}


def main():
    name, kind = sys.argv[1:]
    PROGRAMS[name][2 if kind == "planted" else 3]()


if __name__ == "__main__":
    main()
