# SPDX-License-Identifier: GPL-2.0
"""Shared by the tests on the real PAM: paths, profile_pam.py, why they cannot run here."""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "live"), str(TESTS.parent / "scripts")]
from suite import BUILD, PERFCONV, ROOT  # noqa: E402

PYTHON = BUILD / "pam" / "venv" / "bin" / "python"
SCRIPT = ROOT / "scripts" / "profile_pam.py"
PAM_PORT = 9000
INSTALL_LIMIT_S, PROFILE_LIMIT_S = 900, 300

from pam_profiling.permission import find_permission  # noqa: E402
from pam_profiling.preflight import find_program, free_port  # noqa: E402


def run(command, limit_s, **options):
    """Run a command to its end; stdout has its words, too."""
    return subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=limit_s, check=False, **options)


def profile(*arguments):
    """profile_pam.py on PAM's venv and a free port."""
    return run([sys.executable, SCRIPT, *arguments, "--python", PYTHON, "--port",
                free_port(PAM_PORT), "--perfconv", PERFCONV], PROFILE_LIMIT_S)


class Trouble:
    """Why PAM cannot be recorded here; found out once."""

    _known = False
    _words = None

    @classmethod
    def skip(cls):
        """Raises SkipTest with the reason, if there is one."""
        if not cls._known:
            cls._known, cls._words = True, cls._look()
        if cls._words:
            raise unittest.SkipTest(cls._words)

    @staticmethod
    def _look():
        for program in "redis-server", "mosquitto":
            if not find_program(program):
                return f"{program} is not installed"
        with tempfile.TemporaryDirectory() as folder:
            permission, problem = find_permission(folder)
        if problem:
            return problem
        if permission.settings.losses():
            return permission.settings.losses()[0]
        done = run([sys.executable, ROOT / "scripts" / "install_pam.py", "--venv",
                    PYTHON.parents[1]], INSTALL_LIMIT_S)
        return None if done.returncode == 0 else "PAM cannot be installed: " + done.stdout[-300:]
