# SPDX-License-Identifier: GPL-2.0
"""Debian's arm64 Python 3.11 below build/aarch64/root, run by qemu-aarch64.

Its packages are unpacked there; none is installed, and no privilege is needed.
"""

import os
import shlex
import shutil
import subprocess
import zipfile

import venvs

FOLDER = os.path.join(venvs.build_dir(), "aarch64")
ROOT = os.path.join(FOLDER, "root")
PYTHON = os.path.join(ROOT, "usr", "bin", "python3")  # a script that calls the emulator
EMULATOR = ["qemu-aarch64", "-L", ROOT, "-0", PYTHON, PYTHON + ".11"]
PACKAGES_FOLDER = os.path.join(ROOT, "usr", "lib", "python3", "dist-packages")
CROSS = "aarch64-linux-gnu-"
PROGRAMS = {"qemu-aarch64": "qemu-user", CROSS + "gcc": "gcc-aarch64-linux-gnu",
            "apt-get": "apt", "dpkg-deb": "dpkg", "python3.11": "python3.11-venv"}
PACKAGES = ["libbz2-1.0", "libc6", "libcrypt1", "libdb5.3", "libexpat1", "libffi8", "libgcc-s1",
            "liblzma5", "libncursesw6", "libpython3.11-dev", "libpython3.11-minimal",
            "libpython3.11-stdlib", "libreadline8", "libsqlite3-0", "libssl3", "libtinfo6",
            "libuuid1", "python3.11", "python3.11-minimal", "zlib1g"]


class SetUpError(Exception):
    """Why it cannot run here, one sentence."""


def call(command, **options):
    process = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                             errors="replace", **options)
    if process.returncode:
        raise SetUpError("%s: %s" % (" ".join(command[:3]), process.stdout.strip()[-800:]))
    return process.stdout


def apt(*arguments):
    """apt-get for arm64, with its own lists; the system's settings stay as they are."""
    state = os.path.join(FOLDER, "apt")
    for name in ("state/lists/partial", "cache/archives/partial", "debs"):
        os.makedirs(os.path.join(state, name), exist_ok=True)
    open(os.path.join(state, "status"), "a").close()
    options = {"APT::Architecture": "arm64", "APT::Architectures": "arm64",
               "APT::Sandbox::User": "", "Dir::State": state + "/state",
               "Dir::State::status": state + "/status", "Dir::Cache": state + "/cache"}
    return call(["apt-get", "-q", *["-o%s=%s" % item for item in options.items()], *arguments],
                cwd=os.path.join(state, "debs"))


def make_root():
    """Debian's arm64 Python and what it needs, unpacked; and the script that runs it."""
    stamp = os.path.join(ROOT, "complete")
    if os.path.exists(stamp):
        return
    shutil.rmtree(ROOT, ignore_errors=True)
    apt("update")
    apt("download", *PACKAGES)
    debs = os.path.join(FOLDER, "apt", "debs")
    for name in sorted(os.listdir(debs)):
        call(["dpkg-deb", "-x", os.path.join(debs, name), ROOT])
    with open(PYTHON, "w") as script:
        script.write("#!/bin/sh\nexec %s \"$@\"\n" % " ".join(map(shlex.quote, EMULATOR)))
    os.chmod(PYTHON, 0o755)
    open(stamp, "w").close()


def missing_programs():
    """The Debian packages of programs that are not here, for a sentence; "" if none."""
    return " ".join(sorted({package for name, package in PROGRAMS.items()
                            if not shutil.which(name)}))


def install(wheel):
    """Unpacks the wheel where Debian's site looks for packages."""
    shutil.rmtree(PACKAGES_FOLDER, ignore_errors=True)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(PACKAGES_FOLDER)
