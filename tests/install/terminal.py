# SPDX-License-Identifier: GPL-2.0
"""A shell in a terminal, and somebody who types and looks."""
import os
import pty
import select
import subprocess
import time

LIMIT_S = 120


class Terminal:
    def __init__(self, command, **options):
        own, shell = pty.openpty()
        self.process = subprocess.Popen([str(part) for part in command], stdin=shell, stdout=shell,
                                        stderr=shell, start_new_session=True, **options)
        os.close(shell)
        self.terminal = own

    def type(self, text, wanted):
        """Types, and waits until @wanted is shown."""
        shown = ""
        os.write(self.terminal, text.encode())
        end = time.monotonic() + LIMIT_S
        while wanted not in shown:
            ready, _, _ = select.select([self.terminal], [], [], max(end - time.monotonic(), 0))
            if not ready:
                raise AssertionError(f"{text!r} does not lead to {wanted!r}: {shown!r}")
            shown += os.read(self.terminal, 4096).decode(errors="replace")

    def check_tab(self, set_up):
        """Commands, options and their words are completed; set_up ends in a prompt."""
        self.type(f"{set_up}; PS1='ready'\"$((1 + 1))> \"\n", "ready2> ")
        self.type("perfconv conv\t", "perfconv convert ")
        self.type("--fram\t", "--frames ")
        self.type("pyt\t", "python")
        self.type("\x15perf-speedscope --sce\t", "--scenario ")

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.terminal)
