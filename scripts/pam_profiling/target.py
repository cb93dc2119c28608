# SPDX-License-Identifier: GPL-2.0
"""The Python that runs PAM: what it is and what is installed in it.

Asked in one short call of that interpreter, since the one that runs this
script may be another.
"""

import json
import os
import subprocess

from .messages import ProfilingError, see

# Runs inside the target interpreter; imports nothing of PAM's.
QUESTION = r"""
import importlib.metadata as metadata, importlib.util as util
import json, os, platform, sys

sys.path[:] = [entry for entry in sys.path if entry]

def version(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None

def present(name):
    try:
        spec = util.find_spec(name)
        return spec is not None and spec.origin is not None
    except (ImportError, ValueError):
        return False

answer = {
    "version": platform.python_version(),
    "implementation": platform.python_implementation(),
    "executable": sys.executable,
    "pyframes": present("pyframes"),
    "pyframes_version": version("pyframes"),
    "uvicorn": present("uvicorn"),
    "paho": present("paho.mqtt.client"),
    "pymavlink": present("pymavlink"),
    "pam_version": version("petal-app-manager"),
    "petals": {d.metadata["Name"]: d.version
               for d in metadata.distributions()
               if (d.metadata["Name"] or "").startswith("petal-")
               and d.metadata["Name"] != "petal-app-manager"},
    "main": None, "config": None, "proxies": None, "missing": [],
}
spec = util.find_spec("petal_app_manager")
if spec and spec.submodule_search_locations:
    folder = list(spec.submodule_search_locations)[0]
    root = os.path.dirname(os.path.dirname(folder))
    answer["main"] = os.path.join(folder, "main.py")
    answer["config"] = os.path.join(root, "config.json")
    answer["proxies"] = os.path.join(root, "proxies.yaml")
    if present("yaml") and os.path.exists(answer["proxies"]):
        import yaml
        with open(answer["proxies"]) as stream:
            answer["settings"] = yaml.safe_load(stream)
        modules = (answer["settings"] or {}).get("petals") or {}
        answer["missing"] = [
            f"{name} ({str(modules[name]).partition(':')[0].partition('.')[0]})"
            for key in ("startup_petals", "enabled_petals")
            for name in (answer["settings"] or {}).get(key) or []
            if name in modules and not present(
                str(modules[name]).partition(":")[0].partition(".")[0])]
print(json.dumps(answer))
"""


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
        settings = answer.get("settings")
        settings = settings if isinstance(settings, dict) else {}
        self.enabled_petals = _names(settings, "startup_petals")
        self.enabled_petals += [name for name
                                in _names(settings, "enabled_petals")
                                if name not in self.enabled_petals]
        self.enabled_proxies = _names(settings, "enabled_proxies")

    @classmethod
    def unknown(cls, executable):
        """Facts about an interpreter that cannot be asked: none."""
        return cls(executable, dict.fromkeys(ANSWERS) | {
            "version": "?", "implementation": "?", "petals": {}})

    def is_supported(self):
        """PAM runs on CPython 3.11; pyframes 1 knows that version."""
        return (self.implementation == "CPython"
                and self.version.split(".")[:2] == ["3", "11"])


def _names(settings, key):
    names = settings.get(key) or []
    return [str(name) for name in names] if isinstance(names, list) else []


def ask_target(executable, user, environ):
    """Ask the interpreter about itself.

    Raises ProfilingError when it does not run or does not answer in 30 s.
    """
    try:
        result = subprocess.run(
            [executable, "-c", QUESTION], stdin=subprocess.DEVNULL,
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
