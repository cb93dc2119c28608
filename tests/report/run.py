#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Record programs with one mistake each, and see that perfconv report finds it.

    tests/report/run.py [unittest arguments]

Each program is recorded with scripts/perf-pyrecord. Of the planted one the rule
must be found with the right function and line, and nothing else of high severity;
of its clean twin nothing. What the machine has its part in does not count, for
this one may be busy. The form of the report is tested on a committed capture.
PERFCONV and O are taken from the environment.
"""
import functools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import programs
from schema import problems

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import suite  # noqa: E402
import venvs  # noqa: E402
sys.path.append(str(HERE.parents[1] / "scripts"))
from pam_profiling import snapshots  # noqa: E402
from suite import PERFCONV, ROOT, perf_trouble, python_with_pyframes  # noqa: E402

PROGRAMS_FILE = HERE / "programs.py"
CAPTURE = ROOT / "tests" / "files" / "good-waits.data"
NATIVE_CAPTURE = ROOT / "tests" / "files" / "good-dwarf.data"
COLUMNS = 80
SCHEMA = json.loads((ROOT / "docs" / "report.schema.json").read_text())
# A busy machine's part, and what follows from a capture of two seconds.
MACHINE_RULES = {"cpu-starved", "cpu-slow", "throttled", "swapping", "capture-quality"}
WORTH = {"medium", "high"}

run = functools.partial(suite.run, limit_s=120)


def report(*arguments):
    """What perfconv report prints; fails the test with its words."""
    done = run([PERFCONV, "report", *arguments])
    if done.returncode:
        raise AssertionError(f"perfconv report ended with status {done.returncode}: {done.stderr}")
    return done.stdout


def names_collector(python):
    """Whether the collector's functions have names: not in a stripped interpreter."""
    code = ("import sys, sysconfig; get = sysconfig.get_config_var; "
            "print(sys._base_executable); print(f\"{get('LIBDIR')}/{get('INSTSONAME')}\")")
    files = run([python, "-c", code]).stdout.splitlines()
    return any("gc_collect_main" in run(["nm", file]).stdout for file in files)


def interpreter():
    """A CPython 3.11 with pyframes, one with symbols if there is; and why there is none."""
    return (None, perf_trouble()) if perf_trouble() else python_with_pyframes(names_collector)


def too_long_lines(text):
    """All but the one with the command to copy."""
    return [line for line in text.splitlines()
            if len(line) > COLUMNS and not line.startswith("all of it: ")]


class Recording:
    """A program of programs.py, recorded; its report as JSON."""

    def __init__(self, name, kind):
        python, trouble = interpreter()
        if not python:
            raise unittest.SkipTest(trouble)
        self.folder = Path(tempfile.mkdtemp(prefix="perfconv-report-"))
        side = self.folder / "side"
        side.mkdir()
        self.data = self.folder / "perf.data"
        done = run([sys.executable, ROOT / "scripts" / "perf-pyrecord", "-o", self.data, "--",
                    python, PROGRAMS_FILE, name, kind],
                   env=venvs.clean_environment(PYFRAMES_DIR=str(side)))
        try:
            if done.returncode:
                raise AssertionError(f"perf-pyrecord failed: {done.stderr}")
            self.report = json.loads(report("--side-dir", side, "--format", "json", self.data))
            self.text = report("--side-dir", side, self.data)
            self.text += report("--short", "--side-dir", side, self.data)
            self.check_profile(side)
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def check_profile(self, side):
        """The findings that convert embeds are the same, lines included; the form is right."""
        profile = self.folder / "profile.speedscope.json"
        done = run([PERFCONV, "convert", "-q", "--side-dir", side, "-i", self.data, "-o", profile])
        if done.returncode:
            raise AssertionError(f"perfconv convert failed: {done.stderr}")
        again = json.loads(report("--format", "json", profile))
        for one, other in zip(self.report["findings"], again["findings"]):
            assert one == other, f"of the profile: {other}; of the capture: {one}"
        assert again == {**self.report, "title": again["title"]}, "the tables differ"
        assert not list(problems(self.report, SCHEMA))
        unlooked = {one["rule"] for one in self.report["notLookedFor"]}
        assert not unlooked & {one["rule"] for one in self.report["findings"]}
        too_long = too_long_lines(self.text)
        assert not too_long, too_long

    def findings(self, severities=WORTH):
        return [one for one in self.report["findings"]
                if one["severity"] in severities and one["rule"] not in MACHINE_RULES]


def lines_of(function):
    """First and last line of a function of programs.py."""
    import inspect
    source, first = inspect.getsourcelines(function)
    return range(first, first + len(source))


def words(finding):
    function = finding.get("function", {})
    return f"{finding['severity']} {finding['rule']} {function.get('name')}: {finding['headline']}"


def again_if_busy(test):
    """Once more, twice at most, where others had the CPUs: samples are then few."""
    @functools.wraps(test)
    def run_test(self, name):
        for left in 2, 1, 0:
            try:
                test(self, name)
                return
            except AssertionError as error:
                if not left or os.getloadavg()[0] < os.cpu_count():
                    raise
                print(f"  {name}: recorded again, the load is {os.getloadavg()[0]:.1f}: {error}")
    return run_test


class Planted(unittest.TestCase):
    """A test of each program; made below."""

    @again_if_busy
    def found(self, name):
        rule, function = programs.PROGRAMS[name][:2]
        if rule == "gc" and interpreter()[0] and not names_collector(interpreter()[0]):
            self.skipTest("the interpreter is stripped: its collector has no name")
        recording = Recording(name, "planted")
        findings = recording.findings()
        print(f"  {name}: " + "; ".join(map(words, findings)))
        wanted = [one for one in findings if one["rule"] == rule]
        self.assertTrue(wanted, [words(one) for one in recording.report["findings"]])
        first = wanted[0]["function"]
        self.assertEqual(first["name"].rpartition(".")[2], function.__name__)
        self.assertEqual(first["file"], str(PROGRAMS_FILE))
        self.assertIn(first.get("line", first.get("firstLine")), lines_of(function))
        self.assertEqual([words(one) for one in findings
                          if one["severity"] == "high" and one["rule"] != rule], [])
        if name == "polling-beside-work":
            self.check_charge(wanted[0], recording.report)

    def check_charge(self, finding, whole):
        """What the thread does else is not the polling's."""
        thread = whole["threads"][finding["thread"]]
        cpu = {one["name"]: one["value"] for one in finding["numbers"]}["cpu"]
        self.assertLess(cpu, 50 * thread["onCpuNs"] / thread["presentNs"])
        self.assertGreater(cpu, 0.1)

    @again_if_busy
    def not_found(self, name):
        rule = programs.PROGRAMS[name][0]
        recording = Recording(name, "clean")
        findings = [one for one in recording.report["findings"]
                    if one["severity"] in WORTH and one["rule"] not in MACHINE_RULES
                    or one["rule"] == rule and one["severity"] != "low"]
        self.assertEqual([words(one) for one in findings], [])


def add_tests():
    for name in programs.PROGRAMS:
        method = name.replace("-", "_")
        setattr(Planted, f"test_{method}_is_found",
                functools.partialmethod(Planted.found, name))
        setattr(Planted, f"test_{method}_clean_is_not",
                functools.partialmethod(Planted.not_found, name))


class LimitedGroup:
    """A control group with a CPU limit of 5 %, of either version; skips where none can be made."""

    PERIOD_US, QUOTA_US = 100000, 5000

    def __init__(self, limited):
        name = f"perfconv-test-{os.getpid()}"
        self.folder = None
        for folder in map(Path, ("/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct",
                                 "/sys/fs/cgroup")):
            first = folder.name != "cgroup"
            if not (folder / ("cpu.cfs_period_us" if first else "cgroup.controllers")).exists():
                continue
            try:
                self.folder = folder / name
                self.folder.mkdir()
                if first:
                    (self.folder / "cpu.cfs_period_us").write_text(str(self.PERIOD_US))
                    (self.folder / "cpu.cfs_quota_us").write_text(
                        str(self.QUOTA_US if limited else -1))
                else:
                    (self.folder / "cpu.max").write_text(
                        f"{self.QUOTA_US if limited else 'max'} {self.PERIOD_US}")
                return
            except OSError as error:
                self.close()
                raise unittest.SkipTest(f"no control group with a CPU limit: {error}") from error
        raise unittest.SkipTest("no control group's CPU controller is mounted")

    def add(self, pid):
        (self.folder / "cgroup.procs").write_text(str(pid))

    def close(self):
        if self.folder and self.folder.exists():
            self.folder.rmdir()


class Machine(unittest.TestCase):
    """What the machine has its part in."""

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="perfconv-report-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def spin_in_group(self, limited):
        """The report of a program that computes, in a group with a limit or without one."""
        if perf_trouble():
            self.skipTest(perf_trouble())
        group = LimitedGroup(limited)
        self.addCleanup(group.close)
        spinner = subprocess.Popen([sys.executable, "-c", "while True: pass"])
        self.addCleanup(spinner.wait)
        self.addCleanup(spinner.kill)
        group.add(spinner.pid)
        data = self.folder / "perf.data"
        done = run([sys.executable, ROOT / "scripts" / "perf-pyrecord", "-o", data, "-p",
                    spinner.pid, "--duration", 2])
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(report("-f", "json", data))

    def test_a_cpu_limit_is_found(self):
        found = self.spin_in_group(limited=True)
        finding, = [one for one in found["findings"] if one["rule"] == "throttled"]
        print(f"  throttled: {finding['headline']}")
        self.assertEqual(finding["severity"], "high")
        self.assertGreater(finding["amount"], 5)

    def test_a_group_without_a_limit_is_not(self):
        found = self.spin_in_group(limited=False)
        self.assertNotIn("throttled", {one["rule"] for one in found["findings"]})
        self.assertNotIn("throttled", {one["rule"] for one in found["notLookedFor"]})

    def told(self, first, last):
        """The rules found in a capture that the recorder's looks at the machine lie beside.

        Nobody swaps a test's machine or slows its CPUs down: the looks are made up, and
        written as the recorder writes them.
        """
        data = self.folder / "perf.data"
        shutil.copy(CAPTURE, data)
        begin, end = json.loads(run([PERFCONV, "info", "--json", data]).stdout)["timeSpanNs"]
        snapshots.write(str(data), [
            {"when": when, "time_ns": time_ns, "machine": machine, "threads": []}
            for when, time_ns, machine in (("start", begin, first), ("end", end, last))])
        found = json.loads(report("-f", "json", data))
        self.assertIn("machine: ", report(data))
        return {one["rule"]: one for one in found["findings"]
                if one["rule"] in MACHINE_RULES - {"cpu-starved", "capture-quality"}}

    def test_swapping_and_slow_cpus_are_found(self):
        known = snapshots.machine(os.getpid())
        self.assertLessEqual({"swapped_in_pages", "swapped_out_pages"}, known.keys())
        first = {"throttled_periods": 5, "throttled_us": 1000, "swapped_in_pages": 100,
                 "swapped_out_pages": 100, "mhz": 1500, "max_mhz": 1500}
        self.assertEqual(self.told(first, first), {})
        swapping = self.told(first, {**first, "swapped_in_pages": 5000})
        self.assertEqual(list(swapping), ["swapping"])
        self.assertEqual(swapping["swapping"]["severity"], "medium")
        slow = {**first, "mhz": 600}
        self.assertEqual(list(self.told(slow, slow)), ["cpu-slow"])
        self.assertEqual(list(self.told(first, {**first, "throttled_us": 200000})), ["throttled"])


class UnknownReasons(unittest.TestCase):
    """Switches without the tracepoint that tells why: what is not known is held against nobody."""

    PROGRAM = """
import asyncio, threading, time
async def tick():
    for _ in range(20):
        await asyncio.sleep(0.1)
sleeper = threading.Thread(target=time.sleep, args=(2,), name="MQTTProxy_0")
sleeper.start()
asyncio.run(tick())
sleeper.join()
"""

    def test_what_waits_for_what_nobody_knows_may_sleep(self):
        python, trouble = interpreter()
        if not python:
            self.skipTest(trouble)
        folder = Path(tempfile.mkdtemp(prefix="perfconv-report-"))
        self.addCleanup(shutil.rmtree, folder)
        data = folder / "perf.data"
        done = run(["perf", "record", "-q", "-N", "-k", "CLOCK_MONOTONIC", "--sample-identifier",
                    "--switch-events", "-e", "cpu-clock/freq=99,call-graph=dwarf,stack-size=16384/",
                    "-o", data, "--", python, "-c", self.PROGRAM],
                   env=venvs.clean_environment(PYFRAMES="1", PYFRAMES_DIR=str(folder)))
        self.assertEqual(done.returncode, 0, done.stderr)
        made = json.loads(report("--format", "json", "--scenario", "idle-no-leaffc", data))
        found = {one["rule"] for one in made["findings"]}
        self.assertFalse(found & {"target", "loop-blocked"}, made["findings"])
        thread = next(one for one in made["threads"] if one["name"] == "MQTTProxy_0")
        self.assertEqual(thread["group"], "mqtt worker")
        self.assertNotIn("verdict", thread)


class Form(unittest.TestCase):
    """Of a committed capture: what the report looks like."""

    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="perfconv-report-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.profile = cls.folder / "waits.speedscope.json"
        done = run([PERFCONV, "convert", "-q", "-i", CAPTURE, "-o", cls.profile])
        if done.returncode:
            raise AssertionError(done.stderr)
        cls.json = json.loads(report("-f", "json", CAPTURE))

    def test_json_fits_its_schema(self):
        self.assertEqual(list(problems(self.json, SCHEMA)), [])

    def test_the_schema_would_find_a_slip(self):
        for change in ({"schema": 2}, {"findings": [{}]}, {"durationNs": -1}, {"more": 1}):
            self.assertTrue(list(problems({**self.json, **change}, SCHEMA)), change)

    def test_threads_add_up(self):
        for thread in self.json["threads"]:
            off = sum(thread["reasonsNs"].values())
            self.assertEqual(thread["onCpuNs"] + off + thread["unknownNs"], thread["presentNs"],
                             thread["name"])

    def test_a_profile_alone_tells_the_same(self):
        again = json.loads(report("-f", "json", self.profile))
        self.assertEqual(again, {**self.json, "title": again["title"]})

    def test_a_report_can_be_reported(self):
        path = self.folder / "report.json"
        path.write_text(json.dumps(self.json))
        self.assertEqual(report(path).splitlines()[:-1], report(CAPTURE).splitlines()[:-1])

    def test_text_fits_the_terminal(self):
        self.assertEqual(too_long_lines(report(CAPTURE)), [])
        self.assertEqual(too_long_lines(report("--short", CAPTURE)), [])
        self.assertEqual(too_long_lines(report(NATIVE_CAPTURE)), [])

    def test_long_names_and_large_figures_fit_the_terminal(self):
        def grown(value, key=""):
            if isinstance(value, dict):
                return {name: grown(part, name) for name, part in value.items()}
            if isinstance(value, list):
                return [grown(part) for part in value]
            if isinstance(value, str) and key in ("name", "headline", "text", "coroutine", "file"):
                return value + " and a good deal more" * 8
            return value * 50 if key in ("periodNs", "jitterNs", "longestNs", "rateHz") else value

        path = self.folder / "long.json"
        made = {**self.json, "periodic": [
            {"thread": 0, "reason": "sleep", "waits": 50, "rateHz": 1.5, "periodNs": 1 << 30,
             "jitterNs": 1 << 29, "waitNs": 5, "regular": 0.5, "function": {"name": "nap"}}],
                "tasks": [{"name": "job", "thread": 0, "exact": True, "onCpuNs": 1 << 29,
                           "steps": 1 << 20, "longestNs": 1 << 30}]}
        path.write_text(json.dumps(grown(made)))
        text = report(path)
        self.assertIn("waits again and again", text)
        self.assertIn("asyncio task", text)
        self.assertEqual(too_long_lines(text + report("--short", path)), [])

    def test_rules_that_could_not_look_are_told(self):
        def unlooked(path, *options):
            return {one["rule"]: one["because"] for one in
                    json.loads(report("-f", "json", *options, path))["notLookedFor"]}

        found = unlooked(CAPTURE)
        self.assertEqual(set(found), {"gc", "throttled", "swapping", "cpu-slow", "target"})
        self.assertIn("stripped", found["gc"])
        self.assertIn("--scenario", found["target"])
        self.assertNotIn("target", unlooked(CAPTURE, "--scenario", "idle"))
        for path in CAPTURE, self.profile:
            self.assertNotIn("gc", unlooked(path, "--no-rule", "gc"))
        native = unlooked(NATIVE_CAPTURE)
        self.assertIn("pyframes", native["busy-wait"])
        self.assertIn("switch", native["polling"])
        self.assertIn("  not looked for: gc (the interpreter is stripped", report(CAPTURE))
        self.assertIn("- polling: needs every switch", report("-f", "markdown", NATIVE_CAPTURE))
        self.assertIn("<li>polling: ", report("-f", "html", NATIVE_CAPTURE))

    def test_without_stack_dumps_nothing_is_complete_or_not(self):
        self.assertFalse(self.json["quality"]["hasDumps"])
        for form in "text", "markdown", "html":
            self.assertIn("no stack dumps", report("-f", form, CAPTURE))
            self.assertNotIn("no stack dumps", report("-f", form, NATIVE_CAPTURE))

    def test_markdown_has_all_threads(self):
        text = report("-f", "markdown", CAPTURE)
        for thread in self.json["threads"]:
            self.assertIn(f"| {thread['name'].replace('_', chr(92) + '_')} |", text)

    def test_markdown_gives_counts_as_such(self):
        numbers = {name: value for name, value in re.findall(
            r"^- ([a-z-]+): ([-0-9.]+(?: .*|/s)?)$", report("-f", "markdown", CAPTURE), re.MULTILINE)}
        convoy, = [one for one in self.json["findings"] if one["rule"] == "gil-convoy"]
        waits, = [one["value"] for one in convoy["numbers"] if one["name"] == "waits"]
        self.assertEqual(numbers["waits"], str(waits))
        self.assertRegex(numbers["waiting"], r"^\d+\.\d %$")

    def test_markdown_takes_no_markup_from_a_profile(self):
        content = json.loads(Path(self.profile).read_bytes())
        for one in content["perfconv"]["findings"]:
            one["advice"] = one["text"] = "<b>bold</b>"
        path = self.folder / "markup.json"
        path.write_text(json.dumps(content))
        self.assertNotIn("<b>", report("-f", "markdown", path).replace("\\<", ""))

    def test_output_goes_to_a_file(self):
        path = self.folder / "out.txt"
        self.assertEqual(report("-o", path, CAPTURE), "")
        self.assertEqual(path.read_text(), report(CAPTURE))

    def test_rules_are_switched_off(self):
        rules = {one["rule"] for one in self.json["findings"]}
        self.assertIn("gil-convoy", rules)
        for path in CAPTURE, self.profile:
            left = json.loads(report("-f", "json", "--no-rule", "gil-convoy", path))
            self.assertEqual({one["rule"] for one in left["findings"]}, rules - {"gil-convoy"})

    def test_a_file_sets_thresholds_groups_and_targets(self):
        path = self.folder / "rules.json"
        name = self.json["threads"][0]["name"]
        path.write_text(json.dumps({
            "rules": {"gil-convoy": False},
            "groups": {name: "mine"},
            "scenarios": {"test*": {"targets": {"mine": {"cpu": 0, "asleep": 100}}}}}))
        there = json.loads(report("-f", "json", "--rules", path, "--scenario", "testing", CAPTURE))
        self.assertEqual(there["threads"][0]["group"], "mine")
        self.assertEqual(there["threads"][0]["verdict"], "over")
        self.assertIn("target", {one["rule"] for one in there["findings"]})
        self.assertNotIn("gil-convoy", {one["rule"] for one in there["findings"]})
        elsewhere = json.loads(report("-f", "json", "--rules", path, CAPTURE))
        self.assertNotIn("verdict", elsewhere["threads"][0])

    def test_a_capture_and_its_bundle_know_the_scenario(self):
        """The recorder writes it into the file of snapshots, which goes into the bundle."""
        capture, rules = self.folder / "known.data", self.folder / "scenario.json"
        bundle, profile = self.folder / "known.tar.zst", self.folder / "known.speedscope.json"
        shutil.copy(CAPTURE, capture)
        Path(f"{capture}.threads.json").write_text(json.dumps(
            {"version": 1, "snapshots": [], "scenario": "testing"}))
        rules.write_text(json.dumps({
            "rules": {"cpu-bound": False},
            "scenarios": {"test*": {"rules": {"gil-convoy": True, "cpu-bound": True},
                                    "targets": {"*": {"cpu": 0, "asleep": 100}}}}}))
        side = ("--side-dir", CAPTURE.parent)
        done = run([PERFCONV, "bundle", capture, "-o", bundle, *side])
        self.assertEqual(done.returncode, 0, done.stderr)
        for path in capture, bundle:
            plain = json.loads(report("-f", "json", path, *side))
            self.assertEqual(plain["scenario"], "testing")
            found = json.loads(report("-f", "json", "--rules", rules, "--no-rule", "gil-convoy",
                                      path, *side))
            ids = {one["rule"] for one in found["findings"]}
            self.assertLessEqual({"target", "cpu-bound"}, ids)
            self.assertNotIn("gil-convoy", ids)
            other = json.loads(report("-f", "json", "--rules", rules, "--scenario", "else",
                                      path, *side))
            self.assertEqual(other["scenario"], "else")
            self.assertFalse({"target", "cpu-bound"} & {one["rule"] for one in other["findings"]})
            run([PERFCONV, "convert", "-q", "-i", path, "-o", profile, *side])
            self.assertEqual(json.loads(report("-f", "json", profile))["scenario"], "testing")
            self.assertEqual(json.loads(profile.read_text())["perfconv"]["scenario"], "testing")

    def test_the_document_has_the_table(self):
        table = report("--list-rules")
        self.assertIn(table, (ROOT / "docs" / "rules.md").read_text())

    def refused(self, *arguments):
        done = run([PERFCONV, "report", *arguments])
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        return done.stderr

    def test_a_thread_alone_is_not_said_to_hold_what_it_waits_for(self):
        found = [one for one in self.json["findings"] if one["rule"] == "gil-convoy"][0]
        self.assertIn(found["search"], [one["name"] for one in found["stack"]])
        name = self.json["threads"][found["thread"]]["name"]
        alone = json.loads(report("-f", "json", "--thread", name, CAPTURE))
        found = [one for one in alone["findings"] if one["rule"] == "gil-convoy"][0]
        self.assertIn("not among the threads shown", found["text"])

    def test_what_chooses_no_thread_is_refused(self):
        self.assertIn("no thread passes", self.refused("--thread", "nobody", CAPTURE))
        self.assertIn("--thread needs the capture",
                      self.refused("--thread", "MainThread", self.profile))
        self.assertIn("--scenario needs the capture",
                      self.refused("--scenario", "idle", self.profile))

    def test_what_cannot_be_reported_is_refused(self):
        plain = self.folder / "plain.json"
        for text in ("{}", "{", "[]", '{"findings": 1}', '{"perfconv": {}}', '{"perfconv": []}',
                     '{"perfconv": {"findings": [], "report": {"schema": 9}}}',
                     '{"perfconv": {"findings": [], "report": []}}', '{"a": "\\'):
            plain.write_text(text)
            self.assertIn("plain.json", self.refused(plain), text)
        self.assertIn("--rules", self.refused("--rules", plain, self.profile))
        self.assertIn("no-such", self.refused("--no-rule", "no-such", CAPTURE))
        self.assertIn("one capture", self.refused())
        self.assertIn("one capture", self.refused(CAPTURE, CAPTURE))
        self.assertIn("--format", self.refused("--format", "pdf", CAPTURE))

    def test_odd_findings_do_no_harm(self):
        """Every value of a good report, one after the other, as something else."""
        path = self.folder / "odd.json"

        def variants(value, put):
            for odd in (None, -1, 1e300, "x\x1b[31m", [], {}, [[]], 1 << 62):
                put(odd)
                yield
            put(value)
            if isinstance(value, (dict, list)):
                keys = value if isinstance(value, dict) else range(min(2, len(value)))
                for key in list(keys):
                    yield from variants(value[key], functools.partial(value.__setitem__, key))

        root = {"report": json.loads(json.dumps(self.json))}
        root["report"]["threads"] = root["report"]["threads"][:1]
        count = 0
        for _ in variants(root["report"], functools.partial(root.__setitem__, "report")):
            count += 1
            if count % 5:
                continue
            path.write_text(json.dumps(root["report"]))
            done = run([PERFCONV, "report", path])
            self.assertIn(done.returncode, (0, 1), json.dumps(root["report"]))
            self.assertNotIn("\x1b", done.stdout + done.stderr)
        self.assertGreater(count, 200)


def main():
    add_tests()
    suite.need_program(PERFCONV)
    suite.run_tests()


if __name__ == "__main__":
    main()
