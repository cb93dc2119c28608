# SPDX-License-Identifier: GPL-2.0
"""Progress while recording: a bar on a terminal, else a line every 10 s."""

import math
import sys
import threading
import time

from .messages import terminal_columns

BAR_COLUMNS = (8, 30)
LOG_INTERVAL_S = 10.0


class RecordingProgress:
    """Shows how far the recording is and what perf itself costs.

    duration_s   0: until it is stopped
    """

    def __init__(self, scenario, duration_s, stream=None):
        self.scenario = scenario
        self.duration_s = duration_s
        self.stream = stream or sys.stderr
        self.tty = self.stream.isatty()
        self._next_line_s = LOG_INTERVAL_S
        self._lock = threading.Lock()

    def update(self, elapsed_s, perf_cpu_s, written_bytes):
        """Show the state after `elapsed_s` seconds of recording.

        perf_cpu_s     CPU seconds perf has used since the recording began
        written_bytes  size of perf.data
        """
        if not self.tty and elapsed_s < self._next_line_s:
            return
        cost = recording_cost(elapsed_s, perf_cpu_s, written_bytes)
        if self.tty:
            self._write("\r\x1b[K" + self._bar(elapsed_s, cost))
        else:
            self._next_line_s += LOG_INTERVAL_S
            self._write(f"  recording {self.scenario}  "
                        f"{self._how_far(elapsed_s)}   {cost}\n")

    def _how_far(self, elapsed_s):
        if not self.duration_s:
            return f"{elapsed_s:.0f} s"
        return f"{elapsed_s:.0f} / {self.duration_s:g} s"

    def note(self, sentence):
        """Print a line of words above the bar; from any thread."""
        self._write(("\r\x1b[K" if self.tty else "") + f"  {sentence}\n")

    def finish(self, elapsed_s, recorder, stop):
        """Replace the bar by one line about the whole recording.

        Says so where events were lost, and what to do about it.
        """
        written_bytes, lost = recorder.bytes_written(), recorder.count_lost()
        cost = recording_cost(elapsed_s, recorder.cpu_used_s, written_bytes)
        start = "\r\x1b[K" if self.tty else ""
        early = ", stopped early" if stop.count else ""
        self._write(f"{start}  recorded {elapsed_s:.1f} s{early}, "
                    f"{written_bytes / 1e6:.1f} MB   {cost}, lost {lost}\n")
        if lost:
            self._write(
                f"  {lost} events found no room in perf's buffer, and what "
                "threads did then is unknown: record again with --buffer "
                f"{recorder.larger_buffer()}\n")

    def _bar(self, elapsed_s, cost):
        """A line with a bar as wide as the terminal has room for."""
        columns = terminal_columns() - 1
        words = f" {self._how_far(elapsed_s)}  {cost}  Ctrl+C stops and keeps"
        if not self.duration_s:
            return f" {words}"[:columns]
        least, most = BAR_COLUMNS
        size = max(least, min(most, columns - len(words) - 4))
        full = int(min(1.0, elapsed_s / self.duration_s) * size)
        return f"  [{'#' * full}{'.' * (size - full)}]{words}"[:columns]

    def _write(self, text):
        with self._lock:
            self.stream.write(text)
            self.stream.flush()


def recording_cost(elapsed_s, perf_cpu_s, written_bytes):
    """'perf 0.9 % CPU, 1.4 MB/s'; 100 % is one core."""
    seconds = max(elapsed_s, 0.1)
    return (f"perf {100 * perf_cpu_s / seconds:.1f} % CPU, "
            f"{written_bytes / 1e6 / seconds:.1f} MB/s")


def watch(recorder, progress, stop, target_problem):
    """Show progress until the time is over, a stop, an end, or a full disk.

    target_problem()   a sentence once what is recorded has ended, else None

    Returns (seconds recorded, what went wrong or "").
    """
    duration = progress.duration_s or math.inf
    begin = time.monotonic()
    elapsed, problem = 0.0, ""
    while not problem and elapsed < duration and not stop.wait(
            min(0.5, duration - elapsed)):
        elapsed = time.monotonic() - begin
        problem = target_problem() or ""
        if not problem and not recorder.is_running():
            problem = recorder.obituary()
        if not problem:
            problem = recorder.disk_problem()
        if not problem:
            recorder.note_usage()
            progress.update(elapsed, recorder.measure_cpu(),
                            recorder.bytes_written())
    return time.monotonic() - begin, problem
