# SPDX-License-Identifier: GPL-2.0
"""A program that knows its own lines.

    program.py CPU-SECONDS LOG [THREADS]

Two kinds of truth.  Callers: every function that is called here is named on one line
only, so that a frame's name tells its caller's line; SPIN stands for a busy function
of that line alone, spin_<line>.  walk() calls itself from four lines, by its depth.
Leaves: what runs on one line between two looks at the clock is written to LOG, a row
"TID FROM TO LINE" each (CLOCK_MONOTONIC, ns).  LINE 0 and -1: CPU time of a loop of
shares() without and with the lines marked as quiet, whose share of its time is what it is
longer for them; -2: when the second one ran.
"""
import asyncio
import re
import sys
import threading
import time
from pathlib import Path

HERE = str(Path(__file__).resolve())
BODY = "# --- what is measured"
DEPTH = 24
WORK = 3000
BUSY = ["x = x + i & 255", "x = i * 3 - x % 7", "y[0] = y[0] + i & 63", "x = len(y) + i",
        "x = i if x < i else y[0]", "y.append(y.pop() & i)", "x = (i, x)[0] + i",
        "x = min(i, 5) | x", "x = -i if i & 1 else ~i", "x = int(i > x) + i"]
now = time.monotonic_ns
rows = []


def make_spins(text, scope):
    """SPIN on line N becomes spin_N, a function that nobody else calls."""
    lines, timed = text.split("\n"), 0
    for number, line in enumerate(lines, 1):
        timed = number if "# timed" in line else timed
        lines[number - 1] = line = re.sub(r"\bTIMED\b", str(timed), line)
        if not re.search(r"\bSPIN\b", line):
            continue
        name = f"spin_{number}"
        lines[number - 1] = re.sub(r"\bSPIN\b", name, line)
        work = BUSY[number % len(BUSY)]
        source = f"def {name}(x=0):\n y = [x]\n for i in range({WORK}): {work}\n return x\n"
        exec(compile(source, name, "exec"), scope)
    return "\n".join(lines)


def main():
    text = Path(HERE).read_text()
    at = text.index("\n" + BODY) + 1
    scope = {**globals(), "__name__": "measured"}
    body = make_spins("\n" * text[:at].count("\n") + text[at:], scope)
    exec(compile(body, HERE, "exec"), scope)
    until = time.process_time() + float(sys.argv[1])
    threads = [threading.Thread(target=scope["run"], args=(until,), name=f"worker {i}")
               for i in range(int(sys.argv[3]) - 1 if len(sys.argv) > 3 else 0)]
    for thread in threads:
        thread.start()
    scope["run"](until)
    for thread in threads:
        thread.join()
    Path(sys.argv[2]).write_text("".join("%d %d %d %d\n" % row for row in rows))


if __name__ == "__main__":
    main()
    sys.exit()

# --- what is measured: compiled from here on by main(), with the lines of this file


def walk(depth):
    if depth == 0:
        SPIN()
        return 0
    if depth % 4 == 0:
        return walk(depth - 1) + 1  # walk 0
    if depth % 4 == 1:
        found = walk(depth - 1)  # walk 1
        return found + 1
    if depth % 4 == 2:
        for _ in range(1):
            found = [walk(depth - 1)]  # walk 2
        return found[0]
    try:
        return walk(depth - 1)  # walk 3
    finally:
        depth = 0


def lines_in_a_row():
    SPIN()
    x = SPIN() + 1
    y = (x, SPIN())
    if SPIN() < 0:
        y = None
    z = [SPIN()]
    z.append(SPIN())
    "%s" % SPIN()
    f"{SPIN()}{y}"
    return z, SPIN()


def loops():
    for i in range(2):
        SPIN()
        if i:
            SPIN()
            continue
        SPIN()
    while i < 3:
        i += 1
        SPIN(i)
    else:
        SPIN()


def exceptions():
    try:
        SPIN()
        raise ValueError(SPIN())
    except ValueError:
        SPIN()
    finally:
        SPIN()
    try:
        {}[SPIN()]
    except KeyError as error:
        SPIN(len(error.args))
    try:
        raise Odd
    except Odd:
        SPIN()
    SPIN()


class Odd(Exception):
    def __init__(self, *args):
        super().__init__(*args)
        SPIN()


class Number:
    def __init__(self, value):
        self.value = value
        SPIN()

    def __add__(self, other):
        SPIN()
        return other

    def __eq__(self, other):
        SPIN()
        return True

    def __getitem__(self, key):
        SPIN()
        return key

    def __len__(self):
        SPIN()
        return 1

    def __contains__(self, key):
        SPIN()
        return True

    def __call__(self, key):
        SPIN()
        return key

    def __enter__(self):
        SPIN()
        return self

    def __exit__(self, *args):
        SPIN()

    @property
    def shown(self):
        SPIN()
        return 3

    def __getattr__(self, name):
        SPIN()
        return 7

    def __setitem__(self, key, value):
        SPIN()

    def __str__(self):
        SPIN()
        return ""

    def __bool__(self):
        SPIN()
        return True

    def __del__(self):
        SPIN()

    def method(self, a, *, b):
        SPIN(a)
        return b


class Local:
    def __del__(self):
        SPIN()


class Temporary:
    def __del__(self):
        SPIN()


class Raised(Exception):
    def __del__(self):
        SPIN()


def deaths():
    kept = Local()
    SPIN()
    if kept:
        return 5  # a local dies
    return 6


def more_deaths():
    try:
        SPIN()
        return [Temporary(), SPIN(), 1 // 0]
    except ZeroDivisionError:
        SPIN()
    try:
        raise Raised
    except Raised:  # what was raised dies
        pass  # what was raised dies


def special_methods():
    n = Number(3)
    n + 1
    n == 2
    n[5]
    len(n)
    4 in n
    n(6)
    n.shown
    n.missing
    n[7] = 8
    str(n)
    if n:
        SPIN()
    n.method(1, b=2)
    n.method(*(1,), **{"b": 2})
    with n:
        SPIN()
    del n


def generate(n):
    for i in range(n):
        SPIN()
        yield i
        SPIN()
    yield from deeper()


def deeper():
    SPIN()
    yield 1
    SPIN()
    yield 2


def generators():
    for x in generate(2):
        SPIN(x)
    it = again()
    next(it)
    SPIN()
    list(it)
    SPIN()


def again():
    yield SPIN()
    yield SPIN()


def key_of(x):
    SPIN()
    return -x


def callbacks():
    sorted([3, 1, 2], key=key_of)
    list(map(mapped, [1, 2]))
    max(1, 2, key=SPIN)
    SPIN()
    re.sub("a", replaced, "aa")


def mapped(x):
    SPIN()
    return x


def replaced(match):
    SPIN()
    return match.group()


def comprehensions():
    a = [SPIN(x) for x in (1, 2)]
    b = {x: SPIN(x) for x in (1, 2)}
    c = list(SPIN(x) for x in (1, 2))
    d = {SPIN(x) for x in (1,)}
    return a, b, c, d, (lambda: SPIN())()


def classes():
    class Body:
        SPIN()
        value = SPIN()

        def method(self):
            return SPIN()

    Body().method()
    made = type("Made", (Body,), {"x": SPIN()})
    return made


async def leaf_task(n):
    SPIN()
    await asyncio.sleep(0)
    SPIN()
    return n


async def middle():
    SPIN()
    await leaf_task(1)
    SPIN()


async def manager():
    async with Async():
        SPIN()
    async for _ in ticks():
        SPIN()


class Async:
    async def __aenter__(self):
        SPIN()

    async def __aexit__(self, *args):
        SPIN()


async def ticks():
    SPIN()
    yield 1
    SPIN()
    yield 2


async def gathered():
    await asyncio.gather(one(), two())


async def one():
    SPIN()
    await asyncio.sleep(0)
    SPIN()


async def two():
    SPIN()


async def coroutines():
    await middle()
    await manager()
    await gathered()


def imports():
    import colorsys
    exec("x = 1; y = x")
    return colorsys


def calls():
    walk(DEPTH)
    lines_in_a_row()
    loops()
    exceptions()
    special_methods()
    deaths()
    more_deaths()
    generators()
    callbacks()
    comprehensions()
    classes()
    asyncio.run(coroutines())
    imports()


def log(tid, start, end, line):
    rows.append((tid, start, end, line))


class Thing:
    __slots__ = ("x", "y")

    def __init__(self):
        self.x = self.y = 0


def leaves(tid):
    n, x, text, numbers, table, thing = 20000, 0, "", list(range(50)), {}, Thing()
    start = now()
    for i in range(n): x = x + i * 3 & 0xffff  # timed
    log(tid, start, now(), TIMED)
    start = now()
    while n: n -= 1  # timed
    log(tid, start, now(), TIMED)
    n = 8000
    start = now()
    for i in range(n): table[i & 63] = table.get(i & 31, 0) + 1  # timed
    log(tid, start, now(), TIMED)
    start = now()
    for i in range(n): thing.x = thing.y = thing.x + 1  # timed
    log(tid, start, now(), TIMED)
    start = now()
    for i in range(n // 4): text = f"{i}-{x}".upper()  # timed
    log(tid, start, now(), TIMED)
    start = now()
    for i in range(n // 8): x = [k + 1 for k in numbers]  # timed
    log(tid, start, now(), TIMED)
    start = now()
    for i in range(n): x = numbers[i % 50] if i > 7 and numbers else -1  # timed
    log(tid, start, now(), TIMED)
    start = now()
    for i in range(n // 2): a, b, *c = numbers[:5]; (x, a) = (a, b); c.append(x)  # timed
    log(tid, start, now(), TIMED)
    start = now()
    for i in range(n // 8): numbers.sort(key=None); x = sum(numbers) + len(text)  # timed
    log(tid, start, now(), TIMED)
    return text


def failing(tid):
    n = 4000
    start = now()
    for i in range(n):  # timed from
        try:
            {}[i]
        except KeyError:
            pass  # timed to
    log(tid, start, now(), TIMED)


def shares(tid):
    """Two lines whose shares of the time are known, one that calls and one that never does."""
    table, a, b, n = {}, 1, 2, 6000
    start, begin = now(), time.thread_time_ns()
    i = 0
    while i < n:
        i = i + 1
        table[i & 7] = str(i)
    rows.append((tid, 0, time.thread_time_ns() - begin, 0))
    start, begin = now(), time.thread_time_ns()
    i = 0
    while i < n:
        i = i + 1
        table[i & 7] = str(i)
        a = b; b = a; a = b; b = a; a = b; b = a; a = b; b = a; a = b; b = a; a = b  # quiet
        a = b; b = a; a = b; b = a; a = b; b = a; a = b; b = a; a = b; b = a; a = b  # quiet
        a = b; b = a; a = b; b = a; a = b; b = a; a = b; b = a; a = b; b = a; a = b  # quiet
        a = b; b = a; a = b; b = a; a = b; b = a; a = b; b = a; a = b; b = a; a = b  # quiet
        a = b; b = a; a = b; b = a; a = b; b = a; a = b; b = a; a = b; b = a; a = b  # quiet
        a = b; b = a; a = b; b = a; a = b; b = a; a = b; b = a; a = b; b = a; a = b  # quiet
    rows.append((tid, 0, time.thread_time_ns() - begin, -1))
    rows.append((tid, start, now(), -2))


def run(until):
    tid = threading.get_native_id()
    while time.process_time() < until:
        calls()
        leaves(tid)
        failing(tid)
        for _ in range(3):
            shares(tid)
