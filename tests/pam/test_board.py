# SPDX-License-Identifier: GPL-2.0
"""What boards say about themselves, on files as they have them."""

import os
import tempfile
import unittest
import unittest.mock

import support  # noqa: F401  (makes scripts importable)
from pam_profiling import board


class Board(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="ascii") as stream:
            stream.write(text)
        return path

    def test_a_raspberry_pi_s_bits_in_words(self):
        self.assertEqual(board.throttled_words(0), "no")
        self.assertEqual(board.throttled_words(0x50005),
                         "under-voltage, throttled")
        self.assertEqual(board.throttled_words(0x80000),
                         "temperature limit earlier")

    def test_its_file(self):
        path = self.write("get_throttled", "50000\n")
        with unittest.mock.patch.object(board, "PI_THROTTLED", path):
            self.assertEqual(board.throttle_facts()["throttled"],
                             "under-voltage earlier, throttled earlier")

    def test_events_are_counted_from_the_first_look_on(self):
        paths = [self.write(f"hwmon{number}/oc1_event_cnt", text)
                 for number, text in ((0, "7\n"), (1, "2\n"))]
        pattern = os.path.join(self.folder, "hwmon*/oc*_event_cnt")
        with unittest.mock.patch.object(board, "COUNTERS", (pattern,)):
            before = board.throttle_facts()
            self.assertEqual(before["throttle_events"], "9")
            with open(paths[0], "w", encoding="ascii") as stream:
                stream.write("10\n")
            self.assertEqual(board.throttle_facts(before)["throttle_events"], "3")

    def test_a_machine_that_tells_nothing(self):
        with unittest.mock.patch.object(board, "COUNTERS", ()), \
                unittest.mock.patch.object(board, "PI_THROTTLED", "/nowhere"), \
                unittest.mock.patch.dict(os.environ, PATH="/nowhere"):
            self.assertEqual(board.throttle_facts(), {})
        self.assertTrue(all(board.board_facts().values()))

    def test_frequencies(self):
        self.assertEqual(board.mega("1500000"), "1500")
        self.assertIsNone(board.mega(None))
        self.assertIsNone(board.mega("<unsupported>"))
