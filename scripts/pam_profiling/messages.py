# SPDX-License-Identifier: GPL-2.0
"""Errors and progress as a person reads them: one sentence, on stderr."""

import os
import sys
import time


class ProfilingError(Exception):
    """A failure told in one sentence: what, where, remedy."""


class Stopped(Exception):
    """The user asked to stop before there was anything worth keeping."""


def see(topic):
    """The end of a sentence that has more to it: where to read on."""
    return f" See docs/troubleshooting.md#{topic}."


def say(text=""):
    """Print one line of words; stdout is left to data."""
    print(text, file=sys.stderr, flush=True)


class Steps:
    """Announces steps and how long each took.

    On a terminal the line of the running step is completed in place; in a
    log the step and its result are one line, written when it is done.
    """

    def __init__(self, stream=None):
        self.stream = stream or sys.stderr
        self.tty = self.stream.isatty()
        self.name = None
        self.started = 0.0

    def begin(self, name):
        """Start the step `name`; ends a step that is still open."""
        self.done()
        self.name = name
        self.started = time.monotonic()
        if self.tty:
            self._write(f"  {name} ...")

    def note(self, text):
        """Show what the running step is doing, on a terminal only."""
        if self.tty and self.name:
            line = f"  {self.name} ... {text}"
            self._write("\r\x1b[K" + line[:terminal_columns() - 1])

    def done(self, result="ok"):
        """End the running step with a result of a few words."""
        if self.name is None:
            return
        seconds = time.monotonic() - self.started
        start = "\r\x1b[K" if self.tty else ""
        self._write(f"{start}  {self.name:<42} {result}  {seconds:.1f} s\n")
        self.name = None

    def abandon(self):
        """Leave the running step's line before an error is printed."""
        if self.name is not None and self.tty:
            self._write("\n")
        self.name = None

    def _write(self, text):
        self.stream.write(text)
        self.stream.flush()


def terminal_columns():
    """Width of the terminal in columns; 80 where it is not known."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80
    except OSError:
        return 80
