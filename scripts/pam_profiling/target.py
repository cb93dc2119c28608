# SPDX-License-Identifier: GPL-2.0
"""The Python that runs PAM: what it is and what is installed in it.

Asked in one short call of that interpreter, since the one that runs this
script may be another.
"""

import json
import os
import subprocess

from .messages import ProfilingError, see

QUESTION = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                        "question.py")

ANSWERS = ("version", "implementation", "pyframes", "pyframes_version",
           "uvicorn", "paho", "pymavlink", "pam_version", "main", "petals",
           "config")


class Target:
    """Facts about the target interpreter.

    version         "3.11.2"
    pam_version     "0.2.7", or None when PAM is not installed
    petals          distribution name -> version
    pyframes        True when pyframes can be imported
    config          where PAM looks for config.json, or None
    missing         enabled petals whose module is not installed
    import_trouble  why importing PAM will fail, as Python says it, or None
    config_trouble  which file of PAM's configuration is no JSON or YAML, or None
    """

    def __init__(self, executable, answer):
        # Absolute, but a venv's symbolic link is kept: it is the venv.
        self.executable = os.path.abspath(executable)
        self.version = answer["version"]
        self.implementation = answer["implementation"]
        self.pyframes = answer["pyframes"]
        self.pyframes_version = answer["pyframes_version"]
        self.uvicorn = answer["uvicorn"]
        self.paho = answer["paho"]
        self.pymavlink = answer["pymavlink"]
        self.pam_version = answer["pam_version"]
        self.has_pam = answer["main"] is not None
        self.petals = answer["petals"]
        self.config = answer["config"]
        self.missing = answer.get("missing") or []
        self.import_trouble = answer.get("import_trouble")
        self.config_trouble = answer.get("config_trouble")
        names = answer.get("settings") or {}
        self.enabled_petals = list(dict.fromkeys(
            names.get("startup_petals", []) + names.get("enabled_petals", [])))
        self.enabled_proxies = names.get("enabled_proxies", [])

    @classmethod
    def unknown(cls, executable):
        """Facts about an interpreter that cannot be asked: none."""
        return cls(executable, dict.fromkeys(ANSWERS) | {
            "version": "?", "implementation": "?", "petals": {}})

    def is_supported(self):
        """PAM runs on CPython 3.11; pyframes 1 knows that version."""
        return (self.implementation == "CPython"
                and self.version.split(".")[:2] == ["3", "11"])


def ask_target(executable, user, environ):
    """Ask the interpreter about itself.

    Raises ProfilingError when it does not run or does not answer in 30 s.
    """
    with open(QUESTION, encoding="utf-8") as stream:
        question = stream.read()
    try:
        result = subprocess.run(
            [executable, "-c", question], stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=30, env=environ,
            check=False, **user.popen_options())
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ProfilingError(
            f"{executable} does not run ({error}): name the Python that runs "
            "PAM with --python EXE." + see("python")) from error
    try:
        return Target(executable, json.loads(result.stdout))
    except (ValueError, KeyError) as error:
        lines = result.stderr.strip().splitlines() or ["no output"]
        raise ProfilingError(
            f"{executable} did not say what is installed in it "
            f"({lines[-1][:100]}): name the Python that runs PAM with "
            "--python EXE." + see("python")) from error
