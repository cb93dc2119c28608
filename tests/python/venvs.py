# SPDX-License-Identifier: GPL-2.0
"""Interpreters under test, and a virtual environment with pyframes in it for each."""

import glob
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SUPPORTED = [(3, minor) for minor in range(9, 14)]
SETTINGS = re.compile("^(PYFRAMES|PYTHON)")


def build_dir():
    return os.path.abspath(os.environ.get("O") or os.path.join(ROOT, "build"))


def clean_environment(**changes):
    """The environment without settings of Python's and ours that a caller may have."""
    environment = {key: value for key, value in os.environ.items() if not SETTINGS.match(key)}
    environment.update(PYTHONDONTWRITEBYTECODE="1", **changes)
    return environment


def version(python):
    """"3.11.2", or None when it is no Python that runs."""
    try:
        return subprocess.run(
            [python, "-c", "import platform; print(platform.python_version())"],
            env=clean_environment(), check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def interpreters(wanted=None):
    """Those asked for; else each supported one found on PATH and under pyenv, once per version."""
    if wanted:
        return wanted
    found = {}
    patterns = [os.path.join(folder, "python3.%d" % minor)
                for folder in ["/usr/bin", *os.environ.get("PATH", "").split(os.pathsep)]
                for _, minor in SUPPORTED]
    patterns += [os.path.expanduser("~/.pyenv/versions/3.%d.*/bin/python3" % minor)
                 for _, minor in SUPPORTED]
    for pattern in patterns:
        for path in sorted(glob.glob(pattern)):
            if "/shims/" not in path and os.access(path, os.X_OK):
                number = version(path)
                if number:
                    found.setdefault(number, path)
    return [found[number] for number in sorted(found, key=lambda v: [int(n) for n in
                                                                     re.findall(r"\d+", v)])]


def _sources():
    for folder, folders, files in os.walk(os.path.join(ROOT, "pyframes")):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in files:
            yield os.path.join(folder, name)


def make(python, purpose, flags="", extras=()):
    """Makes or renews build/python/<version>-<purpose>; returns its interpreter.

    flags: compiler and linker flags to build the extension with, e.g. -fsanitize=address.
    extras: packages that tests use where they can be had.
    """
    folder = os.path.join(build_dir(), "python", "%s-%s" % (version(python), purpose))
    inside = os.path.join(folder, "bin", "python")
    stamp = os.path.join(folder, "pyframes.stamp")
    if os.path.exists(stamp):
        with open(stamp) as file:
            same = file.read() == python + flags
        if same and all(os.path.getmtime(path) <= os.path.getmtime(stamp) for path in _sources()):
            return inside
    if os.path.exists(folder):
        shutil.rmtree(folder)
    environment = clean_environment()
    if flags:
        environment.update(CFLAGS=flags, LDFLAGS=flags)
    subprocess.run([python, "-m", "venv", folder], check=True, env=environment,
                   stdout=subprocess.DEVNULL)
    install(inside, environment)
    for package in extras:
        subprocess.run([inside, "-m", "pip", "install", "--quiet", "--only-binary", ":all:",
                        "--disable-pip-version-check", package], env=environment,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with open(stamp, "w") as file:
        file.write(python + flags)
    return inside


def install(python, environment):
    """pip install ./pyframes; without the network where setuptools is already there."""
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
               "--no-warn-script-location"]
    source = os.path.join(ROOT, "pyframes")
    isolated = subprocess.run([*command, source], env=environment, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
    if isolated.returncode == 0:
        return
    plain = subprocess.run([*command, "--no-build-isolation", source], env=environment,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if plain.returncode:
        sys.stderr.write(isolated.stdout + plain.stdout)
        raise SystemExit("pyframes does not build with %s" % python)
