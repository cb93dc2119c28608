# SPDX-License-Identifier: GPL-2.0
"""Programs and libraries that are not where they were recorded: --symfs, --debuginfod."""
import ctypes
import http.server
import json
import os
import re
import shutil
import struct
import subprocess
import threading

from command_line import ATTR_BYTES, FILES, HEADER_BYTES, PERFCONV, CommandLine, small_capture

GONE = b"/gone/perfconv"
BASE = 0x10000000


def mapped_capture(build_id, address):
    """A sample at `address` of a file that is gone; BASE is where its first byte was."""
    whole = small_capture(samples=1)
    attr = whole[HEADER_BYTES:HEADER_BYTES + ATTR_BYTES]
    path = GONE + bytes(8 - len(GONE) % 8)
    mmap = struct.pack("<IIQQQBBH20sII", 7, 7, BASE, 1 << 27, 0, 20, 0, 0, build_id, 5, 2) + path
    mmap += struct.pack("<IIQ", 7, 7, 1)
    data = struct.pack("<IHH", 10, 2 | 1 << 14, 8 + len(mmap)) + mmap
    data += struct.pack("<IHHQIIQQ", 9, 2, 40, BASE + address, 7, 7, 1000000, 1000000)
    header = struct.pack("<8s8Q4Q", b"PERFILE2", HEADER_BYTES, ATTR_BYTES, HEADER_BYTES,
                         len(attr), HEADER_BYTES + len(attr), len(data), 0, 0, 0, 0, 0, 0)
    return header + attr + data


def output_of(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.decode()


def ourselves():
    """perfconv's build-id, and where in the file its function main is."""
    notes = re.search(r"Build ID: ([0-9a-f]{40})", output_of("readelf", "-nW", PERFCONV))
    address, = re.findall(r"^([0-9a-f]+) T main$", output_of("nm", PERFCONV), re.M)
    address = int(address, 16)
    for offset, at, size in re.findall(r"LOAD +0x([0-9a-f]+) 0x([0-9a-f]+) 0x[0-9a-f]+ "
                                       r"0x([0-9a-f]+)", output_of("readelf", "-lW", PERFCONV)):
        if int(at, 16) <= address < int(at, 16) + int(size, 16):
            return (bytes.fromhex(notes.group(1)) if notes else None,
                    address - int(at, 16) + int(offset, 16))
    raise AssertionError("main is in no segment")


class Symfs(CommandLine):
    def convert(self, *options, cwd=None):
        done = subprocess.run([PERFCONV, "convert", "-q", "-i", FILES / "good-xperf-dwarf.data",
                               "-o", "-", *options], cwd=cwd or self.folder, check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_files_are_found_below_the_folder(self):
        expected = self.convert(cwd=FILES)  # their names are relative there
        self.assertNotEqual(self.convert(), expected)
        self.assertEqual(self.convert("--symfs", FILES), expected)

    def test_links_in_it_stay_in_it(self):
        root = self.folder / "root"
        shutil.copytree(FILES / "skeletons", root / "real")
        (root / "skeletons").symlink_to("/real")
        self.assertEqual(self.convert("--symfs", root), self.convert(cwd=FILES))
        (root / "skeletons").unlink()
        (root / "skeletons").symlink_to(FILES / "skeletons")
        self.assertEqual(self.convert("--symfs", root), self.convert())

    def test_nothing_else_is_looked_at(self):
        (self.folder / "empty").mkdir()
        self.assertEqual(self.convert("--symfs", self.folder / "empty", cwd=FILES),
                         self.convert())

    def test_a_folder_that_is_not_there(self):
        self.write("perf.data", small_capture())
        self.assert_one_sentence(self.run_it("convert", "--symfs", "none"), 2, "--symfs", "none")


class Server(http.server.BaseHTTPRequestHandler):
    """/buildid/ID/executable and /debuginfo from a table; all questions are kept."""

    def do_GET(self):  # pylint: disable=invalid-name
        self.server.asked.append(self.path)
        content = self.server.files.get(self.path)
        self.send_response(200 if content else 404)
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        pass


class Debuginfod(CommandLine):
    def setUp(self):
        super().setUp()
        try:
            ctypes.CDLL("libdebuginfod.so.1")
        except OSError:
            self.skipTest("there is no libdebuginfod.so.1")
        self.build_id, at = ourselves()
        if not self.build_id:
            self.skipTest("this perfconv was linked without a build-id")
        self.write("perf.data", mapped_capture(self.build_id, at))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
        self.server.asked, self.server.files = [], {}
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.environ = {key: value for key, value in os.environ.items() if "proxy" not in key}
        self.environ.update(DEBUGINFOD_URLS=self.url, HOME=str(self.folder),
                            DEBUGINFOD_CACHE_PATH=str(self.folder / "cache"))

    def names(self, *options, path="perf.data"):
        done = self.run_it("convert", "-q", "-i", path, "-o", "-", "--frames", "all", *options,
                           env=self.environ)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [frame["name"] for frame in json.loads(done.stdout)["shared"]["frames"]]

    def serve(self, content):
        for kind in "executable", "debuginfo":
            self.server.files[f"/buildid/{self.build_id.hex()}/{kind}"] = content

    def test_a_file_comes_from_a_server(self):
        self.serve(PERFCONV.read_bytes())
        self.assertEqual(self.names("--debuginfod"), ["main"])
        self.assertEqual(self.server.asked[0], f"/buildid/{self.build_id.hex()}/executable")

    def test_nobody_is_asked_without_the_option(self):
        self.serve(PERFCONV.read_bytes())
        self.assertNotIn("main", self.names())
        self.assertEqual(self.server.asked, [])

    def test_what_a_server_says_is_checked(self):
        other = PERFCONV.read_bytes().replace(self.build_id, bytes(20))
        for content in other, b"no ELF file", b"":
            self.serve(content)
            shutil.rmtree(self.folder / "cache", ignore_errors=True)
            self.assertNotIn("main", self.names("--debuginfod"))

    def test_a_bundle_holds_what_came(self):
        self.serve(PERFCONV.read_bytes())
        done = self.run_it("bundle", "-q", "perf.data", "--debuginfod", env=self.environ)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.server.asked.clear()
        shutil.rmtree(self.folder / "cache")
        self.assertEqual(self.names(path="perf.tar.zst"), ["main"])
        self.assertEqual(self.names("--debuginfod", path="perf.tar.zst"), ["main"])
        self.assertEqual(self.server.asked, [])

    def test_without_a_server_it_is_said(self):
        for urls in "", "  ":
            self.environ["DEBUGINFOD_URLS"] = urls
            done = self.run_it("convert", "-i", "perf.data", "-o", "out", "--debuginfod",
                               env=self.environ)
            self.assert_one_sentence(done, 1, "DEBUGINFOD_URLS")
