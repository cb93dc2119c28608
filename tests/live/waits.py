# SPDX-License-Identifier: GPL-2.0
"""A program that waits in every known way and times itself.

    waits.py REPORT.json FOLDER

Each kind of wait is a function of its own in a thread of that name. It prints
"ready" when they are there and begins when it reads a line. They run one after
the other, so that only what is meant to be waited for is: nobody else wants
the interpreter's lock, but for the main thread's heartbeat, a call every 50 ms,
as some thread of any service makes. REPORT.json gets, for each function, what
its thread's clocks said from its first line to its last: `wall_ns`, `cpu_ns`
and `delay_ns`, the time it could have run and was not let (schedstat), and `slices`,
how often it was let. The rest of wall_ns was spent waiting. FOLDER, on a real
disk, takes scratch files.
"""
import json
import mmap
import os
import select
import socket
import sys
import threading
import time

REPORT = {}
PAGE = mmap.PAGESIZE
HEARTBEAT_S = 0.05


def clocks():
    """The thread's clocks now: (wall, CPU, run-queue delay) in ns, and its slices."""
    with open("/proc/thread-self/schedstat", encoding="ascii") as file:
        _, delay, slices = map(int, file.read().split())
    return time.monotonic_ns(), time.thread_time_ns(), delay, slices


def measure(function, folder, gate):
    """Run a function between two looks at the clocks."""
    gate.wait()
    begin = clocks()
    function(folder)
    end = clocks()
    wall, cpu, delay, slices = (after - before for before, after in zip(begin, end))
    REPORT[function.__name__] = {
        "tid": threading.get_native_id(), "begin_ns": begin[0],
        "wall_ns": wall, "cpu_ns": cpu, "delay_ns": delay, "slices": slices}


def in_background(function, *arguments):
    """A thread that serves the one that is measured."""
    thread = threading.Thread(target=function, args=arguments, name="server")
    thread.start()
    return thread


def sleep_1ms(_folder):
    for _ in range(500):
        time.sleep(0.001)


def sleep_5ms(_folder):
    for _ in range(120):
        time.sleep(0.005)


def sleep_50ms(_folder):
    for _ in range(14):
        time.sleep(0.05)


def sleep_200ms(_folder):
    for _ in range(4):
        time.sleep(0.2)


def sleep_burst(_folder):
    """Short sleeps raise the period of perf's frequency mode; then long ones."""
    for _ in range(300):
        time.sleep(0.001)
    for _ in range(3):
        time.sleep(0.2)


def wait_for_lock(_folder):
    lock, taken = threading.Lock(), threading.Event()

    def hold():
        with lock:
            taken.set()
            time.sleep(0.25)

    for _ in range(3):
        taken.clear()
        holder = in_background(hold)
        taken.wait()
        with lock:
            pass
        holder.join()


def wait_for_gil(_folder):
    """sum() keeps the interpreter's lock until it returns, some 50 ms."""
    busy = threading.Event()
    done = []

    def hog():
        busy.set()
        while not done:
            sum(range(4_000_000))

    hogging = in_background(hog)
    busy.wait()
    for _ in range(12):
        time.sleep(0)
    done.append(True)
    hogging.join()


def wait_in_epoll(_folder):
    reader, writer = os.pipe()
    with select.epoll() as epoll:
        epoll.register(reader, select.EPOLLIN)
        for _ in range(15):
            epoll.poll(0.05)
    os.close(reader)
    os.close(writer)


def wait_in_select(_folder):
    reader, writer = os.pipe()
    for _ in range(15):
        select.select([reader], [], [], 0.05)
    os.close(reader)
    os.close(writer)


def wait_in_poll(_folder):
    reader, writer = os.pipe()
    poll = select.poll()
    poll.register(reader, select.POLLIN)
    for _ in range(15):
        poll.poll(50)
    os.close(reader)
    os.close(writer)


def wait_in_recv(_folder):
    ours, theirs = socket.socketpair()

    def send():
        for _ in range(10):
            time.sleep(0.06)
            theirs.send(b"x")

    sender = in_background(send)
    for _ in range(10):
        ours.recv(1)
    sender.join()
    ours.close()
    theirs.close()


def wait_in_connect(folder):
    """connect() to a local socket waits while the listener's queue is full."""
    address = os.path.join(folder, "listener")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(0)
    accepted, waiting = [], []

    def accept():
        for _ in range(5):
            time.sleep(0.12)
            accepted.append(listener.accept()[0])

    acceptor = None
    for _ in range(6):
        waiting.append(socket.socket(socket.AF_UNIX))
        waiting[-1].connect(address)
        acceptor = acceptor or in_background(accept)
    acceptor.join()
    for end in (*accepted, *waiting, listener):
        end.close()


def wait_in_fsync(folder):
    """Until half a second has gone to it, however fast the disk is."""
    with open(os.path.join(folder, "synced"), "wb") as file:
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            file.write(bytes(64 * PAGE))
            file.flush()
            os.fsync(file.fileno())


def wait_in_page_fault(folder):
    """Reads a file through a mapping when none of its pages are in memory."""
    path = os.path.join(folder, "mapped")
    pages = 4096
    with open(path, "wb") as file:
        file.write(bytes(pages * PAGE))
        file.flush()
        os.fsync(file.fileno())
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        with open(path, "rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            with mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as view:
                view.madvise(mmap.MADV_RANDOM)
                for page in range(0, pages * PAGE, PAGE):
                    view[page]


def wait_for_child(_folder):
    child = os.posix_spawnp("sleep", ["sleep", "0.6"], os.environ)
    os.waitpid(child, 0)


WAITS = [sleep_1ms, sleep_5ms, sleep_50ms, sleep_200ms, sleep_burst,
         wait_for_lock, wait_for_gil, wait_in_epoll, wait_in_select,
         wait_in_poll, wait_in_recv, wait_in_connect, wait_in_fsync,
         wait_in_page_fault, wait_for_child]


def main():
    report, folder = sys.argv[1:]
    threads = []
    for function in WAITS:
        gate = threading.Event()
        thread = threading.Thread(target=measure, name=function.__name__,
                                  args=(function, folder, gate))
        thread.start()
        threads.append((thread, gate))
    print("ready", flush=True)
    sys.stdin.readline()
    for thread, gate in threads:
        gate.set()
        while thread.is_alive():
            thread.join(HEARTBEAT_S)
    with open(report, "w", encoding="utf-8") as file:
        json.dump(REPORT, file, indent=1)


main()
