# SPDX-License-Identifier: GPL-2.0
"""Progress while recording: a bar on a terminal, else a line every 10 s."""

import sys

from .messages import terminal_columns

BAR_COLUMNS = (8, 30)
LOG_INTERVAL_S = 10.0


class RecordingProgress:
    """Shows how far the recording is and what perf itself costs."""

    def __init__(self, scenario, duration_s, stream=None):
        self.scenario = scenario
        self.duration_s = duration_s
        self.stream = stream or sys.stderr
        self.tty = self.stream.isatty()
        self._next_line_s = LOG_INTERVAL_S

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
            self._write(f"  recording {self.scenario}  {elapsed_s:.0f} / "
                        f"{self.duration_s:g} s   {cost}\n")

    def finish(self, elapsed_s, perf_cpu_s, written_bytes, reason=""):
        """Replace the bar by one line about the whole recording."""
        cost = recording_cost(elapsed_s, perf_cpu_s, written_bytes)
        start = "\r\x1b[K" if self.tty else ""
        self._write(f"{start}  recorded {elapsed_s:.1f} s{reason}, "
                    f"{written_bytes / 1e6:.1f} MB   {cost}\n")

    def _bar(self, elapsed_s, cost):
        """A line with a bar as wide as the terminal has room for."""
        columns = terminal_columns() - 1
        words = (f" {elapsed_s:.0f} / {self.duration_s:g} s  {cost}  "
                 "Ctrl+C stops and keeps")
        least, most = BAR_COLUMNS
        size = max(least, min(most, columns - len(words) - 4))
        full = int(min(1.0, elapsed_s / self.duration_s) * size)
        return f"  [{'#' * full}{'.' * (size - full)}]{words}"[:columns]

    def _write(self, text):
        self.stream.write(text)
        self.stream.flush()


def recording_cost(elapsed_s, perf_cpu_s, written_bytes):
    """'perf 0.9 % CPU, 1.4 MB/s'; 100 % is one core."""
    seconds = max(elapsed_s, 0.1)
    return (f"perf {100 * perf_cpu_s / seconds:.1f} % CPU, "
            f"{written_bytes / 1e6 / seconds:.1f} MB/s")
