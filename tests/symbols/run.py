#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Names, inlined functions and lines of random addresses, against two addr2lines.

    tests/symbols/run.py [--addresses N] [--seed N] [FILE...]

Each file (the C library, the Python interpreter, a C++ and a Rust program that the
test compiles) gives N random addresses of its code. A capture is written that has
one sample at each, in a thread of its own, and converted; what each thread shows has
to be what elfutils' eu-addr2line -i or binutils' addr2line -i says of the address.
(The first knows inlined functions only where a .debug_aranges leads to them, and does
not demangle Rust; the second knows no debug packages.)
"""
import argparse
import collections
import json
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tests/reader"))
import perffile  # noqa: E402

PERFCONV = os.environ.get("PERFCONV") or str(ROOT / "build/perfconv")
BASE, FIRST_TID = 0x10000000, 1000
EXECUTABLE, LOAD, PROGBITS = 1, 1, 1
# Of the addresses, so many may differ: the two do not agree with each other either.
ALLOWED = 0.01
TOOLS = ("eu-addr2line", "addr2line")


class Elf:
    """Segments and code sections of a 64-bit little-endian ELF file."""

    def __init__(self, path):
        raw = Path(path).read_bytes()
        phoff, shoff = struct.unpack_from("<QQ", raw, 32)
        phnum, _, shnum, strndx = struct.unpack_from("<HHHH", raw, 56)
        sections = [struct.unpack_from("<IIQQQQ", raw, shoff + 64 * i) for i in range(shnum)]
        names_at = sections[strndx][4]
        self.code, self.segments = [], []
        for name, kind, flags, address, _, size in sections:
            text = raw[names_at + name:raw.index(b"\0", names_at + name)].decode()
            if kind == PROGBITS and flags & 4 and not text.startswith(".plt"):
                self.code.append((address, size))
        for i in range(phnum):
            kind, flags, offset, vaddr, _, filesz = struct.unpack_from("<IIQQQQ", raw,
                                                                       phoff + 56 * i)
            if kind == LOAD and flags & EXECUTABLE:
                self.segments.append((offset, vaddr, filesz))

    def random_address(self, rng):
        at = rng.randrange(sum(size for _, size in self.code))
        for address, size in self.code:
            if at < size:
                return address + at
            at -= size
        raise AssertionError("no code")

    def offset(self, address):
        return next(offset + address - vaddr for offset, vaddr, size in self.segments
                    if vaddr <= address < vaddr + size)


def write_capture(path, file, elf, addresses):
    c = perffile.Capture(perffile.Event(perffile.IP | perffile.TID | perffile.TIME |
                                        perffile.PERIOD))
    c.comm("names")
    c.mmap2(str(file), BASE, os.path.getsize(file) + 4095 & ~4095)
    for i, address in enumerate(addresses):
        c.sample(1000000 * (i + 1), tid=FIRST_TID + i, ip=BASE + elf.offset(address))
    path.write_bytes(c.file())


def shown_by_perfconv(capture, out):
    """Per address: [(function or None, file, line)], innermost first."""
    subprocess.run([PERFCONV, "convert", "-q", "-i", capture, "-o", out, "--frames", "all",
                    "--lines"], check=True)
    document = json.loads(out.read_text())
    frames = document["shared"]["frames"]
    shown = {}
    for profile in document["profiles"]:
        tid = profile["perfconv"].get("tid")
        stack = next((s for s in profile["samples"] if s), None)
        if tid is not None and stack is not None:
            shown[tid] = [(f["name"], f.get("file", ""), f.get("line", 0))
                          for f in (frames[i] for i in reversed(stack))]
    return shown


def shown_by_addr2line(tool, file, addresses):
    """The same, by address, from elfutils' or binutils' addr2line."""
    run = subprocess.run([tool, "-f", "-i", "-C", "-a", "-e", str(file)],
                         input="".join(f"{a:#x}\n" for a in addresses), text=True,
                         stdout=subprocess.PIPE, check=False)
    blocks, current = {}, None
    lines = iter(run.stdout.splitlines())
    for line in lines:
        if re.fullmatch(r"0x[0-9a-f]+", line):
            current = blocks.setdefault(int(line, 16), [])
            continue
        where = re.match(r"(.*?):(\d+|\?)(?::\d+)?(?: \(.*\))?$", next(lines))
        current.append((line.split(" inlined at ")[0], where[1],
                        int(where[2]) if where[2] != "?" else 0))
    return blocks


def bare(name):
    """A name without marks of clones and versions, and as all its aliases spell it."""
    name = re.sub(r" \[clone [^]]*\]", "", name or "")
    name = re.sub(r"^(__GI)?_+|@@?\w[\w.]*$|\.(cold|part|isra|constprop|llvm)(\.\d+)?\b.*", "", name)
    return name.split("(")[0] if "lambda" not in name and "operator()" not in name else name


def same_place(ours, theirs):
    return os.path.basename(ours) == os.path.basename(theirs)


def difference(ours, theirs, symbols_of):
    """None, or what differs: name, depth or line."""
    if len(ours) != len(theirs):
        return "depth"
    for (our_name, our_file, our_line), (name, file, line) in zip(ours, theirs):
        unnamed = our_name.startswith("[")
        if unnamed != (name == "??") or not unnamed and bare(our_name) not in symbols_of(name):
            return "name"
        if our_line != line or line and not same_place(our_file, file):
            return "line"
    return None


def debug_file(file):
    """Where a debug package puts what was stripped off a file."""
    notes = subprocess.run(["readelf", "-n", file], text=True, stdout=subprocess.PIPE,
                           stderr=subprocess.DEVNULL, check=True).stdout
    found = re.search(r"Build ID: (..)(\w+)", notes)
    return f"/usr/lib/debug/.build-id/{found[1]}/{found[2]}.debug" if found else file


def aliases(file):
    """A function that gives the bare names of all functions at the address of a name."""
    names, by_address = {}, {}
    for flags in ([file], ["-D", file], [debug_file(file)]):
        out = subprocess.run(["nm", "-C", *flags], text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
        for line in out.splitlines():
            parts = line.split(" ", 2)
            if len(parts) == 3 and parts[1] in "tTwWiuV":
                by_address.setdefault(parts[0], set()).add(bare(parts[2]))
    for group in by_address.values():
        for name in group:
            names.setdefault(name, set()).update(group)
    return lambda name: names.get(bare(name), set()) | {bare(name)}


def check(file, count, rng, folder):
    """(addresses, how many lie in inlined functions, [(difference, address, three views)])"""
    elf = Elf(file)
    addresses = sorted({elf.random_address(rng) for _ in range(count)})
    capture, out = folder / "capture", folder / "out.speedscope.json"
    write_capture(capture, file, elf, addresses)
    ours, symbols_of = shown_by_perfconv(capture, out), aliases(file)
    references = [shown_by_addr2line(tool, file, addresses) for tool in TOOLS]
    nested, found = 0, []
    for i, address in enumerate(addresses):
        stack = ours[FIRST_TID + i]
        kinds = [difference(stack, r[address], symbols_of) for r in references]
        nested += len(stack) > 1
        if all(kinds):
            found.append((kinds[0], address, [stack, *(r[address] for r in references)]))
    return len(addresses), nested, found


def compile_programs(folder):
    """C++ and Rust, as far as the machine has compilers; reasons for those it lacks."""
    programs, skipped = [], []
    for compiler, source, flags in (
            ("g++", "names.cpp", []), ("rustc", "names.rs", []),
            ("rustc", "names.rs", ["-Csymbol-mangling-version=v0"])):
        target = folder / f"{source}-{len(programs)}"
        if not shutil.which(compiler):
            skipped.append(f"{source}: {compiler} is not installed")
            continue
        level = ["-O2"] if compiler == "g++" else ["-O"]
        subprocess.run([compiler, *level, "-g", *flags, "-o", target, HERE / source], check=True)
        programs.append(target)
    return programs, skipped


def pack_names(program, folder):
    """The program stripped, but with its function names packed into .gnu_debugdata."""
    names, packed = folder / "names", folder / f"{program.name}-packed"
    subprocess.run(["objcopy", "--strip-debug", program, names], check=True)
    subprocess.run(["xz", "--keep", "--force", names], check=True)
    subprocess.run(["objcopy", "--strip-all", "--add-section",
                    f".gnu_debugdata={names}.xz", program, packed], check=True)
    return packed


def check_packed(program, count, rng, folder):
    """Each function of the packed program has the name it has in the whole one."""
    packed, views = pack_names(program, folder), []
    elf = Elf(program)
    addresses = sorted({elf.random_address(rng) for _ in range(count)})
    for file in (program, packed):
        write_capture(folder / "capture", file, elf, addresses)
        shown = shown_by_perfconv(folder / "capture", folder / "out.speedscope.json")
        views.append([stack[-1][0] for _, stack in sorted(shown.items())])
    different = sum(a != b for a, b in zip(*views) if not a.startswith("["))
    named = sum(not name.startswith("[") for name in views[0])
    ok = named > count // 2 and not different
    print(f"  {'ok    ' if ok else 'FAILED'}  {packed.name}: {named} addresses, "
          f"differences: {different or 'none'}")
    return ok


def mapped(name):
    """Path of a library that this Python has mapped."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        path = line.split()[-1]
        if os.path.basename(path).startswith(name):
            return Path(path).resolve()
    return None


def report(file, result, verbose):
    count, nested, found = result
    kinds = collections.Counter(kind for kind, _, _ in found)
    words = ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items())) or "none"
    ok = len(found) <= count * ALLOWED
    print(f"  {'ok    ' if ok else 'FAILED'}  {file.name}: {count} addresses, "
          f"{nested} in inlined functions, differences: {words}")
    for kind, address, views in found if verbose else found[:0 if ok else 3]:
        print(f"    {kind} {address:#x}")
        for view in views:
            print("       ", "; ".join(f"{n[:60]} {os.path.basename(f)}:{line}"
                                       for n, f, line in view))
    return ok


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--addresses", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--verbose", action="store_true", help="print each difference")
    parser.add_argument("file", nargs="*", type=Path)
    args = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory(prefix="perfconv-symbols-") as name:
        folder = Path(name)
        files, skipped = (args.file, []) if args.file else compile_programs(folder)
        if not args.file:
            files = [mapped("libc.so"), mapped("libpython") or Path(sys.executable).resolve(),
                     *files]
        for file in files:
            result = check(file, args.addresses, random.Random(args.seed), folder)
            results.append(report(file, result, args.verbose))
        if not args.file and not any("g++" in reason for reason in skipped):
            results.append(check_packed(files[2], args.addresses, random.Random(args.seed),
                                        folder))
        for reason in skipped:
            print(f"  skipped {reason}")
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed, {len(skipped)} skipped")
    return not all(results)


if __name__ == "__main__":
    sys.exit(main())
