#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Each format carries what the speedscope file of the same capture does.

    tests/outputs/run.py [PERFCONV]

The time of each thread in each function, itself and with its callees, is summed from
each format by a reader of its own and must be that of the speedscope file, to the
nanosecond.  Then the real consumers read the files: inferno-flamegraph, flamegraph.pl,
go tool pprof, and the Firefox Profiler's own command line (in O/node, which `make
check-browser` installs).  One that is not installed is skipped, with its name.
"""
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import zlib
from collections import defaultdict
from pathlib import Path

from firefox import Firefox
from pprof import Pprof

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "dlfilter")]
import suite  # noqa: E402
from captures import code_capture  # noqa: E402
from suite import BUILD, ROOT  # noqa: E402

FILES = ROOT / "tests" / "files"
PERFCONV = suite.perfconv_argument()
PROFILER_CLI = BUILD / "node/node_modules/@firefox-devtools/profiler-cli/dist/profiler-cli.js"
FLAMEGRAPH_PL = Path("/usr/share/perl5/Devel/NYTProf/flamegraph.pl")  # Debian's copy
NODE_MAJOR = 20  # what the profiler's command line was seen to run with
LIMIT_S = 120

# name, capture, options
CAPTURES = [
    ("waits", "good-waits.data", []),
    ("waits-cpu", "good-waits.data", ["--view", "cpu"]),
    ("waits-merged-slices", "good-waits.data", ["--max-samples", "60"]),
    ("python-threads", "good-python-threads.data", []),
    ("python-all", "good-python-threads.data", ["--frames", "all"]),
    ("c-threads", "good-c-threads.data", ["--frames", "all"]),
    ("frame-pointers", "good-xperf-fp.data", []),
    ("all-cpus", "good-all-cpus-sched-switch.data", []),
    ("event", "good-several.data", ["--event", "page-faults"]),
]
PLAIN = str.maketrans({";": ":"})


def total():
    """(function) -> [time in it and its callees, time in itself]"""
    return defaultdict(lambda: [0, 0])


def add(sums, stack, weight):
    if not weight or not stack:
        return
    for function in set(stack):
        sums[function][0] += weight
    sums[stack[-1]][1] += weight


def of_speedscope(path):
    """thread -> sums; and the file."""
    data = json.loads(path.read_text())
    frames = [(f["name"], f.get("file", "")) for f in data["shared"]["frames"]]
    threads = {}
    for profile in data["profiles"]:
        if profile["name"] == "all threads":
            continue
        sums = threads[profile["name"]] = total()
        for stack, weight in zip(profile["samples"], profile["weights"]):
            add(sums, [frames[i] for i in stack], weight)
    return threads, data


def by_name(threads):
    """The same as a format without files and escapes has it."""
    plain = {}
    for thread, sums in threads.items():
        plain[thread.translate(PLAIN)] = names = total()
        for (name, _), (inclusive, own) in sums.items():
            names[name.translate(PLAIN)][1] += own
            names[name.translate(PLAIN)][0] += inclusive
    return plain


def of_collapsed(path):
    threads = defaultdict(total)
    for line in path.read_text().splitlines():
        stack, weight = line.rsplit(" ", 1)
        thread, *names = stack.split(";")
        add(threads[thread], names, int(weight))
    return threads


def of_pprof(pprof, column):
    threads = defaultdict(total)
    for stack, values, labels in pprof.samples:
        add(threads[labels["thread"]], stack, values[column])
    return threads


def of_firefox(firefox, timed):
    threads = {}
    for name, samples in firefox.threads.items():
        threads[name] = total()
        for stack, weight in samples:
            add(threads[name], stack, round(weight * 1e6) if timed else weight)
    return threads


def filled(threads):
    return {name: dict(sums) for name, sums in threads.items() if sums}


class Outputs(unittest.TestCase):
    maxDiff = 2000

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="perfconv-outputs-"))
        self.addCleanup(shutil.rmtree, self.folder)
        for path in FILES.iterdir():
            if path.is_file() and not path.name.startswith("bad-"):
                shutil.copy(path, self.folder)

    def run_it(self, *args, status=0):
        done = subprocess.run([PERFCONV, "convert", *args], cwd=self.folder,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=LIMIT_S, check=False)
        self.assertEqual(done.returncode, status, done.stderr.decode())
        return done

    def convert(self, capture, form, options=()):
        path = self.folder / f"out.{form}"
        self.run_it("-q", "-i", capture, "-o", path.name, "--format", form, *options)
        return path

    def check_equal(self, got, expected, what):
        got, expected = filled(got), filled(expected)
        self.assertEqual(sorted(got), sorted(expected), f"{what}: threads")
        self.assertTrue(got, f"{what}: nothing in it")
        for thread, sums in expected.items():
            self.assertEqual(got[thread], sums, f"{what}: {thread}")


class Totals(Outputs):
    def test_collapsed(self):
        for name, capture, options in CAPTURES:
            with self.subTest(name):
                expected, _ = of_speedscope(self.convert(capture, "speedscope", options))
                got = of_collapsed(self.convert(capture, "collapsed", options))
                own = {t: {f: s[1] for f, s in sums.items() if s[1]} for t, sums in
                       filled(got).items()}
                self.assertEqual(own, {t: {f: s[1] for f, s in sums.items() if s[1]}
                                       for t, sums in filled(by_name(expected)).items()})

    def test_pprof(self):
        for name, capture, options in CAPTURES:
            with self.subTest(name):
                expected, data = of_speedscope(self.convert(capture, "speedscope", options))
                pprof = Pprof(self.convert(capture, "pprof", options))
                self.check_equal(of_pprof(pprof, len(pprof.types) - 1), expected, name)
                self.check_samples(pprof, data)

    def check_samples(self, pprof, data):
        self.assertEqual(pprof.types[0], ("samples", "count"))
        counts, cpu = defaultdict(int), defaultdict(int)
        for _, values, labels in pprof.samples:
            counts[labels["thread"], labels["pid"], labels["tid"]] += values[0]
            cpu[labels["thread"]] += values[1]
        for profile in data["profiles"]:
            about = profile["perfconv"]
            if "tid" not in about:
                continue
            key = profile["name"], about["pid"], about["tid"]
            self.assertEqual(counts[key], about["samples"], profile["name"])
            if "times" in about:
                self.assertEqual(cpu[profile["name"]], about["times"]["onCpuNs"])

    def test_firefox(self):
        for name, capture, options in CAPTURES:
            with self.subTest(name):
                expected, data = of_speedscope(self.convert(capture, "speedscope", options))
                timed = data["profiles"][0]["unit"] == "nanoseconds"
                firefox = Firefox(self.convert(capture, "firefox", options))
                self.check_equal(of_firefox(firefox, timed), expected, name)

    def test_several_events_in_pprof(self):
        options = ["--event", "page-faults", "--event", "all"]
        pprof = Pprof(self.convert("good-several.data", "pprof", options))
        data = json.loads(self.convert("good-several.data", "speedscope", options).read_text())
        sums = defaultdict(int)
        for profile in data["profiles"]:
            if "tid" in profile["perfconv"]:
                sums[profile["perfconv"]["event"]] += sum(
                    weight for stack, weight in zip(profile["samples"], profile["weights"])
                    if stack)
        self.assertGreater(len(sums), 1)
        for column, (kind, _) in list(enumerate(pprof.types))[1:]:
            self.assertEqual(sum(values[column] for _, values, _ in pprof.samples), sums[kind])


class Content(Outputs):
    def test_pprof_says_where_it_comes_from(self):
        self.run_it("-q", "-i", "good-waits.data", "-o", "a.pb.gz", "--format", "pprof",
                    "--scenario", "a test", "--meta", "site=north")
        pprof = Pprof(self.folder / "a.pb.gz")
        self.assertEqual(pprof.types, [("samples", "count"), ("cpu", "nanoseconds"),
                                       ("wall", "nanoseconds")])
        self.assertEqual(pprof.default, "cpu")
        for comment in "scenario: a test", "site: north", "view: wall":
            self.assertIn(comment, pprof.comments)

    def test_tasks_are_labels(self):
        pprof = Pprof(self.convert("good-python-threads.data", "pprof"))
        data = json.loads(self.convert("good-python-threads.data", "speedscope").read_text())
        names = {f["name"] for f in data["shared"]["frames"] if f["kind"] == "task"}
        self.assertTrue(names)
        found = set()
        for stack, _, labels in pprof.samples:
            tasks = [name for name, _ in stack if name in names]
            self.assertEqual([labels[key] + " [task]" for key in ["task"] if key in labels],
                             tasks[-1:])
            found.update(tasks)
        self.assertEqual(found, names)

    def test_inlined_functions_share_a_location(self):
        (self.folder / "code.data").write_bytes(code_capture(PERFCONV, 500))
        expected, _ = of_speedscope(self.convert("code.data", "speedscope"))
        pprof = Pprof(self.convert("code.data", "pprof"))
        self.check_equal(of_pprof(pprof, 1), expected, "code")
        self.assertGreater(pprof.inlined, 10)
        inlined = [stack for stack, *_ in pprof.samples if len(stack) > 1]
        self.assertTrue(inlined)
        self.assertEqual(len(pprof.locations), len(pprof.samples))

    def test_objects_have_their_build_ids(self):
        pprof = Pprof(self.convert("good-buildid-mmap.data", "pprof"))
        build_ids = {name: build_id for name, build_id in pprof.mappings.values() if build_id}
        self.assertTrue(build_ids)
        for build_id in build_ids.values():
            self.assertRegex(build_id, "^[0-9a-f]{40}$")
        firefox = Firefox(self.convert("good-buildid-mmap.data", "firefox"))
        libs = {lib["path"]: lib for lib in firefox.data["libs"]}
        for name, build_id in build_ids.items():
            self.assertEqual(libs[name]["codeId"], build_id)
            first = bytes.fromhex(build_id[:8])[::-1].hex().upper()
            self.assertTrue(libs[name]["breakpadId"].startswith(first))
            self.assertEqual(len(libs[name]["breakpadId"]), 33)

    def test_waits_are_markers_with_reasons(self):
        firefox = Firefox(self.convert("good-waits.data", "firefox"))
        data = json.loads(self.convert("good-waits.data", "speedscope").read_text())
        off = {p["name"]: p["perfconv"]["times"]["offCpuNs"] for p in data["profiles"]
               if "times" in p["perfconv"]}
        for thread in firefox.data["threads"]:
            markers = thread["markers"]
            waited = sum(end - start for start, end in zip(markers["startTime"],
                                                           markers["endTime"]))
            self.assertEqual(round(waited * 1e6), off[thread["name"]])
            for marker, name in zip(markers["data"], markers["name"]):
                self.assertEqual(marker["reason"], firefox.strings[name])
                self.assertEqual(firefox.stacks[marker["cause"]["stack"]][-1][0],
                                 marker["reason"])
        self.assertIn("[sleep]", firefox.category("Idle"))

    def test_categories_tell_python_from_the_rest(self):
        for capture, category, kind in (
                ("good-python-threads.data", "Python", {"python", "task"}),
                ("good-python-threads.data", "Interpreter", {"native"}),
                ("good-c-threads.data", "Native", {"native"}),
                ("good-all-cpus-sched-switch.data", "Kernel", {"kernel"})):
            firefox = Firefox(self.convert(capture, "firefox", ["--frames", "all"]))
            kinds = {f["name"]: f["kind"] for f in json.loads(
                self.convert(capture, "speedscope", ["--frames", "all"])
                .read_text())["shared"]["frames"]}
            self.assertTrue(firefox.category(category), f"{capture} has {category}")
            self.assertLessEqual({kinds[name] for name in firefox.category(category)}, kind)

    def test_names_cannot_break_lines(self):
        shutil.copy(self.folder / "good-python-threads.data", self.folder / "a.data")
        for line in self.convert("a.data", "collapsed").read_text().splitlines():
            self.assertRegex(line, r"^[^\x00-\x1f\x7f]+ \d+$")

    def test_default_names(self):
        shutil.copy(self.folder / "good-waits.data", self.folder / "run.data")
        for form, name in (("speedscope", "run.speedscope.json.gz"), ("pprof", "run.pb.gz"),
                           ("collapsed", "run.collapsed.gz"), ("firefox", "run.firefox.json.gz")):
            self.run_it("-q", "-i", "run.data", "--format", form, "--gzip")
            packed = (self.folder / name).read_bytes()
            reader = zlib.decompressobj(31)
            reader.decompress(packed)
            self.assertTrue(reader.eof and not reader.unused_data, f"{name}: one gzip member")

    def test_gzip_changes_nothing_else(self):
        for form in "speedscope", "collapsed", "firefox":
            plain = self.convert("good-waits.data", form).read_bytes()
            packed = self.convert("good-waits.data", form, ["--gzip"]).read_bytes()
            self.assertLess(len(packed), len(plain) / 3)
            self.assertEqual(gzip.decompress(packed), plain)

    def test_same_input_same_bytes(self):
        for form in "pprof", "collapsed", "firefox":
            first = self.convert("good-waits.data", form).read_bytes()
            self.assertEqual(self.convert("good-waits.data", form).read_bytes(), first)

    def test_one_event_where_there_is_room_for_one(self):
        for form in "collapsed", "firefox":
            done = self.run_it("-i", "good-several.data", "--event", "all", "--format", form,
                               status=1)
            self.assertIn(f"--format {form} holds one event", done.stderr.decode())

    def test_unknown_format(self):
        done = self.run_it("--format", "svg", status=2)
        self.assertIn("--format takes speedscope", done.stderr.decode())


def found(program, *places):
    path = shutil.which(program)
    for place in places:
        if not path and os.access(place, os.X_OK):
            path = str(place)
    return path


class Consumers(Outputs):
    def consume(self, *command, **options):
        done = subprocess.run(command, cwd=self.folder, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=LIMIT_S, check=False, **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def check_flame_graph(self, *program):
        path = self.convert("good-waits.data", "collapsed")
        whole = sum(int(line.rsplit(" ", 1)[1]) for line in path.read_text().splitlines())
        svg = self.consume(*program, "--countname", "ns", str(path))
        self.assertIn(f"{whole:,} ns", svg)
        self.assertIn("[sleep] (", svg)

    def test_inferno(self):
        program = found("inferno-flamegraph", BUILD / "inferno/bin/inferno-flamegraph",
                        Path.home() / ".cargo/bin/inferno-flamegraph")
        if not program:
            self.skipTest("inferno-flamegraph is not here, and no cargo that could build it "
                          "(cargo install inferno)")
        self.check_flame_graph(program)

    def test_flamegraph_pl(self):
        program = found("flamegraph.pl")
        if not program and not FLAMEGRAPH_PL.exists():
            self.skipTest("flamegraph.pl is not here (libdevel-nytprof-perl has it)")
        self.check_flame_graph(*([program] if program else ["perl", FLAMEGRAPH_PL]))

    def test_go_tool_pprof(self):
        go = found("go", Path("/usr/local/go/bin/go"))
        if not go:
            self.skipTest("go is not here (golang-go)")
        expected, _ = of_speedscope(self.convert("good-waits.data", "speedscope"))
        whole = sum(own for sums in expected.values() for _, own in sums.values())
        path = self.convert("good-waits.data", "pprof")
        environment = {**os.environ, "PPROF_TMPDIR": str(self.folder)}
        top = self.consume(go, "tool", "pprof", "-top", "-nodecount=100000", "-nodefraction=0",
                           "-unit=ns", "-sample_index=wall", str(path), env=environment)
        self.assertIn(f"{whole}ns total", top)
        flat = sum(float(m[1]) for m in re.finditer(r"^\s*([\d.]+)(?:ns)?\s+[\d.]+%", top, re.M))
        self.assertAlmostEqual(flat / whole, 1, places=6)
        tags = self.consume(go, "tool", "pprof", "-tags", "-sample_index=wall", str(path),
                            env=environment)
        for thread in expected:
            self.assertIn(thread, tags)

    def test_firefox_profiler(self):
        if not PROFILER_CLI.exists():
            self.skipTest("the Firefox Profiler's command line is not in O/node "
                          "(make check-browser installs it)")
        node = found("node")
        version = self.consume(node, "--version").lstrip("v") if node else "0"
        if int(version.split(".", maxsplit=1)[0]) < NODE_MAJOR:
            self.skipTest(f"the Firefox Profiler's command line needs Node.js {NODE_MAJOR}")
        expected, data = of_speedscope(self.convert("good-waits.data", "speedscope"))
        path = self.convert("good-waits.data", "firefox")
        path = path.rename(path.with_suffix(".json"))
        environment = {**os.environ, "PROFILER_CLI_SESSION_DIR": str(self.folder / "s")}

        # Its load command would give the server half a second to start.
        server = subprocess.Popen([node, str(PROFILER_CLI), "--daemon", str(path), "--session",
                                   "test"], env=environment, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(server.wait)
        self.addCleanup(server.terminate)

        def ask(*args):
            return self.consume(node, str(PROFILER_CLI), *args, "--session", "test",
                                env=environment)

        end = time.monotonic() + LIMIT_S
        while time.monotonic() < end and server.poll() is None:
            try:
                ask("status")
                break
            except AssertionError:
                pass
        names = [p["name"] for p in data["profiles"] if "tid" in p["perfconv"]]
        for number, name in enumerate(names):
            answer = json.loads(ask("thread", "functions", "--json", "--include-idle", "--thread",
                                    f"t-{number}"))
            got = total()
            for function in answer["functions"]:
                got[function["name"]][0] += function["totalSamples"]
                got[function["name"]][1] += function["selfSamples"]
            for function, (inclusive, own) in by_name(expected)[name].items():
                self.assertAlmostEqual(got[function][0], inclusive / 1e6, 3, function)
                self.assertAlmostEqual(got[function][1], own / 1e6, 3, function)


def main():
    suite.need_program(PERFCONV)
    suite.run_tests(verbosity=2)


if __name__ == "__main__":
    main()
