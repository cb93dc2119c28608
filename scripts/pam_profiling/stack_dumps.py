# SPDX-License-Identifier: GPL-2.0
"""Asks pyframes, inside the recorded processes, for every Python stack.

The stacks go to pyframes' side file. A thread that sleeps through the whole
capture is in no sample: the dumps at its start and end say where it sleeps.
"""

import os
import subprocess
import time

# A main thread that is busy in C answers late, and the recording has begun.
PATIENCE_S = 2.0


class StackDumps:
    """How to reach the agents that PYFRAMES_AGENT=1 starts.

    python     an interpreter that has pyframes, or None: ask() does nothing
    user       user.InvokingUser to run it as
    environ    its environment
    """

    def __init__(self, python, user, environ=None):
        self.python = python
        self.user = user
        self.environ = dict(os.environ if environ is None else environ,
                            PYFRAMES="0")

    def ask(self, pids):
        """Have the processes write their stacks; those without agent do not.

        Returns how many did.
        """
        if not self.python:
            return 0
        asking = [subprocess.Popen(
            [self.python, "-m", "pyframes", "dump", str(pid)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, env=self.environ,
            start_new_session=True, **self.user.popen_options())
            for pid in pids]
        deadline = time.monotonic() + PATIENCE_S
        return sum(answered(process, deadline) for process in asking)


def answered(process, deadline):
    """True when it ended well in time; ends it otherwise."""
    try:
        return process.wait(max(0.0, deadline - time.monotonic())) == 0
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False
