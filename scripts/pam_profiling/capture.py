# SPDX-License-Identifier: GPL-2.0
"""What a run leaves behind: the capture's files, metadata, the converted file.

While a run goes on everything lies in one folder beside the output. At its
end perfconv packs what a conversion needs of it into one file, a bundle, and
the folder goes away, unless it is to be kept, or something failed and it holds
the only evidence.

    pam_<scenario>_<time>_perf/   ours: perf.data, logs of what we started
        pam/                      PAM's working directory, with its logs/
        pyframes/                 pyframes' side files, until PAM has ended

Under sudo the outer folder is root's until the end, so that PAM cannot put a
symbolic link where perf is about to write; then all of it is handed over.
"""

import os
import shutil
import stat
import subprocess
import time

from .messages import ProfilingError


class Capture:
    """Folder and file names of one run.

    folder     the run's folder
    data       perf.data
    pam        PAM's working directory
    pyframes   where pyframes writes (0700)
    output     the speedscope file that is made
    bundle     the capture with all that its conversion needs, in one file
    """

    def __init__(self, output_folder, scenario, user):
        stamp = time.strftime("%Y%m%d_%H%M%S")
        name = f"pam_{scenario}_{stamp}_perf"
        self.user = user
        self.folder = os.path.join(os.path.abspath(output_folder), name)
        self.data = os.path.join(self.folder, "perf.data")
        self.output = self.folder + ".speedscope.json"
        self.bundle = self.folder + ".tar.zst"
        self.pam = os.path.join(self.folder, "pam")
        self.pyframes = os.path.join(self.folder, "pyframes")

    def create(self):
        """Make the folders; others may pass through, not look.

        Raises ProfilingError when another run began in the same second.
        """
        self.user.make_directory(os.path.dirname(self.folder))
        try:
            os.mkdir(self.folder, 0o711 if self.user.switch else 0o700)
        except FileExistsError:
            raise ProfilingError(
                f"{self.folder} is taken by another run: start this one "
                "again.") from None
        for path in (self.pam, self.pyframes):
            os.mkdir(path, 0o700)
            self.user.own(path)

    def collect_side_files(self, folder):
        """Put pyframes' files next to perf.data; returns how many there were.

        Only regular files are taken: PAM could write anything there, and
        this may run as root.
        """
        count = 0
        for name in sorted(os.listdir(folder)):
            source = os.path.join(folder, name)
            target = os.path.join(self.folder, name)
            if (stat.S_ISREG(os.lstat(source).st_mode)
                    and not os.path.lexists(target)):
                os.rename(source, target)
                count += 1
        return count

    def remove(self):
        """Delete the folder and all that is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def hand_over(self):
        """Give the folder to the invoking user, for that user's eyes only."""
        if os.path.isdir(self.folder):
            os.chmod(self.folder, 0o700)
            self.user.own_tree(self.folder)


def describe_target(target):
    """Metadata about PAM and its Python."""
    petals = sorted(target.petals.items())
    facts = {
        "pam_version": target.pam_version or "source checkout",
        "petal_versions": ", ".join(f"{name} {version}"
                                    for name, version in petals),
        "enabled_petals": ", ".join(target.enabled_petals),
        "enabled_proxies": ", ".join(target.enabled_proxies),
        "python_version": target.version,
        "pyframes_version": target.pyframes_version,
    }
    return {key: value for key, value in facts.items() if value}


def find_perfconv(wanted, script_folder):
    """Path of perfconv: as named, $PERFCONV, PATH, ../build; or None."""
    wanted = wanted or os.environ.get("PERFCONV")
    if wanted:
        return shutil.which(wanted)
    beside = os.path.join(os.path.dirname(script_folder), "build", "perfconv")
    return shutil.which("perfconv") or shutil.which(beside)


def shorter_path(path):
    """The shorter of the absolute and the relative form of a path."""
    return min(path, os.path.relpath(path), key=len)


def convert_command(perfconv, capture, scenario, metadata):
    """The perfconv call that turns the capture into the speedscope file."""
    command = [perfconv, "convert",
               "-i", capture.data,
               "-o", shorter_path(capture.output), "--scenario", scenario,
               "--side-dir", capture.folder]
    for key, value in metadata.items():
        command += ["--meta", f"{key}={value}"]
    return command


def findings_of(perfconv, capture):
    """Lines of perfconv's short report of the profile; none if that fails."""
    done = subprocess.run([perfconv, "report", "--short", capture.output],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, encoding="utf-8",
                          errors="replace", check=False)
    return done.stdout.splitlines() if done.returncode == 0 else []


def bundle_command(perfconv, capture):
    """The perfconv call that packs the capture."""
    return [perfconv, "bundle", capture.data, "-q",
            "-o", shorter_path(capture.bundle), "--side-dir", capture.folder]


def run_perfconv(command, output, stop):
    """Run perfconv; what it says goes to our stderr as it is.

    Returns how it ended where it made no `output` or a further stop ended it,
    in words; else "".
    """
    asked = stop.count
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL,
                               start_new_session=True)
    try:
        while process.poll() is None and stop.count == asked:
            time.sleep(0.05)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    if process.returncode == 0 and os.path.exists(output):
        return ""
    return ("was stopped" if stop.count > asked
            else f"failed with status {process.returncode}")


def convert(command, capture, stop):
    """Make the speedscope file.

    Raises ProfilingError when perfconv fails or a further stop ends it.
    """
    how = run_perfconv(command, capture.output, stop)
    if how:
        folder = shorter_path(capture.folder)
        raise ProfilingError(
            f"perfconv {how}; the capture is kept, convert it with: perfconv "
            f"convert -i {folder}/perf.data -o FILE")
    capture.user.own(capture.output)


def make_bundle(command, capture, stop):
    """Pack the capture, for its owner's eyes only: stacks may hold secrets.

    Returns its size in bytes, or None where it could not be made.
    """
    if run_perfconv(command, capture.bundle, stop):
        return None
    os.chmod(capture.bundle, 0o600)
    capture.user.own(capture.bundle)
    return os.path.getsize(capture.bundle)
