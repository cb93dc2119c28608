#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Write the first inputs of each fuzz target: tests/fuzz/corpus/TARGET/made-*.

    tests/fuzz/make_corpus.py

The same bytes at every run.  Inputs that fuzzing found go beside them under
other names and are kept.
"""
import struct
import sys
import zlib
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "reader"))
sys.path.insert(1, str(HERE.parent / "cli"))
import perffile as pf  # noqa: E402
from archives import archive, manifest, tar_block, tar_file  # noqa: E402
from command_line import small_capture  # noqa: E402
from records import PerfFile  # noqa: E402

BASIC = pf.IDENTIFIER | pf.IP | pf.TID | pf.TIME | pf.CPU | pf.PERIOD


def describe(c):
    """Features of all kinds the reader knows."""
    c.features[2] = c.framed(67, struct.pack(c.order + "i", -1) + bytes(range(20)) + bytes(4)
                             + c.string("/bin/true"))
    for number, text in ((3, "host"), (4, "6.1.0"), (5, "6.1"), (6, "x86_64"), (8, "a CPU")):
        c.features[number] = c.header_string(text)
    c.features[7] = c.pack("II", 4, 2)
    c.features[10] = c.words(1 << 20)
    c.features[11] = c.pack("I", 2) + c.header_string("perf") + c.header_string("record")
    c.features[12] = c.pack("II", len(c.events), pf.ATTR_BYTES)
    for i, e in enumerate(c.events):
        c.features[12] += c.attr(e) + c.pack("I", len(e.ids)) + c.header_string(f"event{i}")
        c.features[12] += c.words(*e.ids)
    c.features[21] = c.words(1000, 9000)
    c.features[29] = c.pack("Ii", 1, 1) + c.words(10**18, 1000)


def life(c):
    """Records of all kinds the kernel writes, but samples."""
    c.comm("main", time=0)
    c.mmap2("/bin/true", 0x400000, 0x10000)
    c.mmap2("//anon", 0x10000000, 0x1000, time=1)
    c.mmap2("/memfd:code (deleted)", 0x20000000, 0x1000, time=1)
    c.mmap2("[kernel.kallsyms]_text", 0xffffffff81000000, 0x1000000, pid=-1 & 0xffffffff,
            misc=pf.KERNEL)
    c.task(7, 100, 100, 101, 100, 1100)
    c.task(7, 200, 100, 200, 100, 1200)
    c.comm("worker", tid=101, time=1300)
    c.comm("child", pid=200, time=1300, misc=1 << 13)
    c.kernel_record(2, c.words(1, 5), 1400)
    c.kernel_record(13, c.words(7), 1401)
    c.kernel_record(5, c.words(1402, 1, 1), 1402)
    c.kernel_record(6, c.words(1403, 1, 1), 1403)
    c.kernel_record(14, b"", 1500, misc=1 << 13)
    c.kernel_record(15, c.pack("II", 1, 2), 1501)
    c.kernel_record(16, c.pack("II", 100, 100) + c.words(1, 4, 4026531836), 1502)
    c.kernel_record(17, c.words(0xffffffffa0000000) + c.pack("IHH", 64, 1, 0)
                    + c.string("bpf_prog_1"), 1503)
    c.kernel_record(18, c.pack("HHI", 1, 0, 7) + bytes(8), 1504)
    c.kernel_record(19, c.words(9) + c.string("/user"), 1505)
    c.kernel_record(20, c.words(0xffffffff81000010) + c.pack("HH", 2, 2) + b"\1\2\3\4", 1506)
    c.kernel_record(22, c.words(5, 2, 0x401000, 0x402000), 1507)
    c.record(71, c.words(16, 0, 0) + bytes(16))
    c.data += bytes(16)
    c.round()
    c.task(4, 100, 100, 101, 100, 1900)


def reader_inputs():
    chain = (pf.CONTEXT_KERNEL, 0xffffffff81000100, pf.CONTEXT_USER, 0x401000, 0x402000)
    for big in (False, True):
        name = "big" if big else "little"
        c = pf.Capture(pf.Event(BASIC | pf.CALLCHAIN, ids=[5]), big=big)
        describe(c)
        life(c)
        for time in (2000, 1950, 2100):
            c.sample(time, chain=chain)
        yield f"chain-{name}", c.file()
        yield f"chain-{name}-pipe", c.pipe()
        yield f"chain-{name}-unfinished", c.file(unfinished=True)

        deep = pf.Event(BASIC | pf.CALLCHAIN | pf.REGS_USER | pf.STACK_USER, ids=[5],
                        regs=pf.X86_64_REGS, stack=64)
        switch = pf.Event(BASIC | pf.RAW, kind=2, config=pf.SCHED_SWITCH_ID, period=1, ids=[6])
        c = pf.Capture(deep, switch, big=big)
        describe(c)
        c.features[1] = pf.tracing_data(("sched", pf.SCHED_SWITCH), big=big)
        c.mmap2("/bin/true", 0x400000, 0x10000)
        c.sample(2000, chain=chain, regs=range(20), stack=bytes(range(64)), valid=48)
        c.sample(2001, event=1, raw=pf.sched_switch_raw(c, 100, 0))
        c.sample(2002, abi=0)
        yield f"dump-{name}", c.file()
        yield f"dump-{name}-pipe", c.pipe()

    branches = pf.Event(BASIC | pf.CALLCHAIN | pf.BRANCH_STACK, ids=[5])
    c = pf.Capture(branches)
    c.sample(2000, chain=chain, branches=[(0x401000, 0x402000), (0x403000, 0x404000)])
    yield "branches", c.file()
    calls = pf.Event(BASIC | pf.CALLCHAIN | pf.BRANCH_STACK, ids=[5], branch_type=1 << 11)
    c = pf.Capture(calls)
    c.sample(2000, chain=chain[:2], branches=[(0x401000, 0x402000), (0x403000, 0x404000)])
    yield "call-stack", c.file()
    c = pf.Capture(pf.Event(BASIC | pf.CALLCHAIN, ids=[5]))
    c.sample(2000, chain=(*chain[:2], (1 << 64) - 640, 9))
    c.kernel_record(22, c.words(9, 2, 0x401000, 0x402000), 2001)
    yield "deferred", c.file()
    c = pf.Capture(pf.Event(pf.IP, flags=0))
    c.sample(0)
    yield "bare", c.file()


def tracing_inputs():
    raw = pf.sched_switch_raw(pf.Capture(pf.Event(0)), 100, 0)
    yield "switch", struct.pack("<H", len(raw)) + raw + pf.tracing_data(
        ("sched", pf.SCHED_SWITCH))
    short = raw[:20]
    yield "short", struct.pack("<H", len(short)) + short + pf.tracing_data(
        ("sched", pf.SCHED_SWITCH))
    text = "name: loc\nID: 7\nformat:\n" \
           "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n\n" \
           "\tfield:__data_loc char[] text;\toffset:4;\tsize:4;\tsigned:0;\n\n" \
           'print fmt: "%s %x", __get_str(text), REC->common_type\n'
    raw = struct.pack("<HHI", 7, 0, 4 << 16 | 8) + b"abc\0"
    yield "data-loc", struct.pack("<H", len(raw)) + raw + pf.tracing_data(("loc", text))
    raw = struct.pack("<HHI", 7, 0, 4000 << 16 | 9000) + b"abc\0"
    yield "data-loc-beyond", struct.pack("<H", len(raw)) + raw + pf.tracing_data(("loc", text))


def side_record(kind, body):
    size = 24 + len(body) + -len(body) % 8
    whole = struct.pack("<IHHIIQ", size, kind, 0, 0, 0, 1) + body + bytes(size - 24 - len(body))
    return whole[:8] + struct.pack("<I", zlib.crc32(whole)) + whole[12:]


def side_text(number, text):
    return side_record(1, struct.pack("<II", number, len(text)) + text.encode())


def side_header(used, order=0x01020304):
    head = struct.pack("<8sIIIHHQQ16sQQIIII", b"PYFRAMES", 1, 4096, order, 8, 62, used, used,
                       bytes(range(16)), 5000, 10**18, 100, 100, 0x030b02f0, 1)
    head += struct.pack("<QQQI20sQQQQ", 0x500000, 4096, 0x600000, 20, bytes(range(20)), 0, 0, 0, 0)
    return head + bytes(4096 - len(head))


def sidefile_inputs():
    body = side_text(1, "/run/pyframes/arena.so") + side_text(2, "Loop.run") + side_text(3, "a.py")
    body += side_record(2, struct.pack("<IIQII20sIQQ", 1, 1, 0x10000000, 16, 64,
                                       bytes(range(20)), 0, 1, 2))
    body += side_record(3, struct.pack("<IIIIIIIIQQII", 1, 0, 1, 1, 2, 3, 10, 0, 4096, 8192, 8, 8)
                        + bytes(16))
    body += side_record(4, struct.pack("<II", 1, 0))
    body += side_record(5, struct.pack("<IIII", 100, 100, 2, 1))
    body += side_record(6, struct.pack("<II", 100, 0))
    body += side_record(7, struct.pack("<IIII", 1, 2, 2, 100))
    body += side_record(8, struct.pack("<IIIIIi", 1, 1, 100, 1, 1, 4))
    body += side_record(9, struct.pack("<II", 3, 0) + b"odd")
    body += side_record(77, bytes(8))
    yield "all", side_header(4096 + len(body)) + body
    yield "cut", side_header(4096 + len(body)) + body[:100]
    yield "begun", side_header(4096)
    yield "other-order", side_header(4096, 0x04030201)


def levels_sample():
    """Registers and stack of a sample of tests/files: behind ip, tid, time, period, abi."""
    capture = PerfFile((HERE.parent / "files" / "good-levels-aarch64-pac.data").read_bytes())
    *_, record = (record for kind, _, record in capture.records() if kind == 9)
    regs, stack = 8 + 5 * 8, 8 + 5 * 8 + 33 * 8 + 8
    return bytes(record[regs:regs + 33 * 8] + record[stack:stack + 1100])


def unwind_inputs():
    for where in (0, 1, 2, 0xff):
        regs = [0x1000 * (i + 1) for i in range(20)]
        regs[7] = 0x7ffd00000000
        regs[6] = 0x7ffd00000040
        stack = b"".join(struct.pack("<Q", 0x7ffd00000000 + 64 * i) for i in range(64))
        yield f"where-{where}", bytes([where]) + struct.pack("<20Q", *regs) + stack
    regs[7] = (1 << 64) - 8
    yield "top-of-memory", b"\1" + struct.pack("<20Q", *regs) + stack
    yield "aarch64-pac", b"\x40" + levels_sample()


def perfmap_inputs():
    yield "python", b"7f439d5edc1e b py::recurse:/app/p.py\n7f439d5edc2e b py::<module>:/app/p.py\n"
    yield "again", (b"1000 100 first\n1040 20 inside\n10f0 40 over the end\n1000 10 front\r\n"
                    b"ffffffffffffff00 ff last\n")
    yield "odd", (b"\n \nx\n10\n10 \n10 20\n10 20 \n0x10 20 c\n-1 20 c\n+1 1 c\n10 0 c\n"
                  b"ffffffffffffffff 2 c\n1ffffffffffffffff 2 c\n10 20 a\0b\n10 20 cut")


def jitdump_inputs():
    for order in "<>":
        def record(kind, time, content):
            return struct.pack(order + "IIQ", kind, 16 + len(content), time) + content

        def load(time, address, index, name, code):
            return record(0, time, struct.pack(order + "IIQQQQ", 7, 7, address, address,
                                               len(code), index) + name + b"\0" + code)

        stub = bytes.fromhex("4883ec08ffd14883c408c3")
        tables = bytes(range(48)) + bytes(20)
        raw = struct.pack(order + "IIIIIIQQ", 0x4a695444, 1, 40, 62, 0, 7, 900, 0)
        raw += record(4, 1000, struct.pack(order + "QQQ", len(tables), 20, 0) + tables)
        raw += load(1001, 0x10000, 1, b"py::f:/app/p.py", stub)
        raw += record(2, 1002, struct.pack(order + "QQQIi", 0x20000, 1, 0x20000, 12, 0)
                      + b"/app/q.js\0")
        raw += load(1003, 0x20000, 2, b"g", bytes(64))
        raw += record(1, 1004, struct.pack(order + "IIQQQQQ", 7, 7, 0, 0x20000, 0x30000, 64, 2))
        raw += load(1005, 0x10000, 1, b"again", stub) + record(9, 1006, b"") + record(3, 1007, b"")
        name = "little" if order == "<" else "big"
        yield name, raw
        yield f"{name}-cut", raw[:-20]
        yield f"{name}-own-clock", raw[:32] + struct.pack(order + "Q", 1) + raw[40:]


def generated_inputs():
    for name, raw in jitdump_inputs():
        if name == "little":
            yield "few", raw
    # CPython 3.13's tables for its stub, under names that have no rule of their own
    stub = bytes.fromhex("4883ec08ffd14883c408c3")
    tables = bytes.fromhex("1400000000000000017a5200017810011b0c070890010000"
                           "140000001c000000d0ffffff0b00000000440e10460e0800"
                           "011b033bccffffff01000000c0ffffffe8ffffff")
    raw = struct.pack("<IIIIIIQQ", 0x4a695444, 1, 40, 62, 0, 7, 900, 0)
    for i, name in enumerate((b"f", b"g", b"py::h:/app/p.py")):
        raw += struct.pack("<IIQQQQ", 4, 40 + len(tables), 1000, len(tables), 20, 0) + tables
        content = struct.pack("<IIQQQQ", 7, 7, 0, 0x5000 + 16 * i, len(stub), i) + name + b"\0"
        raw += struct.pack("<IIQ", 0, 16 + len(content) + len(stub), 1000) + content + stub
    yield "stubs", raw


def report_inputs():
    function = b'{"name":"f","file":"a.py","firstLine":3,"kind":"python"}'
    finding = (b'{"rule":"polling","severity":"high","title":"t","headline":"9/s","text":"x",'
               b'"advice":"y","thread":0,"function":%s,"stack":[%s],"numbers":[{"name":"rate",'
               b'"value":9.5,"unit":"/s"}],"worst":{"beginNs":1,"ns":2},"profile":"p",'
               b'"search":"f","amount":1e9}' % (function, function))
    tables = (b'"schema":1,"title":"t","durationNs":9,"quality":{"samples":1,"complete":0.5},'
              b'"threads":[{"name":"p","group":"main","pid":1,"tid":1,"hasWaits":true,'
              b'"presentNs":9,"onCpuNs":3,"reasonsNs":{"poll":6},"verdict":"ok"}],'
              b'"tasks":[{"name":"t","thread":0,"exact":true,"onCpuNs":1}],'
              b'"periodic":[{"function":%s,"thread":0,"reason":"poll","rateHz":1}],'
              b'"messages":[{"kind":"json","thread":0,"onCpuNs":1}],"natives":[],'
              b'"phases":[{"name":"start-up","beginNs":0,"ns":1}],"machine":[]' % function)
    yield "alone", b'{"findings":[%s],%s}' % (finding, tables)
    yield "in-profile", (b'{"name":"x","perfconv":{"findings":[%s],"report":{%s}},"profiles":[]}'
                         % (finding, tables))
    yield "behind", (b'{"profiles":[{"name":"\\"}"}],"perfconv":{"findings":[],"report":{%s}}}'
                     % tables)
    yield "no-thread", b'{"findings":[%s],"schema":1}' % finding
    yield "cut", b'{"perfconv":{"findings":[%s' % finding


def profile_inputs():
    meta = (b'"perfconv":{"durationSeconds":3,"event":"e","view":"wall","merged":{"bucketNs":5},'
            b'"events":[{"name":"e","frequencyHz":99}],"host":{"cpu":"\\u00e9\\ud83d\\ude00"}}')
    shared = (b'"shared":{"frames":[{"name":"f","file":"a.py","firstLine":1,"kind":"python"},'
              b'{"name":"[poll]","kind":"note"}]}')
    thread = (b'{"name":"t","unit":"nanoseconds","perfconv":{"pid":1,"tid":2,"comm":"c","samples":1,'
              b'"times":{"offCpuNs":5,"reasonsNs":{"[poll]":5},"waitStacksNs":{"cut":5}},'
              b'"stacks":{"complete":1}},"samples":[[0],[],[0,1]],"weights":[3,2,5]}')
    total = b'{"name":"all threads","perfconv":{"threads":1},"samples":[[0]],"weights":[3]}'
    whole = b"{%s,%s,\n\"profiles\":[%s,%s]}" % (meta, shared, thread, total)
    yield "whole", whole
    yield "reversed", b"{\"profiles\":[%s],%s,%s}" % (thread, shared, meta)
    yield "cut", whole[:-40]
    yield "no-frames", b"{%s,\"profiles\":[%s]}" % (meta, thread)
    yield "deep", b'{"x":' + b"[" * 200
    yield "heavy", whole.replace(b"[3,2,5]", b"[4611686018427387904,2,5]")


def threads_inputs():
    one = b'{"pid":7,"tid":%d,"time_ns":9,"comm":"x","state":"S","schedstat":[1,2,3],' \
          b'"syscall":"202 0x1 0x0 0x0 0x0 0x0 0x0 0x7ffd 0x55","wchan":"w","stack":["do_wait"]}'
    both = b'{"version":1,"snapshots":[{"when":"start","time_ns":5,"threads":[%s,%s]},' \
           b'{"when":"end","time_ns":50,"threads":[%s]}]}'
    yield "two", both % (one % 7, one % 8, one % 7)
    yield "odd", b'{"version":1,"snapshots":[1,{"time_ns":-1},{"time_ns":1,"threads":[{},1]}]}'
    yield "version", b'{"version":2,"snapshots":[]}'


def switch_inputs():
    """A capture that tells of switches in every way, and of a loss."""
    common = pf.IDENTIFIER | pf.IP | pf.TID | pf.TIME | pf.CPU | pf.PERIOD | pf.CALLCHAIN
    flags = pf.SAMPLE_ID_ALL | pf.CONTEXT_SWITCH
    regs = [0x1000 + i for i in range(bin(pf.X86_64_REGS).count("1"))]
    capture = pf.Capture(
        pf.Event(common, flags=flags, ids=[1]),
        pf.Event(common | pf.REGS_USER | pf.STACK_USER, config=3, flags=flags, ids=[2],
                 regs=pf.X86_64_REGS, stack=64),
        pf.Event(common | pf.RAW | pf.REGS_USER, kind=2, config=pf.SCHED_SWITCH_ID, flags=flags,
                 ids=[3], regs=pf.X86_64_REGS))
    capture.features = {1: pf.tracing_data(("sched", pf.SCHED_SWITCH)),
                        4: capture.header_string("0.0-none")}
    capture.comm("one")
    chain = [pf.CONTEXT_KERNEL, (1 << 64) - 4096, (1 << 64) - 8192]
    for number in range(4):
        time = 1000 + 100 * number
        capture.sample(time, event=0, chain=chain)
        capture.sample(time + 10, event=2, chain=chain, regs=regs,
                       raw=pf.sched_switch_raw(capture, 100, 101, number % 2))
        capture.sample(time + 11, event=1, chain=chain, regs=regs, stack=bytes(64))
        capture.kernel_record(14, b"", time + 12, misc=1 << 13, identifier=1)
        if number == 2:
            capture.kernel_record(2, capture.words(1, 5), time + 20, identifier=1)
        capture.kernel_record(14, b"", time + 50, identifier=1)
    yield "switches", capture.file()


def bundle_inputs():
    """Archives behind a 1, whole files behind a 0: target_bundle.c."""
    capture = small_capture()
    folder = manifest(parts=[{"capture": 0, "name": name, "entry": name}
                             for name in ("data", "data.0")])
    files = [{"kind": kind, "key": key, "status": status, "entry": "it", "reason": "so%0A",
              "inode": 7, "changedNs": -1, "recorded": True}
             for kind, key, status in (("image", "/bin/true ", "found"), ("debug", "a", "missing"),
                                       ("beside", "b", "other"), ("perfmap", "7 in 0", "refused"),
                                       ("jitdump", "7 in 0 /tmp/jit-7.dump", "found"),
                                       ("kallsyms", "", "found"))]
    for name, entries in {
            "one": [(b"manifest.json", manifest()), (b"capture/0", capture)],
            "folder": [(b"manifest.json", folder), (b"data", capture), (b"data.0", bytes(8))],
            "files": [(b"manifest.json", manifest(files=files)), (b"capture/0", capture),
                      (b"it", bytes(600)), (b"unasked", b"for")],
            "lacking": [(b"manifest.json", manifest(files=files))],
            "leading-out": [(b"manifest.json", manifest()), (b"../capture/0", capture)]}.items():
        yield name, b"\1" + b"".join(tar_file(*entry) for entry in entries) + bytes(1024)
    yield "link", (b"\1" + tar_file(b"manifest.json", manifest())
                   + tar_file(b"capture/0", b"", b"2", b"/etc/passwd"))
    yield "large", (b"\1" + tar_file(b"manifest.json", manifest())
                    + tar_block(b"capture/0", b"\x80" + (1 << 40).to_bytes(11, "big")))
    yield "packed", b"\0" + archive(tar_file(b"manifest.json", manifest()),
                                    tar_file(b"capture/0", capture))


def write(target, inputs):
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in inputs:
        (folder / f"made-{name}").write_bytes(content)


if __name__ == "__main__":
    write("reader", reader_inputs())
    # All stages run on few of them: each names a release, so that no kernel's names are loaded.
    write("capture", ((name, raw) for name, raw in reader_inputs()
                      if name in ("chain-little", "dump-little", "chain-big-pipe")))
    write("capture", switch_inputs())
    write("sidefile", sidefile_inputs())
    write("profile", profile_inputs())
    write("report", report_inputs())
    write("threads", threads_inputs())
    write("tracing", tracing_inputs())
    write("unwind", unwind_inputs())
    write("perfmap", perfmap_inputs())
    write("jitdump", jitdump_inputs())
    write("generated", generated_inputs())
    write("bundle", bundle_inputs())
