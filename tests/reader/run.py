#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Captures of every mode, damaged ones, and captures damaged here and now.

    tests/reader/run.py [--cuts N] [--flips N] [--seed N]

O is the build folder: O/perfconv is under test, and O/san/perfconv, if it is
there, meets the damage (make check-san builds its objects, `make O=O/san
SAN=address,undefined` the program).
"""
import argparse
import collections
import json
import os
import random
import re
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import compress
import containers
import perffile as pf
import task32
from records import SAMPLE, PerfFile

HERE = Path(__file__).resolve().parent
FILES = HERE.parent / "files"
O = Path(os.environ.get("O", HERE.parents[1] / "build"))
PERFCONV = os.environ.get("PERFCONV", str(O / "perfconv"))
SANITIZED = O / "san" / "perfconv"
HANG_S = 5  # of the plain program; sanitizers are allowed four times as much
MEMORY_MB = 1024
GROWN_PEAK_MB = 50
NO_TID = 4294967295
NAMES = ("file", "files")  # keys of info that say what the capture is called
LOST, THROTTLE, LOST_SAMPLES = 2, 5, 13
SCRIPT_LINE = re.compile(r"^\s*(-?\d+)/(-?\d+)\s+(\S+?):?\s*$")

# Captures of ours: damage.py names the fault; here stands what must be said of it.
# (exit status, part of the message, samples that remain)
BAD = {
    "empty": (1, "is empty", None),
    "no-magic": (1, "is not a perf.data file", None),
    "cut-magic": (1, "first 16 bytes", None),
    "cut-header": (1, "ends inside its header", None),
    "cut-attrs": (1, "cut inside its event attributes", None),
    "cut-record": (0, "cannot be read on from offset 0x248", 2),
    "attr-size": (1, "attributes of 24 bytes", None),
    "attrs-beyond": (1, "cut inside its event attributes", None),
    "too-many-attrs": (1, "cut inside its event attributes", None),
    "ids-beyond": (1, "sample ids of event 0 lie outside", None),
    "data-beyond": (0, "cannot be read on from offset 0x298", 3),
    "data-wraps": (1, "is cut before its records", None),
    "record-size-0": (0, "cannot be read on from offset 0x100", 0),
    "record-size-4": (0, "cannot be read on from offset 0x100", 0),
    "feature-beyond": (0, "damaged parts of the header", 3),
    "chain-length": (0, "skipped 1 damaged records, the first at offset 0x298", 3),
    "stack-length": (0, "skipped 1 damaged records", 1),
    "odd-records": (0, "1 records of unknown type", 6),
    "zstd": (0, "cannot be read on from offset 0x298", 3),
    "trace-payload": (0, "cannot be read on from offset 0x3b0", 3),
    "out-of-order": (0, "1 were out of order", 6),
    "formats": (0, "damaged parts of the header", 3),
    "pipe-cut": (1, "names no events", None),
    "pipe-without-events": (1, "names no events", None),
}


# perf script makes samples of the group's other members out of the leader's counts;
# what is in the file is the leader's.
LEADERS_ONLY = {"good-group.data": {"cpu-clock"}}


class Tally:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def check(self, name, trouble):
        if trouble:
            self.failed += 1
            print(f"FAILED {name}: {trouble}", flush=True)
        else:
            self.passed += 1

    def skip(self, name, why):
        self.skipped += 1
        print(f"skipped {name}: {why}", flush=True)


def perfconv(*arguments, program=PERFCONV, **more):
    return subprocess.run([program, *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, errors="replace", check=False, timeout=300, **more)


def info_of(path):
    done = perfconv("info", "--json", str(path))
    if done.returncode:
        raise ValueError(done.stderr.strip())
    return json.loads(done.stdout)


def plain(event):
    """Where the header names no events, perf adds that guests are not left out."""
    return event.removesuffix(":HG")


def counts_by_info(info):
    counts = collections.Counter()
    for thread in info["threads"]:
        for event, n in thread["samples"].items():
            counts[thread["pid"], thread["tid"], plain(event)] += n
    return counts


def counts_by_perf(path):
    done = subprocess.run(["perf", "script", "-f", "-F", "pid,tid,event", "-i", str(path)],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          errors="replace", check=False, timeout=300)
    counts = collections.Counter()
    for line in done.stdout.splitlines():
        match = SCRIPT_LINE.match(line)
        if match:
            pid, tid = (int(match.group(i)) & NO_TID for i in (1, 2))
            counts[pid, tid, plain(match.group(3))] += 1
    return counts, done.stderr


def counts_by_walk(path):
    """Of a capture that perf did not finish and perf script does not read."""
    capture, counts = PerfFile(path.read_bytes()), collections.Counter()
    capture.data_end = len(capture.raw)
    for kind, _, record in capture.records():
        if kind == SAMPLE and len(record) == struct.unpack_from("<H", record, 6)[0]:
            at = capture.time_at(kind, record)
            counts[(*struct.unpack_from("<II", record, at - 8), "cpu-clock")] += 1
    return counts


def difference(ours, theirs):
    keys = [key for key in sorted(set(ours) | set(theirs)) if ours[key] != theirs[key]]
    return "; ".join(f"{key}: {ours[key]}, perf script {theirs[key]}" for key in keys[:3])


def good_captures():
    return sorted(FILES.glob("good-*.data")) + sorted(
        folder for folder in FILES.glob("good-*") if folder.is_dir())


def check_against_perf(tally):
    for path in good_captures():
        name = f"{path.name} has perf script's samples"
        if not shutil.which("perf"):
            tally.skip(name, "perf is not installed")
            continue
        try:
            ours = counts_by_info(info_of(path))
        except ValueError as error:
            tally.check(name, str(error))
            continue
        theirs, words = counts_by_perf(path)
        if not theirs and not path.is_dir() and unfinished(path):
            theirs = counts_by_walk(path)
        if not theirs:
            tally.skip(name, f"perf script cannot read it: {words.strip()[:100]}")
            continue
        leaders = LEADERS_ONLY.get(path.name)
        if leaders:
            theirs = {key: n for key, n in theirs.items() if key[2] in leaders}
            theirs = collections.Counter(theirs)
        tally.check(name, difference(ours, theirs))


def check_order_of_bytes(tally, work):
    """A capture and its image of the other byte order convert equally."""
    for path in sorted(FILES.glob("good-*.data")):
        name = f"{path.name} in the other byte order"
        folders = [work / "native", work / "swapped"]
        for folder in folders:
            folder.mkdir(exist_ok=True)
        native, swapped = (folder / "perf.data" for folder in folders)
        shutil.copy(path, native)
        done = subprocess.run([sys.executable, str(HERE / "swap.py"), str(native), str(swapped)],
                              capture_output=True, text=True, check=False)
        if done.returncode:
            reason = done.stderr.strip().splitlines()[-1]
            if "pipe" in reason or compressed(path) or unfinished(path):
                continue
            tally.check(name, f"swap.py: {reason}")
            continue
        if compressed(path) or unfinished(path):
            continue
        os.utime(swapped, ns=(native.stat().st_mtime_ns,) * 2)
        tally.check(name, compare_swapped(folders))


def compressed(path):
    raw = path.read_bytes()
    return bool(raw[72 + 27 // 8] >> 27 % 8 & 1)


def unfinished(path):
    return path.read_bytes()[48:56] == bytes(8)


def compare_swapped(folders):
    outputs, infos = [], []
    for folder in folders:
        done = perfconv("convert", "-q", "--frames", "all", "-o", "out.json", cwd=folder)
        if done.returncode:
            return done.stderr.strip()
        outputs.append((folder / "out.json").read_bytes())
        infos.append(json.loads(perfconv("info", "--json", "--event-text", "50", cwd=folder).stdout))
        infos[-1].pop("features")
    if infos[0] != infos[1]:
        keys = [key for key in infos[0] if infos[0][key] != infos[1].get(key)]
        return f"info differs in {keys}"
    return "the profiles differ" if outputs[0] != outputs[1] else None


def check_standard_input(tally):
    """Through a pipe, byte after byte as it were, and as a file that standard input is."""
    # A capture on standard input has no folder to look for pyframes' files in.
    command = [PERFCONV, "info", "--json", "--side-dir", str(FILES), "-"]
    for path in sorted(FILES.glob("good-*.data")):
        raw = path.read_bytes()
        of_file = {key: value for key, value in info_of(path).items() if key not in NAMES}
        with open(path, "rb") as stream:
            redirected = subprocess.run(command, stdin=stream, capture_output=True, check=False)
        tally.check(f"{path.name} on standard input", same_info(of_file, redirected))
        if raw[8:16] == (16).to_bytes(8, "little"):
            piped = subprocess.run(command, input=raw, capture_output=True, check=False)
            tally.check(f"{path.name} through a pipe", same_info(of_file, piped))


def same_info(expected, done):
    if done.returncode:
        return done.stderr.decode(errors="replace").strip()
    found = {key: value for key, value in json.loads(done.stdout).items() if key not in NAMES}
    return None if found == expected else "info differs from the file's"


def check_series(tally, work):
    """Files of --switch-output: by the stem, in any order, and one of them alone."""
    files = sorted(FILES.glob("good-switch-output-*.data"))
    alone = [info_of(path) for path in files]
    folder = work / "series"
    folder.mkdir()
    for number, path in enumerate(files):
        shutil.copy(path, folder / f"perf.data.202611230000{number:02}00")
    (folder / "perf.data.old").write_bytes(b"not one of them")
    by_stem = perfconv("info", "--json", "perf.data", cwd=folder)
    by_name = perfconv("info", "--json", *map(str, reversed(files)))
    one = perfconv("info", "--json", "perf.data.2026112300000100", cwd=folder)
    for name, done, expected in (("a series by its stem", by_stem, alone),
                                 ("a series by its files, in wrong order", by_name, alone),
                                 ("one file of a series", one, alone[1:2])):
        tally.check(name, done.stderr or difference_of_series(json.loads(done.stdout), expected))
    profile = perfconv("convert", "-q", "-o", "-", "--frames", "python",
                       *(word for path in reversed(files) for word in ("-i", str(path))))
    threads = [t["perfconv"]["tid"] for t in json.loads(profile.stdout)["profiles"]
               if "tid" in t["perfconv"]]
    tally.check("a thread of a series is one profile",
                None if len(set(threads)) == len(threads) > 1 else f"tids {threads}")

    raw = files[1].read_bytes()
    (folder / "other.data").write_bytes(raw.replace(b"recorded\0", b"another\0\0"))
    done = perfconv("info", str(files[0]), str(folder / "other.data"))
    tally.check("files of two machines are no series",
                None if done.returncode == 1 and "another machine" in done.stderr else done.stderr)


def difference_of_series(info, parts):
    expected = sum((counts_by_info(part) for part in parts), collections.Counter())
    if counts_by_info(info) != expected:
        return difference(counts_by_info(info), expected)
    span = [parts[0]["timeSpanNs"][0], parts[-1]["timeSpanNs"][1]]
    return None if info["timeSpanNs"] == span else f"spans {info['timeSpanNs']}, not {span}"


HYPERVISOR, GUEST_KERNEL, GUEST_USER = 3, 4, 5
MODULE_AT = 0xffffffffc0400000


def capture_of_oddities():
    """Two events; losses by event and thread, throttling, guests, a module's code."""
    kind = pf.IDENTIFIER | pf.IP | pf.TID | pf.TIME | pf.CPU | pf.PERIOD | pf.CALLCHAIN
    c = pf.Capture(pf.Event(kind, ids=[1]), pf.Event(kind, config=1, ids=[2]))
    c.mmap2("/lib/modules/6.1/kernel/net/nf-tables.ko", MODULE_AT, 0x1000, pid=NO_TID,
            misc=pf.KERNEL)
    c.comm("one")
    for at, mode in enumerate((pf.USER, HYPERVISOR, GUEST_KERNEL, GUEST_USER), 1):
        c.sample(1000000 * at, ip=0x5000 + at, misc=mode)
    c.sample(5000000, ip=MODULE_AT + 0x10, misc=pf.KERNEL,
             chain=(pf.CONTEXT_KERNEL, MODULE_AT + 0x10))
    c.kernel_record(LOST, c.words(2, 7), 6000000, identifier=2)
    c.kernel_record(LOST_SAMPLES, c.words(5), 6000001, identifier=1)
    c.kernel_record(LOST_SAMPLES, c.words(9), 0, identifier=2)  # perf's own, at the end
    c.kernel_record(THROTTLE, c.words(6000002, 2, 2), 6000002, identifier=2)
    return c


def check_oddities(tally, work):
    path = work / "odd.data"
    path.write_bytes(capture_of_oddities().file())
    info = info_of(path)
    said = [(e["lost"], e["lostRecounted"], e["throttled"]) for e in info["events"]]
    tally.check("losses by event", None if said == [(5, 0, 0), (7, 9, 1)] else str(said))
    said = [(t["lost"], t["throttled"]) for t in info["threads"] if t["samples"]]
    tally.check("losses by thread", None if said == [(12, 1)] else str(said))
    modes = {"unknown": 0, "kernel": 1, "user": 1, "hypervisor": 1, "guestKernel": 1, "guestUser": 1}
    tally.check("samples by mode", None if info["cpuModes"] == modes else str(info["cpuModes"]))
    text = perfconv("info", str(path)).stdout
    tally.check("info speaks of losses and guests", None if "9 lost, 1 throttled" in text
                and "in the hypervisor: 1" in text and "in a guest's kernel: 1" in text else text)
    done = perfconv("convert", "-q", "-i", str(path), "-o", "-", "--frames", "all")
    frames = {f["name"]: f.get("file") for f in json.loads(done.stdout)["shared"]["frames"]}
    expected = {"[unknown]", "[hypervisor]", "[guest]"}
    named = [name for name, file in frames.items() if file == "[nf_tables]"]
    tally.check("frames of guests and modules", None if expected <= set(frames) and named
                else str(frames))


def check_bad(tally, work):
    for path in sorted(FILES.glob("bad-*.data")):
        fault = path.name[len("bad-"):-len(".data")]
        if fault not in BAD:
            continue
        status, words, samples = BAD[fault]
        out = work / "out.json"
        out.unlink(missing_ok=True)
        done = perfconv("convert", "-q", "-i", str(path), "-o", str(out))
        trouble = None
        if done.returncode != status:
            trouble = f"status {done.returncode}: {done.stderr.strip()}"
        elif words not in done.stderr:
            trouble = f"says {done.stderr.strip()!r}, not {words!r}"
        elif samples is not None:
            found = sum(counts_by_info(info_of(path)).values())
            trouble = None if found == samples else f"{found} samples, not {samples}"
        tally.check(path.name, trouble)

        out.unlink(missing_ok=True)
        done = perfconv("convert", "--strict", "-q", "-i", str(path), "-o", str(out))
        trouble = None if done.returncode == 1 and not out.exists() and done.stderr else (
            f"--strict ended with {done.returncode}")
        tally.check(f"{path.name}, strict", trouble)


def peak_mb(path, work):
    child = subprocess.Popen([PERFCONV, "convert", "-q", "-i", str(path), "-o",
                              str(work / "out.json")], stdin=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_maxrss / 1024 if child.returncode == 0 else None


def check_memory(tally, work):
    """100 MB of dumps that wait for the end, for there are no rounds, are not held."""
    source, grown = FILES / "good-dwarf.data", work / "grown.data"
    for form in ((), ("--no-rounds",)):
        name = f"memory for 100 MB of dumps {' '.join(form)}".strip()
        if not source.exists():
            tally.skip(name, f"{source.name} is not there")
            continue
        subprocess.run([sys.executable, str(HERE / "grow.py"), str(source), str(grown),
                        "100000000", *form], check=True)
        peak = peak_mb(grown, work)
        tally.check(name, None if peak and peak < GROWN_PEAK_MB else f"{peak} MB")
        grown.unlink()


def limits():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(5)


def survive(path, work, number):
    """None, or how the program under sanitizers came to grief with a capture."""
    environment = {**os.environ, "ASAN_OPTIONS": f"hard_rss_limit_mb={MEMORY_MB}:exitcode=99",
                   "UBSAN_OPTIONS": "halt_on_error=1:exitcode=99"}
    command = [str(SANITIZED), "convert", "-q", "-i", str(path), "-o",
               str(work / f"damaged-{number % 2}.json")]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              errors="replace", check=False, timeout=HANG_S * 4,
                              env=environment, preexec_fn=limits)
    except subprocess.TimeoutExpired:
        return f"still ran after {HANG_S * 4} s"
    if done.returncode not in (0, 1) or "Sanitizer" in done.stderr:
        return f"status {done.returncode}: {done.stderr[-1500:]}"
    return None


def damages(cuts, flips, seed):
    """(what, bytes): every cut in a header, cuts and flips anywhere in any capture."""
    chance = random.Random(seed)
    captures = [(path.name, path.read_bytes()) for path in sorted(FILES.glob("good-*.data"))]
    name, raw = next(item for item in captures if item[0] == "good-fp.data")
    head = int.from_bytes(raw[40:48], "little")
    for at in range(head + 1):
        yield f"{name} cut at {at}", raw[:at]
    for _ in range(cuts):
        name, raw = chance.choice(captures)
        at = chance.randrange(len(raw))
        yield f"{name} cut at {at}", raw[:at]
    for _ in range(flips):
        name, raw = chance.choice(captures)
        bit = chance.randrange(8 * len(raw))
        # Every other flip in the first part, where the header and the layouts are.
        bit = bit if chance.random() < 0.5 else bit % (8 * 600)
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        yield f"{name}, bit {bit} flipped", bytes(flipped)


def check_damage(tally, work, args):
    if not SANITIZED.exists():
        tally.skip("damaged captures", f"{SANITIZED} is not built")
        return

    def run(item):
        number, (what, raw) = item
        path = work / f"damaged-{number % 64}.data"
        path.write_bytes(raw)
        return what, survive(path, work, number)

    if not any(FILES.glob("good-fp.data")):
        tally.skip("damaged captures", "good-fp.data is not there")
        return
    with ThreadPoolExecutor(max_workers=2) as pool:
        for what, trouble in pool.map(run, enumerate(damages(args.cuts, args.flips, args.seed))):
            tally.check(what, trouble)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cuts", type=int, default=1000)
    parser.add_argument("--flips", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=5)
    args = parser.parse_args()
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        check_against_perf(tally)
        check_order_of_bytes(tally, work)
        check_standard_input(tally)
        check_series(tally, work)
        check_oddities(tally, work)
        containers.check(tally, work, perfconv)
        compress.check(tally, work, FILES, PERFCONV, info_of)
        task32.check(tally, work, perfconv, info_of)
        check_bad(tally, work)
        check_memory(tally, work)
        check_damage(tally, work, args)
    print(f"{tally.passed} passed, {tally.failed} failed, {tally.skipped} skipped")
    sys.exit(1 if tally.failed or not tally.passed else 0)


if __name__ == "__main__":
    main()
