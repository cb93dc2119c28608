# SPDX-License-Identifier: GPL-2.0
"""perfconv bundle: captures that travel."""
import io
import json
import os
import shutil
import signal
import subprocess
import tarfile
import tempfile
import time
from pathlib import Path

from archives import archive, manifest, tar_block, tar_file, zstd_frame
from command_line import FILES, LIMIT_S, PERFCONV, CommandLine, small_capture

# capture, options of both conversions
CONVERSIONS = [
    ("good-python-threads.data", ["--frames", "all", "--lines"]),
    ("good-python-threads.data", ["--frames", "python"]),
    ("good-waits.data", []),
    ("good-waits.data", ["--view", "cpu", "--frames", "native"]),
    ("good-xperf-dwarf.data", ["--no-inline"]),
    ("good-xperf-jit.data", ["--frames", "merged", "--no-stitch"]),
    ("good-several.data", ["--event", "all"]),
    ("good-threads", []),
    ("good-killed.data", []),
    ("good-compressed.data", []),
    ("good-pipe.data", []),
    ("good-all-cpus-sched-switch.data", ["--frames", "all"]),
    ("good-aarch64.data", ["--frames", "all"]),
    ("good-levels-aarch64.data", ["--frames", "all"]),
    ("good-levels-aarch64-pac.data", ["--frames", "native"]),
    ("good-levels-aarch64-fp.data", ["--frames", "all"]),
    ("good-levels-armv7.data", ["--frames", "all"]),
]
SERIES = [f"good-switch-output-{number}.data" for number in range(3)]


def good_archive(*more, **changes):
    return archive(tar_file(b"manifest.json", manifest(**changes)),
                   tar_file(b"capture/0", small_capture()), *more)


def make_clean_root(folder):
    """A root that has perfconv and its libraries, and nothing else."""
    said = subprocess.run(["ldd", PERFCONV], stdout=subprocess.PIPE, check=True).stdout.decode()
    for path in [word for word in said.split() if word.startswith("/")]:
        inside = folder / path[1:]
        inside.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(Path(path).resolve(), inside)
    shutil.copy(PERFCONV, folder / "perfconv")
    (folder / "tmp").mkdir()


class TravellingCapture(CommandLine):
    """Captures with their files, in a folder that can go."""

    def setUp(self):
        super().setUp()
        self.home = self.folder / "recorded"
        shutil.copytree(FILES, self.home)
        self.temporary = self.folder / "tmp"
        self.temporary.mkdir()

    def run_at(self, folder, *args):
        return subprocess.run([PERFCONV, *args], cwd=folder, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=LIMIT_S,
                              env=dict(os.environ, TMPDIR=str(self.temporary)), check=False)

    def good(self, done):
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return done.stdout

    def bundle(self, *captures, name="x.tar.zst", options=()):
        path = self.folder / name
        done = self.run_at(self.home, "bundle", *captures, "-o", path, *options)
        self.assertEqual(self.good(done), b"")
        return path

    def convert(self, folder, captures, options):
        inputs = [word for path in captures for word in ("-i", path)]
        return self.good(self.run_at(folder, "convert", "-q", *inputs, "-o", "-", *options))


class Bundle(TravellingCapture):
    """A bundle gives what its capture gave, without the files it was made from."""

    def test_converts_to_the_same_bytes_without_the_files(self):
        for capture, options in CONVERSIONS:
            with self.subTest(capture, options=options):
                direct = self.convert(self.home, [capture], options)
                path = self.bundle(capture)
                elsewhere = self.folder / "elsewhere"
                self.home.rename(elsewhere)
                self.assertEqual(self.convert(self.folder, [path], options), direct)
                elsewhere.rename(self.home)

    def test_converts_to_the_same_bytes_in_a_clean_root(self):
        if os.geteuid():
            self.skipTest("chroot needs root")
        root = self.folder / "root"
        make_clean_root(root)
        for capture, options in CONVERSIONS:
            with self.subTest(capture, options=options):
                direct = self.convert(self.home, [capture], options)
                shutil.copy(self.bundle(capture), root / "x.tar.zst")
                done = subprocess.run(["chroot", root, "/perfconv", "convert", "-q", "-i",
                                       "x.tar.zst", "-o", "-", *options],
                                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, timeout=LIMIT_S, check=False)
                self.assertEqual(self.good(done), direct)
                self.assertEqual(list((root / "tmp").iterdir()), [])

    def test_a_series_is_one_bundle(self):
        direct = self.convert(self.home, SERIES, ["--frames", "all"])
        path = self.bundle(*SERIES)
        shutil.rmtree(self.home)
        self.assertEqual(self.convert(self.folder, [path], ["--frames", "all"]), direct)

    def test_side_files_from_the_side_folder_are_packed(self):
        side = self.folder / "side"
        side.mkdir()
        for path in self.home.glob("pyframes-*"):
            path.rename(side / path.name)
        options = ["--side-dir", side]
        direct = self.convert(self.home, ["good-python-threads.data"], options)
        path = self.bundle("good-python-threads.data", options=options)
        shutil.rmtree(side)
        self.assertEqual(self.convert(self.folder, [path], []), direct)

    def test_the_machines_own_files_are_not_asked(self):
        """What was missing stays missing, though it lies beside the bundle by now."""
        lacking = self.folder / "lacking"
        lacking.mkdir()
        shutil.copy(FILES / "good-python-threads.data", lacking)
        done = self.run_at(lacking, "bundle", "good-python-threads.data", "-q", "-o",
                           self.home / "x.tar.zst")
        self.good(done)
        direct = self.convert(lacking, ["good-python-threads.data"], [])
        self.assertEqual(self.convert(self.home, ["x.tar.zst"], ["--side-dir", self.home]), direct)
        self.assertNotEqual(self.convert(self.home, ["good-python-threads.data"], []), direct)

    def test_info_says_the_same(self):
        path = self.bundle("good-python-threads.data")
        direct = json.loads(self.good(self.run_at(self.home, "info", "--json",
                                                  "good-python-threads.data")))
        shutil.rmtree(self.home)
        given = json.loads(self.good(self.run_at(self.folder, "info", "--json", path)))
        self.assertEqual(given.pop("file"), str(path))
        direct.pop("file")
        self.assertEqual(given, direct)

    def test_report_and_diff_read_it(self):
        path = self.bundle("good-waits.data")
        direct = self.good(self.run_at(self.home, "report", "--format", "json",
                                       "good-waits.data"))
        shutil.rmtree(self.home)
        given = self.good(self.run_at(self.folder, "report", "--format", "json", path))
        self.assertEqual(given, direct)
        self.good(self.run_at(self.folder, "diff", path, path))

    def test_the_same_capture_gives_the_same_bytes(self):
        one, two = (self.bundle("good-python-threads.data", name=f"{name}.tar.zst")
                    for name in ("one", "two"))
        self.assertEqual(one.read_bytes(), two.read_bytes())

    def test_it_is_a_tar_archive(self):
        path = self.bundle("good-python-threads.data")
        if not shutil.which("zstd"):
            self.skipTest("there is no zstd")
        listed = subprocess.run(["tar", "--zstd", "-tf", path], stdout=subprocess.PIPE, check=True)
        names = listed.stdout.decode().split()
        self.assertEqual(names[0], "manifest.json")
        self.assertIn("capture/0", names)
        self.assertTrue(any(name.endswith(".side") for name in names), names)

    def test_default_names(self):
        self.good(self.run_at(self.home, "bundle", "good-fp.data"))
        self.good(self.run_at(self.home, "convert", "-i", "good-fp.tar.zst"))
        self.assertTrue((self.home / "good-fp.speedscope.json").exists())

    def test_nothing_is_left_behind(self):
        path = self.bundle("good-waits.data")
        self.convert(self.folder, [path], [])
        self.run_at(self.folder, "convert", "-i", path, "--event", "none")
        self.assertEqual(list(self.temporary.iterdir()), [])

    def test_a_signal_leaves_nothing_behind(self):
        self.write("perf.data", small_capture(samples=1000000))
        done = self.run_at(self.folder, "bundle", "perf.data", "-q")
        self.good(done)
        for number in signal.SIGINT, signal.SIGTERM:
            with subprocess.Popen([PERFCONV, "convert", "-q", "-i", "perf.tar.zst", "-o", "out"],
                                  cwd=self.folder, stdin=subprocess.DEVNULL,
                                  env=dict(os.environ, TMPDIR=str(self.temporary)),
                                  preexec_fn=lambda: signal.signal(signal.SIGINT,
                                                                   signal.SIG_DFL)) as running:
                deadline = time.monotonic() + LIMIT_S
                while not list(self.temporary.iterdir()):
                    self.assertIsNone(running.poll(), "it ended before it unpacked anything")
                    self.assertLess(time.monotonic(), deadline)
                self.assertEqual(next(self.temporary.iterdir()).stat().st_mode & 0o777, 0o700)
                running.send_signal(number)
                self.assertEqual(running.wait(LIMIT_S), -number)
            self.assertEqual(list(self.temporary.iterdir()), [])

    def test_messages_name_the_bundle(self):
        path = self.bundle("good-fp.data")
        done = self.run_at(self.folder, "convert", "-i", path, "--event", "cycles", "-o", "out")
        self.assert_one_sentence(done, 1, "good-fp.data", "has no event cycles")

    def test_a_bundle_is_not_bundled(self):
        path = self.bundle("good-fp.data")
        done = self.run_at(self.folder, "bundle", path, "-o", "y.tar.zst")
        self.assert_one_sentence(done, 1, str(path), "is a bundle already")

    def test_a_bundle_stands_alone(self):
        path = self.bundle("good-fp.data")
        done = self.run_at(self.home, "convert", "-i", path, "-i", "good-fp.data", "-o", "out")
        self.assert_one_sentence(done, 1, str(path), "alone")

    def test_the_capture_is_not_overwritten(self):
        done = self.run_at(self.home, "bundle", "good-fp.data", "-o", "good-fp.data")
        self.assert_one_sentence(done, 1, "good-fp.data", "the input itself")

    def test_it_is_the_owner_s_alone_as_captures_are(self):
        self.assertEqual(self.bundle("good-fp.data").stat().st_mode & 0o777, 0o600)

    def test_standard_input(self):
        path = self.bundle("good-fp.data")
        direct = self.convert(self.home, ["good-fp.data"], [])
        with open(path, "rb") as file:
            done = subprocess.run([PERFCONV, "convert", "-q", "-i", "-", "-o", "-"], stdin=file,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                                  timeout=LIMIT_S)
        self.assertEqual(self.good(done), direct)
        self.assert_one_sentence(self.run_at(self.home, "bundle", "-"), 1, "standard input")

    def test_a_pipe(self):
        """Also where what comes first is less than a bundle can be told by."""
        whole = self.bundle("good-fp.data").read_bytes()
        direct = self.convert(self.home, ["good-fp.data"], [])
        for first in 1, 5, len(whole):
            with self.subTest(first), subprocess.Popen(
                    [PERFCONV, "convert", "-q", "-i", "-", "-o", "-"], stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as running:
                running.stdin.write(whole[:first])
                running.stdin.flush()
                rest, _ = running.communicate(whole[first:], LIMIT_S)
                self.assertEqual(running.returncode, 0)
                self.assertEqual(rest, direct)

    def test_damage_is_seen(self):
        """Whatever byte is another one, and however little is cut off."""
        path = self.bundle("good-fp.data")
        whole = path.read_bytes()
        damaged = [whole[:-1]] + [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:]
                                  for at in range(len(whole) // 9, len(whole), len(whole) // 9)]
        for content in damaged:
            path.write_bytes(content)
            self.assert_one_sentence(
                self.run_at(self.folder, "convert", "-q", "-i", path, "-o", "-"), 1, str(path))


class RedactedBundle(TravellingCapture):
    """What is blanked is gone, and nothing else changes."""
    SECRET = b"PASSWORD=hunter2 "

    def setUp(self):
        super().setUp()
        if not shutil.which("zstd"):
            self.skipTest("there is no zstd to look into bundles with")

    def content(self, path):
        """Entries of a bundle: name -> bytes."""
        raw = subprocess.run(["zstd", "-dqc", path], stdout=subprocess.PIPE, check=True).stdout
        with tarfile.open(fileobj=io.BytesIO(raw)) as archive_file:
            return {one.name: archive_file.extractfile(one).read() for one in archive_file}

    def without_metadata(self, profile):
        found = json.loads(profile)
        self.assertRegex(found["perfconv"]["host"].pop("name"), "^x+$")
        for word in found["perfconv"].pop("perfCommand"):
            self.assertRegex(word, "^x*$")
        return found

    def assert_alike(self, redacted, direct):
        expected = json.loads(direct)
        expected["perfconv"]["host"].pop("name")
        expected["perfconv"].pop("perfCommand")
        self.assertEqual(self.without_metadata(redacted), expected)

    def test_the_environment_in_stack_copies_goes(self):
        """Where it is blanked nothing was read: a secret there changes no profile."""
        capture = "good-xperf-dwarf.data"
        original = (self.home / capture).read_bytes()
        blanked = self.content(self.bundle(capture, options=["--redact"]))["capture/0"]
        self.assertEqual(len(blanked), len(original))
        changed = [at for at in range(len(original)) if original[at] != blanked[at]]
        stacks = [at for at in changed if blanked[at] == 0]
        self.assertGreater(len(stacks), 100)
        secret = bytearray(original)
        for at in stacks:
            secret[at] = self.SECRET[at % len(self.SECRET)]
        direct = self.convert(self.home, [capture], ["--frames", "all"])
        (self.home / capture).write_bytes(secret)
        self.assertEqual(self.convert(self.home, [capture], ["--frames", "all"]), direct)
        path = self.bundle(capture, options=["--redact"])
        self.assertEqual(self.content(path)["capture/0"], blanked)
        shutil.rmtree(self.home)
        self.assert_alike(self.convert(self.folder, [path], ["--frames", "all"]), direct)

    def check_user_goes(self, folder, blanked):
        """All three folders are equally long."""
        for path in self.home.iterdir():
            if path.is_file():
                path.write_bytes(path.read_bytes().replace(b"/recorded/", folder))
        capture = "good-python-threads.data"
        direct = self.convert(self.home, [capture], ["--frames", "all"])
        self.assertIn(folder, (self.home / capture).read_bytes())
        path = self.bundle(capture, options=["--redact"])
        for name, content in self.content(path).items():
            self.assertNotIn(folder, content, name)
        shutil.rmtree(self.home)
        self.assert_alike(self.convert(self.folder, [path], ["--frames", "all"]),
                          direct.replace(folder, blanked))

    def test_names_of_users_go(self):
        self.check_user_goes(b"/home/ann/", b"/home/xxx/")

    def test_names_that_are_not_ascii_go(self):
        self.check_user_goes("/home/\u00e9l/".encode(), b"/home/xxx/")

    def test_what_cannot_be_read_cannot_be_redacted(self):
        whole = self.write("perf.data", small_capture(samples=50)).read_bytes()
        self.write("perf.data", whole[:-20])
        done = self.run_at(self.folder, "bundle", "--redact", "perf.data")
        self.assert_one_sentence(done, 1, "perf.data", "cannot be read", "--redact")

    def test_every_form_of_capture(self):
        for capture in ("good-waits.data", "good-threads", "good-pipe.data", "good-dwarf.data"):
            with self.subTest(capture):
                direct = self.convert(self.home, [capture], [])
                path = self.bundle(capture, options=["--redact"])
                self.assert_alike(self.convert(self.folder, [path], []), direct)
                header = b"".join(content for name, content in self.content(path).items()
                                  if name.startswith("capture/"))
                self.assertNotIn(b"/usr/bin/perf\0", header)

    def test_a_compressed_capture_cannot_be(self):
        done = self.run_at(self.home, "bundle", "--redact", "good-compressed.data")
        self.assert_one_sentence(done, 1, "good-compressed.data", "perf inject")


class HostileBundle(CommandLine):
    """Whatever is in it, one sentence, and nothing is written elsewhere."""

    def setUp(self):
        super().setUp()
        self.temporary = Path(tempfile.mkdtemp(prefix="perfconv-cli-"))
        self.addCleanup(shutil.rmtree, self.temporary, ignore_errors=True)

    def run_it(self, *args, **kwargs):
        kwargs["env"] = dict(os.environ, TMPDIR=str(self.temporary))
        return super().run_it(*args, **kwargs)

    def refuse_content(self, content, *parts):
        self.refuse(self.write("x.tar.zst", content), *parts)
        self.assertEqual(list(self.temporary.iterdir()), [])

    def test_a_good_one_is_read(self):
        """Else the others prove nothing."""
        self.write("x.tar.zst", good_archive())
        done = self.run_it("convert", "-q", "-i", "x.tar.zst", "-o", "-")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["perfconv"]["samples"], 3)
        self.assertEqual(json.loads(done.stdout)["name"], "perf.data")

    def test_names_that_lead_elsewhere(self):
        for name in (b"../evil", b"/etc/evil", b"a/../../evil", b"a/./b", b"..", b"a//b", b"",
                     b"a\\..\\b", b"a\x1b[31mb", b"a\nb", b"\xff"):
            with self.subTest(name):
                self.refuse_content(good_archive(tar_file(name, b"evil")), "leads out")

    def test_links_and_devices(self):
        for kind, word in ((b"1", "hard link"), (b"2", "symbolic link"), (b"3", "device"),
                           (b"4", "device"), (b"6", "FIFO"), (b"x", "extended header"),
                           (b"L", "extended header"), (b"Z", "unknown kind")):
            with self.subTest(kind):
                self.refuse_content(good_archive(tar_file(b"capture/1", b"", kind, b"/etc/shadow")),
                                    word)

    def test_a_link_in_the_place_of_the_capture(self):
        self.refuse_content(archive(tar_file(b"manifest.json", manifest()),
                                    tar_file(b"capture/0", b"", b"2", b"/etc/passwd")),
                            "symbolic link")

    def test_sizes_that_cannot_be(self):
        for size in (b"77777777777\0", b"\x80" + b"\xff" * 11, b"\xff" * 12,
                     b"\x80" + (65 << 30).to_bytes(11, "big"), b"nonsense\0\0\0\0"):
            with self.subTest(size):
                block = tar_block(b"capture/1", size)
                self.refuse_content(good_archive(block), "x.tar.zst")

    def test_many_large_files(self):
        """Each is allowed, all of them are not; nothing is unpacked for it."""
        size = b"\x80" + (60 << 30).to_bytes(11, "big")
        self.refuse_content(good_archive(tar_block(b"capture/1", size)), "ends")

    def test_a_name_twice(self):
        self.refuse_content(good_archive(tar_file(b"capture/0", small_capture())), "twice")

    def test_what_the_manifest_names_must_be_there(self):
        self.refuse_content(archive(tar_file(b"manifest.json", manifest())), "lacks capture/0")
        files = [{"kind": "image", "key": "/bin/true ", "status": "found", "entry": "elf/0"}]
        self.refuse_content(good_archive(files=files), "lacks elf/0")

    def test_manifests_that_say_nothing(self):
        folder = [{"capture": 0, "name": "data", "entry": "capture/0"}]
        for changes in ({"format": "other"}, {"version": 2}, {"parts": []}, {"parts": [1]},
                        {"parts": [{"capture": 1, "entry": "a"}]},
                        {"parts": [{"capture": 0, "entry": "a", "name": "../data"}]},
                        {"parts": [{"capture": 0, "entry": "a", "name": "data.1/x"}]},
                        {"parts": [{"capture": 0, "entry": "a"}, {"capture": 0, "entry": "b"}]},
                        {"parts": folder + [{"capture": 1, "name": "data", "entry": "capture/0"}]},
                        {"files": [{"kind": "nothing"}]}, {"files": [[]]},
                        {"files": [{"kind": "image", "key": "a", "status": "found"}]},
                        {"files": 2 * [{"kind": "image", "key": "a", "status": "missing"}]}):
            with self.subTest(changes):
                self.refuse_content(good_archive(**changes), "x.tar.zst")
        self.refuse_content(archive(tar_file(b"manifest.json", b"{")), "x.tar.zst")
        self.refuse_content(archive(tar_file(b"manifest.json", b"[" * 100000)), "x.tar.zst")

    def test_no_bundle_but_compressed(self):
        self.refuse_content(zstd_frame(small_capture(100)), "tar archive")
        self.refuse_content(archive(tar_file(b"notes", b"hello")), "manifest.json")
        self.refuse_content(zstd_frame(b""), "ends")

    def test_cut_anywhere(self):
        whole = good_archive()
        for length in range(4, len(whole) - 1030, 97):
            with self.subTest(length):
                self.refuse_content(whole[:length], "x.tar.zst")

    def test_damaged_anywhere(self):
        """Any outcome but a crash, and nothing left behind."""
        whole = good_archive()
        for at in range(4, len(whole), 61):
            with self.subTest(at):
                self.write("x.tar.zst", whole[:at] + bytes([whole[at] ^ 0xff]) + whole[at + 1:])
                done = self.run_it("convert", "-q", "-i", "x.tar.zst", "-o", "-")
                self.assertIn(done.returncode, (0, 1), done.stderr)
                self.assertEqual(list(self.temporary.iterdir()), [])

    def test_a_capture_in_it_that_is_none(self):
        self.refuse_content(archive(tar_file(b"manifest.json", manifest()),
                                    tar_file(b"capture/0", b"no capture at all, but long enough")),
                            "PERFILE2")

    def test_a_bundle_in_a_bundle(self):
        self.refuse_content(archive(tar_file(b"manifest.json", manifest()),
                                    tar_file(b"capture/0", good_archive())), "PERFILE2")

    def test_files_that_are_not_what_they_are_called(self):
        """They are read as what they are said to be, and found wanting."""
        files = [{"kind": kind, "key": key, "status": "found", "entry": "it"}
                 for kind, key in (("image", "/bin/true "), ("debug", "/bin/true "),
                                   ("kallsyms", ""), ("beside", "perf.data.threads.json"),
                                   ("perfmap", "7 in 0"))]
        self.write("x.tar.zst", good_archive(tar_file(b"it", b"nothing of use\n"), files=files))
        done = self.run_it("convert", "-q", "-i", "x.tar.zst", "-o", "-")
        self.assertEqual(done.returncode, 0, done.stderr)
