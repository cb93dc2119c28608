# SPDX-License-Identifier: GPL-2.0
"""perfconv diff: its options, its formats and what it compares."""
import json
import re
import shutil
import sys

from command_line import FILES, ROOT, CommandLine, small_capture

sys.path.insert(0, str(ROOT / "tests" / "diff"))
from made import FUNCTIONS, SECOND, profile  # noqa: E402


class Diff(CommandLine):
    def setUp(self):
        super().setUp()
        self.write("before.json", profile())
        self.write("same.json", profile(seed=2, thread="worker_7"))
        self.write("slower.json", profile(["check"], 1.4, seed=3))

    def diff(self, *args, status=0):
        done = self.run_it("diff", *args)
        self.assertEqual(done.returncode, status, done.stderr.decode())
        return done.stdout.decode()

    def test_the_same_program_has_not_changed(self):
        text = self.diff("before.json", "same.json", "--fail-on-regression")
        self.assertEqual(text.splitlines()[0], "no change beyond noise")
        self.assertIn("worker_*", text)

    def test_the_slower_function_is_first(self):
        text = self.diff("before.json", "slower.json")
        lines = text.splitlines()
        self.assertEqual(lines[0], "1 slower, 0 faster, beyond noise and 5 %")
        self.assertRegex(text, r"SLOWER.*\n  check +\d\.\d +\d\.\d +\+\d\.\d +\+\d+ % +\+-\d\.\d\n"
                               r" +prog\.py:3, worker_0\n")
        for line in lines:
            self.assertLessEqual(len(line), 80, line)

    def test_the_columns_add_up_on_a_slower_machine(self):
        self.write("slow.json", profile(list(FUNCTIONS), 1.2, seed=8))
        for options, star in ([], "*"), (["--same-speed"], ""):
            text = self.diff("before.json", "slow.json", *options)
            head, = re.findall(r"^threads, % of a core +(\S+)", text, re.MULTILINE)
            self.assertEqual(head, "before" + star)
            before, after, change = map(float, re.search(
                r"^  worker_0 +(\S+) +(\S+) +(\S+)", text, re.MULTILINE).groups())
            self.assertAlmostEqual(after - before, change, delta=0.11)
            self.assertEqual("* at the speed of after" in text, bool(star))

    def test_a_regression_fails_only_where_asked(self):
        self.diff("before.json", "slower.json")
        self.diff("before.json", "slower.json", "--fail-on-regression", status=3)
        self.diff("slower.json", "before.json", "--fail-on-regression")
        self.diff("before.json", "slower.json", "--fail-on-regression", "--threshold", "90")
        self.diff("before.json", "slower.json", "--fail-on-regression", "--min-change", "5")

    def test_what_cannot_be_known_is_no_pass(self):
        self.write("short.json", profile(seconds=1))
        for sides in (["before.json", "short.json"], ["short.json", "slower.json"]):
            done = self.run_it("diff", *sides, "--fail-on-regression")
            said, = done.stderr.decode().splitlines()
            self.assertEqual(done.returncode, 4, said)
            self.assertTrue(done.stdout.startswith(b"not known: "), done.stdout)
            self.assertIn("not known", said)
            self.assertIn("record for longer", said)
            self.diff(*sides)

    def test_several_runs_a_side(self):
        self.write("same2.json", profile(seed=4))
        self.write("slower2.json", profile(["check"], 1.4, seed=5))
        one = json.loads(self.diff("before.json", "slower.json", "--format", "json"))
        both = json.loads(self.diff("--before", "before.json", "--before", "same2.json",
                                    "--after", "slower.json", "--after", "slower2.json",
                                    "--format", "json"))
        self.assertEqual(both["before"]["files"], ["before.json", "same2.json"])
        self.assertEqual(both["after"]["seconds"], 20)
        self.assertEqual([one["changes"][0]["function"], both["changes"][0]["function"]],
                         ["check", "check"])
        self.assertLess(both["changes"][0]["noise"], one["changes"][0]["noise"])

    def test_json(self):
        answer = json.loads(self.diff("before.json", "slower.json", "--format=json"))
        change, = answer["changes"]
        self.assertEqual((answer["answer"], change["what"], change["regression"]),
                         ("regression", "function", True))
        self.assertAlmostEqual(change["before"], 5, delta=0.3)
        self.assertAlmostEqual(change["change"], 2, delta=0.3)
        self.assertEqual({one["function"] for one in answer["functions"]}, set(FUNCTIONS))
        thread, = answer["threads"]
        self.assertEqual([wait["reason"] for wait in thread["waits"]], ["[poll]"])

    def test_the_same_input_gives_the_same_bytes(self):
        for form in "text", "markdown", "json":
            self.assertEqual(self.diff("before.json", "slower.json", "--format", form),
                             self.diff("before.json", "slower.json", "--format", form))

    def test_markdown_has_tables(self):
        text = self.diff("before.json", "slower.json", "--format", "markdown")
        self.assertTrue(text.startswith("**1 slower"), text)
        self.assertIn("\n|---|---:|---:|---:|---:|---:|\n| check (prog.py:3, worker\\_0) |", text)

    def test_speedscope(self):
        done = self.run_it("diff", "before.json", "slower.json", "--format", "speedscope", "-o",
                           "d.speedscope.json")
        self.assertEqual((done.returncode, done.stdout), (0, b""), done.stderr)
        self.assertIn("1 slower", done.stderr.decode())
        file = json.loads((self.folder / "d.speedscope.json").read_bytes())
        names = [frame["name"] for frame in file["shared"]["frames"]]
        before, after, slower, faster = file["profiles"]
        self.assertEqual([one["name"].split()[0] for one in file["profiles"]],
                         ["before", "after", "slower", "faster"])
        self.assertAlmostEqual(sum(before["weights"]) / SECOND, 0.2, delta=0.01)
        self.assertAlmostEqual(sum(after["weights"]) / SECOND, 0.22, delta=0.01)
        self.assertEqual([[names[i] for i in stack] for stack in slower["samples"]],
                         [["worker_0", "serve", "check"]])
        self.assertAlmostEqual(sum(slower["weights"]) / SECOND, 0.02, delta=0.003)
        self.assertEqual([[names[i] for i in stack] for stack in faster["samples"]],
                         [["[no change beyond noise]"]])

    def test_a_capture_and_its_profile_are_alike(self):
        for path in FILES.glob("*"):
            if path.name == "good-waits.data" or path.suffix in (".side", ".so"):
                shutil.copy(path, self.folder)
        self.assertEqual(self.run_it("convert", "-q", "-i", "good-waits.data", "-o", "waits.json",
                                     "--max-samples", "1000000").returncode, 0)
        answer = json.loads(self.diff("good-waits.data", "waits.json", "--format", "json"))
        self.assertEqual((answer["answer"], answer["changes"]), ("unknown", []))
        for one in answer["functions"]:
            self.assertAlmostEqual(one["own"]["before"], one["own"]["after"], places=6)
        self.assertIn("record for longer", self.diff("good-waits.data", "waits.json"))

    def test_a_thread_has_the_time_that_report_gives_it(self):
        """Also what the kernel needs to bring it back, which snapshots of /proc tell."""
        for path in FILES.glob("*"):
            if path.name == "good-waits.data" or path.suffix in (".side", ".so"):
                shutil.copy(path, self.folder)
        before = json.loads(self.run_it("report", "-f", "json", "good-waits.data").stdout)
        begin, end = json.loads(self.run_it("info", "--json", "good-waits.data").stdout)[
            "timeSpanNs"]
        looks = [{"when": when, "time_ns": begin + part * (end - begin) // 10, "threads": [
            {"pid": one["pid"], "tid": one["tid"], "state": "S",
             "schedstat": [1 + ran * one["onCpuNs"], 5, 6]} for one in before["threads"]]}
                 for when, part, ran in (("start", 4, 0), ("end", 6, 1))]
        self.write("good-waits.data.threads.json",
                   json.dumps({"version": 1, "snapshots": looks}).encode())
        report = json.loads(self.run_it("report", "-f", "json", "good-waits.data").stdout)
        self.assertEqual(self.run_it("convert", "-q", "-i", "good-waits.data", "-o",
                                     "waits.json").returncode, 0)
        self.assertTrue(b"[switching]" in (self.folder / "waits.json").read_bytes())
        answer = json.loads(self.diff("good-waits.data", "waits.json", "--format", "json"))
        wanted = {one["name"]: one["onCpuNs"] for one in report["threads"]}
        shown = {one["thread"]: one["cpu"] for one in answer["threads"]}
        self.assertGreater(len(wanted.keys() & shown.keys()), 3)
        for name in wanted.keys() & shown.keys():
            for side in "before", "after":
                self.assertAlmostEqual(shown[name][side] / 100 * answer[side]["seconds"],
                                       wanted[name] / 1e9, places=8, msg=f"{name} {side}")

    def test_wrong_usage(self):
        for args, part in ((["before.json"], "two runs"), ([], "two runs"),
                           (["a", "b", "c"], "c is one argument too many"),
                           (["--threshold", "x", "a", "b"], "percentage"),
                           (["--min-change=-1", "a", "b"], "percentage"),
                           (["--format", "xml", "a", "b"], "xml"),
                           (["--format", "speedscope", "a", "b"], "-o")):
            self.assert_one_sentence(self.run_it("diff", *args), 2, part)

    def test_input_that_is_of_no_use(self):
        self.write("foreign.json", b'{"profiles": []}')
        self.write("cut.json", profile()[:-100])
        self.write("empty.json", profile(seconds=0))
        self.write("perf.data", small_capture(0))
        for name, part in (("none.json", "does not exist"), ("foreign.json", "perfconv wrote"),
                           ("cut.json", "damaged"), ("empty.json", "empty"),
                           ("perf.data", "empty")):
            self.assert_one_sentence(self.run_it("diff", "before.json", name), 1, name, part)
