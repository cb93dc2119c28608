# SPDX-License-Identifier: GPL-2.0
"""What the tests of perfconv's command line share."""
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from suite import ROOT, perfconv_argument  # noqa: E402

FILES = ROOT / "tests" / "files"
LIMIT_S = 60
HEADER_BYTES = 104
ATTR_BYTES = 144
SAMPLE = 9
SAMPLE_TYPE = 0x1 | 0x2 | 0x4 | 0x100  # IP TID TIME PERIOD
NOBODY = 65534
PERFCONV = perfconv_argument()


def small_capture(samples=3, step_ns=1000000):
    """A capture of one cpu-clock event with some samples of 1 ms each, as bytes."""
    attr = struct.pack("<IIQQQQQ", 1, 128, 0, 1000000, SAMPLE_TYPE, 0, 1 << 18)
    attr = attr.ljust(ATTR_BYTES - 16, b"\0") + struct.pack("<QQ", HEADER_BYTES, 0)
    data = b"".join(struct.pack("<IHHQIIQQ", SAMPLE, 2, 40, 0x401000 + i, 7, 7,
                                step_ns * (i + 1), 1000000) for i in range(samples))
    data_at = HEADER_BYTES + len(attr)
    header = struct.pack("<8s8Q4Q", b"PERFILE2", HEADER_BYTES, ATTR_BYTES, HEADER_BYTES,
                         len(attr), data_at, len(data), 0, 0, 0, 0, 0, 0)
    return header + attr + data


class CommandLine(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="perfconv-cli-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def run_it(self, *args, **kwargs):
        """Run perfconv in the test's folder."""
        kwargs.setdefault("stdout", subprocess.PIPE)
        return subprocess.run([PERFCONV, *args], cwd=self.folder, stdin=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, timeout=LIMIT_S, check=False, **kwargs)

    def write(self, name, content):
        path = self.folder / name
        path.write_bytes(content)
        return path

    def entries(self):
        return sorted(entry.name for entry in self.folder.iterdir())

    def assert_one_sentence(self, done, status, *parts):
        """One line on stderr, nothing on stdout, this exit status."""
        said = done.stderr.decode()
        self.assertEqual(done.returncode, status, said)
        self.assertEqual(done.stdout, b"")
        self.assertEqual(said.count("\n"), 1, said)
        self.assertTrue(said.startswith("perfconv: "), said)
        self.assertTrue(said.endswith("\n"), said)
        for part in parts:
            self.assertIn(part, said)

    def refuse(self, path, *parts):
        """Converting it fails in one sentence that names it and leaves nothing behind."""
        before = self.entries()
        done = self.run_it("convert", "-i", path, "-o", "out.speedscope.json")
        self.assert_one_sentence(done, 1, str(path), *parts)
        self.assertEqual(self.entries(), before)
