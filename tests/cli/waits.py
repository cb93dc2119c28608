# SPDX-License-Identifier: GPL-2.0
"""Options and output of captures that tell of every switch."""
import json
import shutil

from command_line import FILES, CommandLine, small_capture


class Waits(CommandLine):
    """A capture of switches: tests/files/good-waits.data."""

    def setUp(self):
        super().setUp()
        self.length = self.convert()["profiles"][0]["endValue"]

    def convert(self, *options, warned=""):
        done = self.run_it("convert", "-q", "-i", FILES / "good-waits.data", "-o", "-", *options)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(warned, done.stderr.decode())
        return json.loads(done.stdout)

    def threads(self, profile):
        return [one for one in profile["profiles"] if "tid" in one["perfconv"]]

    def refuse_option(self, status, *options, said=None):
        done = self.run_it("convert", "-q", "-i", FILES / "good-waits.data", "-o", "out.json",
                           *options)
        self.assert_one_sentence(done, status, said or options[-1])
        self.assertEqual(self.entries(), [])

    def test_all_time_is_shown_and_adds_up(self):
        profile = self.convert("--frames", "python")
        self.assertEqual(profile["perfconv"]["view"], "wall")
        for one in self.threads(profile):
            times = one["perfconv"]["times"]
            self.assertEqual(sum(times[key] for key in ("onCpuNs", "offCpuNs", "unknownNs",
                                                        "absentNs")), self.length)
            self.assertEqual(sum(one["weights"]), self.length)
            self.assertEqual(sum(times["reasonsNs"].values()), times["offCpuNs"])
            self.assertEqual(sum(times["waitStacksNs"].values()), times["offCpuNs"])
        total = profile["profiles"][-1]
        self.assertEqual(total["name"], "all threads")
        self.assertEqual(sum(total["weights"]),
                         sum(one["perfconv"]["times"]["onCpuNs"]
                             + one["perfconv"]["times"]["offCpuNs"]
                             for one in self.threads(profile)))

    def test_waits_are_gaps_in_the_cpu_view(self):
        wall, cpu = self.convert(), self.convert("--view", "cpu")
        self.assertEqual(cpu["perfconv"]["view"], "cpu")
        for one, other in zip(self.threads(wall), self.threads(cpu)):
            times = other["perfconv"]["times"]
            self.assertEqual(one["perfconv"]["times"], times)
            shown = sum(weight for stack, weight in zip(other["samples"], other["weights"])
                        if stack)
            self.assertEqual(shown, times["onCpuNs"])

    def test_a_part_has_its_length_and_the_parts_add_up(self):
        whole = self.threads(self.convert())
        first = self.threads(self.convert("--to", "0.3"))
        rest = self.threads(self.convert("--from", "0.3"))
        for one, begin, end in zip(whole, first, rest):
            self.assertEqual(begin["endValue"], 300000000)
            self.assertEqual(begin["endValue"] + end["endValue"], self.length)
            for key in "onCpuNs", "offCpuNs", "absentNs":
                self.assertEqual(one["perfconv"]["times"][key],
                                 begin["perfconv"]["times"][key] + end["perfconv"]["times"][key])

    def test_a_part_behind_the_end_is_told(self):
        for begin in f"{self.length / 1e9 + 0.001:.3f}", "60":
            self.refuse_option(1, "--to", "70", "--from", begin)
        self.convert("--from", f"{self.length / 1e9 - 0.001:.3f}")

    def test_a_limit_is_kept_and_told(self):
        full, small = self.convert(), self.convert("--max-samples", "200", warned="--max-samples")
        self.assertNotIn("merged", full["perfconv"])
        self.assertGreater(small["perfconv"]["merged"]["slices"], 0)
        self.assertGreater(sum(len(one["samples"]) for one in full["profiles"]), 200)
        self.assertLessEqual(sum(len(one["samples"]) for one in small["profiles"]), 200)
        for one, other in zip(self.threads(full), self.threads(small)):
            self.assertEqual(self.sums(full, one), self.sums(small, other))

    def sums(self, profile, thread):
        names, sums = [frame["name"] for frame in profile["shared"]["frames"]], {}
        for stack, weight in zip(thread["samples"], thread["weights"]):
            key = tuple(names[i] for i in stack)
            sums[key] = sums.get(key, 0) + weight
        return sums

    def test_threads_are_chosen(self):
        def names(*options):
            return [one["name"] for one in self.threads(self.convert(*options))]
        self.assertEqual(names("--thread", "*sleeper"), ["thread sleeper"])
        self.assertEqual(names("--thread", "*holder", "--thread", "*wanter"),
                         ["thread holder", "thread wanter"])
        self.assertEqual(len(names("--process", "python*")), len(names()))
        self.assertIn("thread poller", names("--gil"))

    def test_nothing_chosen_and_bad_values_are_told(self):
        self.refuse_option(1, "--thread", "nobody", said="no thread passes")
        for options in (["--view", "all"], ["--from", "x"], ["--to", "0"],
                        ["--max-samples", "0"], ["--max-samples", "-3"]):
            self.refuse_option(2, *options)
        self.refuse_option(2, "--from", "3", "--to", "2")

    def test_the_summary_says_what_threads_wait_on(self):
        done = self.run_it("convert", "-i", FILES / "good-waits.data", "-o", "out.json")
        said = done.stderr.decode()
        self.assertRegex(said, r"off-CPU time with stack +[0-9.]+ %")
        self.assertRegex(said, r"thread +CPU +waiting on")
        self.assertRegex(said, r"thread poller .* poll [0-9.]+ %")
        self.assertTrue(all(len(line) <= 80 for line in said.splitlines()
                            if not line.startswith("perfconv: ")), said)

    def test_without_switches_the_wall_view_says_what_to_record(self):
        self.write("run.data", small_capture())
        done = self.run_it("convert", "-q", "-i", "run.data", "--view", "wall")
        self.assertEqual(done.returncode, 0)
        self.assertIn("--switch-events", done.stderr.decode())

    def test_a_part_has_its_own_looks_at_the_processes(self):
        path = shutil.copy(FILES / "good-waits.data", self.folder)
        begin = json.loads(self.run_it("info", "--json", path).stdout)["timeSpanNs"][0]
        looks = [begin - 1, begin, *(begin + part * 10 ** 8 for part in (2, 4, 20)), 2 ** 63 - 1]
        self.write("good-waits.data.threads.json", json.dumps(
            {"version": 1, "snapshots": [],
             "usage": [{"time_ns": one, "cpu_percent": 1, "memory_bytes": 1} for one in looks]}
        ).encode())
        for options, wanted in (([], [0, 2, 4, 20]), (["--to", "0.3"], [0, 2]),
                                (["--from", "0.3"], [1, 17]),
                                (["--from", "0.1", "--to", "0.3"], [1])):
            done = self.run_it("convert", "-q", "-o", "-", path, *options)
            usage = json.loads(done.stdout)["perfconv"]["report"]["usage"]
            self.assertEqual([round(one["timeNs"] / 1e8) for one in usage], wanted, options)

    def test_snapshots_beside_the_capture_are_read(self):
        path = shutil.copy(FILES / "good-waits.data", self.folder)
        for side in FILES.glob("pyframes-*"):
            shutil.copy(side, self.folder)
        tid = self.threads(self.convert())[0]["perfconv"]["tid"]
        looks = [{"when": when, "time_ns": 1, "threads": [
            {"pid": tid, "tid": tid, "state": "S", "schedstat": [run, 5, 6]}]}
                 for when, run in (("start", 7), ("end", 1007))]
        self.write("good-waits.data.threads.json",
                   json.dumps({"version": 1, "snapshots": looks}).encode())
        done = self.run_it("convert", "-q", "-i", path, "-o", "-")
        times = self.threads(json.loads(done.stdout))[0]["perfconv"]["times"]
        self.assertEqual(times["schedstatRunNs"], 1000)
        self.assertNotIn(b"threads.json", done.stderr)
        self.write("good-waits.data.threads.json",
                   json.dumps({"version": 1, "snapshots": [3, 4], "usage": [5]}).encode())
        for command in ["convert", "-q", "-o", "-"], ["report"], ["report", "-f", "json"]:
            done = self.run_it(*command, path)
            self.assertEqual(done.returncode, 0)
            self.assertRegex(done.stderr.decode(), r"good-waits\.data\.threads\.json: 3 entries")
        self.write("good-waits.data.threads.json", b"{}")
        done = self.run_it("convert", "-q", "-i", path, "-o", "-")
        self.assertIn("threads.json", done.stderr.decode())
