#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Install Petal App Manager (PAM) and its petals into a virtual environment.

Makes a CPython 3.11 venv, installs the versions below, writes the two
configuration files that PAM looks for, and adds pyframes from this repository
so that perf can see Python functions. Running it again changes nothing until
a version, a file of pyframes or the interpreter changes.

    python3 scripts/install_pam.py --venv build/pam/venv

Standard library only. Under sudo everything runs as the invoking user.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys

from pam_profiling.messages import ProfilingError, Steps, say
from pam_profiling.user import InvokingUser

REPOSITORY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PYTHON_VERSION = "3.11"

# Known to work together. leaf-pymavlink is named first and pinned closely: it
# and pymavlink install into the same folder (see ensure_leaf_dialect).
LEAF_PYMAVLINK = "leaf-pymavlink==0.1.16"
REQUIREMENTS = (
    "petal-app-manager==0.2.7",
    LEAF_PYMAVLINK,
    "petal-flight-log==0.2.7",
    "petal-warehouse==0.1.9",
    "petal-leafsdk==0.2.11",
    "petal-user-journey-coordinator==0.1.13",
    "petal-qgc-mission-server==0.1.4",
    # Not PAM's: the side-service stand-in of contrib/vehicle speaks MQTT.
    "paho-mqtt==2.1.0",
)

CONFIG_JSON = {
    "allowed_origins": ["*"],
    "logging": {
        "level_outputs": {
            "DEBUG": ["file"],
            "INFO": ["file"],
            "WARNING": ["terminal", "file"],
            "ERROR": ["terminal", "file"],
            "CRITICAL": ["terminal", "file"],
        },
    },
}

# Every petal and proxy that works without a cloud account.
PROXIES_YAML = """\
# Written by install_pam.py; delete this file to have it written anew.
enabled_petals:
- petal-warehouse
- petal-leafsdk
- petal-qgc-mission-server
startup_petals:
- petal-user-journey-coordinator
enabled_proxies:
- mqtt
- ext_mavlink
- redis
- ftp_mavlink
petals:
  petal-warehouse: petal_warehouse.plugin:PetalWarehouse
  petal-leafsdk: petal_leafsdk.plugin:MissionManager
  petal-user-journey-coordinator: >-
    petal_user_journey_coordinator.plugin:PetalUserJourneyCoordinator
  petal-qgc-mission-server: petal_qgc_mission_server.plugin:PetalQGCMissionServer
petal_dependencies:
  petal-warehouse: [redis, ext_mavlink]
  petal-leafsdk: [redis, ext_mavlink, mqtt]
  petal-user-journey-coordinator: [mqtt, ext_mavlink]
  petal-qgc-mission-server: [mqtt, ext_mavlink, redis]
proxy_dependencies:
  ftp_mavlink: [ext_mavlink]
"""

# Where PAM 0.2 looks for its organisation; no setting changes the place.
DEVICE_FILE = "/opt/droneleaf/certs/perm/thing-parameters.json"

LEAF_CHECK = (
    "from pymavlink.dialects.v20 import all as dialect, droneleaf_mav_msgs; "
    "dialect.MAVLINK_MSG_ID_LEAF_STATUS; "
    "droneleaf_mav_msgs.MAVLINK_MSG_ID_LEAF_STATUS"
)


def parse_arguments(argv):
    parser = argparse.ArgumentParser(
        description="Install PAM, its petals and pyframes into a venv.")
    parser.add_argument("--venv", default="build/pam/venv", metavar="DIR",
                        help="where the venv is made (default: %(default)s)")
    parser.add_argument("--python", metavar="EXE",
                        help="CPython 3.11 to make it with (default: "
                             "/usr/bin/python3.11, else python3.11 in PATH)")
    parser.add_argument("--pyframes", metavar="DIR",
                        default=os.path.join(REPOSITORY, "pyframes"),
                        help="pyframes' source folder (default: the one of "
                             "this repository)")
    parser.add_argument("--organization", metavar="ID",
                        help="also write the device file with this "
                             "organisation, without which PAM leaves MQTT "
                             "inactive; needs root, keeps a file that exists")
    return parser.parse_args(argv)


class Installer:
    """One run: knows the venv, the user to run as, and the log of pip."""

    def __init__(self, venv, user, steps):
        self.venv = os.path.abspath(venv)
        self.python = os.path.join(self.venv, "bin", "python")
        self.log = os.path.join(os.path.dirname(self.venv), "install.log")
        self.stamp = os.path.join(self.venv, ".install-pam.json")
        self.user = user
        self.steps = steps

    def run(self, command):
        """Run a command as the invoking user; returns (status, output)."""
        result = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace",
            env=self.user.environment(), cwd=os.path.dirname(self.venv),
            check=False, **self.user.popen_options())
        return result.returncode, result.stdout

    def pip(self, what, *arguments):
        """pip install, with the package it works on shown as progress.

        Raises ProfilingError with pip's last error line.
        """
        self.steps.begin(what)
        command = [self.python, "-m", "pip", "install", "--progress-bar",
                   "off", "--disable-pip-version-check", *arguments]
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace",
            env=self.user.environment(), cwd=os.path.dirname(self.venv),
            **self.user.popen_options())
        lines = []
        try:
            with open(self.log, "a", encoding="utf-8") as log:
                self.user.own(self.log)
                log.write("+ " + " ".join(command) + "\n")
                for line in process.stdout:
                    log.write(line)
                    lines.append(line.strip())
                    self.show_progress(line)
        except KeyboardInterrupt:
            process.terminate()
            raise
        finally:
            process.wait()
        if process.returncode != 0:
            raise ProfilingError(
                f"pip could not install {what} ({last_error(lines)}): check "
                f"the network and read {self.log}, then run this again.")
        self.steps.done()

    def show_progress(self, line):
        """Turn one line of pip's output into a word of progress."""
        match = re.match(r"Collecting ([\w.-]+)", line)
        if match:
            self.steps.note(match.group(1))
        elif line.startswith("Installing collected packages"):
            self.steps.note("unpacking")


def last_error(lines):
    """The last line in which pip says what went wrong, at most 120 chars."""
    errors = [line for line in lines if line.lower().startswith("error")]
    text = (errors or lines or ["no output"])[-1]
    return text[:120]


def find_python(wanted):
    """The CPython 3.11 to make the venv with.

    Raises ProfilingError when there is none, or it cannot make a venv.
    """
    candidates = [wanted] if wanted else ["/usr/bin/python3.11", "python3.11"]
    for candidate in candidates:
        path = shutil.which(candidate)
        if path and python_version(path) == PYTHON_VERSION:
            return path
    asked = f"{wanted} is not" if wanted else "There is no"
    raise ProfilingError(
        f"{asked} CPython {PYTHON_VERSION}, which PAM needs: install "
        "python3.11, python3.11-venv and python3.11-dev, or name one with "
        "--python EXE.")


def python_version(path):
    """'3.11' for the interpreter at `path`; '' when it does not run."""
    result = subprocess.run(
        [path, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return result.stdout.strip() if result.returncode == 0 else ""


def make_venv(installer, python):
    """Create the venv unless a usable one is there already."""
    if os.path.exists(installer.python):
        if (python_version(installer.python) != PYTHON_VERSION
                or installer.run([installer.python, "-c", "import pip"])[0]):
            raise ProfilingError(
                f"{installer.venv} is not a complete CPython "
                f"{PYTHON_VERSION} venv: delete it, or name another folder "
                "with --venv.")
        return
    installer.steps.begin("virtual environment")
    installer.user.make_directory(os.path.dirname(installer.venv))
    try:
        status, output = installer.run([python, "-m", "venv", installer.venv])
    except KeyboardInterrupt:
        shutil.rmtree(installer.venv, ignore_errors=True)
        raise
    if status != 0:
        shutil.rmtree(installer.venv, ignore_errors=True)
        if "ensurepip" in output:
            raise ProfilingError(
                f"{python} cannot make a venv because ensurepip is missing: "
                "install python3.11-venv.")
        raise ProfilingError(
            f"{python} -m venv {installer.venv} failed "
            f"({last_error(output.splitlines())}): check the folder's owner "
            "and free space.")
    installer.steps.done()


def ensure_leaf_dialect(installer):
    """Make leaf-pymavlink's files win over pymavlink's.

    Both distributions own the same `pymavlink` folder; whichever pip unpacked
    last is the one Python imports, and only leaf's has the LEAF_* messages.
    """
    if installer.run([installer.python, "-c", LEAF_CHECK])[0] == 0:
        return
    installer.pip("LEAF dialect (pymavlink had won)", "--force-reinstall",
                  "--no-deps", LEAF_PYMAVLINK)
    status, output = installer.run([installer.python, "-c", LEAF_CHECK])
    if status != 0:
        raise ProfilingError(
            f"pymavlink in {installer.venv} has no LEAF_* messages "
            f"({last_error(output.splitlines())}): delete the venv and run "
            "this again.")


def write_configuration(installer):
    """Write config.json and proxies.yaml three folders above PAM's main.py."""
    status, output = installer.run(
        [installer.python, "-c",
         "import sysconfig; print(sysconfig.get_path('purelib'))"])
    if status != 0:
        raise ProfilingError(
            f"{installer.python} does not run: delete {installer.venv} and "
            "run this again.")
    folder = os.path.dirname(output.strip())
    contents = {"config.json": json.dumps(CONFIG_JSON, indent=2) + "\n",
                "proxies.yaml": PROXIES_YAML}
    for name, text in contents.items():
        path = os.path.join(folder, name)
        if os.path.exists(path):
            continue
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(text)
        installer.user.own(path)


def write_device_file(organization, path=DEVICE_FILE):
    """Name the organisation of this device, unless it has one.

    Raises ProfilingError when the file cannot be written.
    """
    if os.path.exists(path):
        return
    content = {"thing": {"thingName": "simulated",
                         "lastReported": {"organizationId": organization}}}
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "x", encoding="utf-8") as stream:
            json.dump(content, stream)
    except OSError as error:
        raise ProfilingError(
            f"{path} cannot be written ({error.strerror}): run this with "
            "sudo, or leave out --organization.") from error


def source_digest(folder):
    """Digest of a source folder; build products and caches do not count."""
    digest = hashlib.sha256()
    for parent, directories, files in os.walk(folder):
        directories[:] = sorted(
            name for name in directories
            if name not in ("build", "dist", "__pycache__")
            and not name.endswith(".egg-info"))
        for name in sorted(files):
            if name.endswith((".so", ".o", ".pyc")):
                continue
            path = os.path.join(parent, name)
            digest.update(os.path.relpath(path, folder).encode() + b"\0")
            with open(path, "rb") as stream:
                digest.update(hashlib.sha256(stream.read()).digest())
    return digest.hexdigest()


def is_buildable(folder):
    """True when pip can install from `folder`."""
    return any(os.path.exists(os.path.join(folder, name))
               for name in ("pyproject.toml", "setup.py"))


def install_pyframes(installer, folder):
    """Build and install pyframes; it needs Python's headers and a compiler."""
    status, output = installer.run(
        [installer.python, "-c",
         "import sysconfig; print(sysconfig.get_path('include'))"])
    header = os.path.join(output.strip(), "Python.h")
    if status != 0 or not os.path.exists(header):
        raise ProfilingError(
            f"pyframes cannot be built because {header} is missing: install "
            "python3.11-dev.")
    installer.pip("pyframes", "--force-reinstall", "--no-deps", folder)


def read_stamp(path):
    """The recorded state of an earlier run, or {}."""
    try:
        with open(path, encoding="utf-8") as stream:
            stamp = json.load(stream)
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def write_stamp(installer, stamp):
    """Record what is installed; replaces the file in one step."""
    temporary = installer.stamp + ".new"
    with open(temporary, "w", encoding="utf-8") as stream:
        json.dump(stamp, stream, indent=2)
        stream.write("\n")
    installer.user.own(temporary)
    os.replace(temporary, installer.stamp)


def install(arguments, steps):
    """Bring the venv to the wanted state; returns True if it changed."""
    python = find_python(arguments.python)
    installer = Installer(arguments.venv, InvokingUser(), steps)
    make_venv(installer, python)
    stamp = read_stamp(installer.stamp)
    changed = False
    if stamp.get("requirements") != list(REQUIREMENTS):
        installer.pip("PAM and petals (620 MB, 1-3 minutes)", *REQUIREMENTS)
        ensure_leaf_dialect(installer)
        stamp["requirements"] = list(REQUIREMENTS)
        write_stamp(installer, stamp)
        changed = True
    write_configuration(installer)
    if arguments.organization:
        write_device_file(arguments.organization)
    if not is_buildable(arguments.pyframes):
        say(f"  pyframes is not in {arguments.pyframes}: PAM's Python "
            "functions stay invisible to perf.")
        return changed
    digest = source_digest(arguments.pyframes)
    if stamp.get("pyframes") != digest:
        install_pyframes(installer, os.path.abspath(arguments.pyframes))
        stamp["pyframes"] = digest
        write_stamp(installer, stamp)
        changed = True
    return changed


def main(argv=None):
    arguments = parse_arguments(argv)
    steps = Steps()
    try:
        changed = install(arguments, steps)
    except ProfilingError as error:
        steps.abandon()
        say(f"install_pam.py: {error}")
        return 1
    except OSError as error:
        steps.abandon()
        say(f"install_pam.py: {error.filename or arguments.venv}: "
            f"{error.strerror}; check its owner and the free space.")
        return 1
    except KeyboardInterrupt:
        steps.abandon()
        say("install_pam.py: stopped; run it again to go on.")
        return 130
    state = "installed" if changed else "up to date"
    say(f"  PAM is {state}: {arguments.venv}/bin/python")
    return 0


if __name__ == "__main__":
    sys.exit(main())
