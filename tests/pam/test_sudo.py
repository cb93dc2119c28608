# SPDX-License-Identifier: GPL-2.0
"""profile_pam.py under the real sudo, called by a user who is not root.

The user is known in a mount namespace of the test's own, by copies of the four
files that say so; the machine's are not touched.
"""

import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile

import support
import test_profile

UID, NAME = 4321, "perfconv-flyer"
KNOWN = (("passwd", f"{NAME}:x:{UID}:{UID}::/nonexistent:/bin/sh"), ("group", f"{NAME}:x:{UID}:"),
         ("shadow", f"{NAME}:*:19000:0:99999:7:::"))
# $1: where the copies are; then the command.
ENTER = """
mount --make-rprivate / || exit 99
for name in passwd group shadow sudoers; do
    mount --bind "$0/$name" "/etc/$name" || exit 99
done
exec "$@"
"""


class Sudo(test_profile.Launching):
    def setUp(self):
        if os.geteuid() != 0:
            self.skipTest("needs root, to make a user for the test")
        self.need_program("sudo")
        super().setUp()
        self.folder = os.path.dirname(self.output)
        os.chmod(self.folder, 0o755)
        self.home = os.path.join(self.folder, "home")
        os.mkdir(self.home)
        os.chown(self.home, UID, UID)
        self.output = os.path.join(self.home, "deep", "profiles")
        self.python = self.readable_python()
        self.copies = os.path.join(self.folder, "etc")
        os.mkdir(self.copies)
        for name, line in KNOWN:
            shutil.copy2(f"/etc/{name}", self.copies)
            with open(os.path.join(self.copies, name), "a", encoding="ascii") as stream:
                stream.write(line + "\n")
        sudoers = os.path.join(self.copies, "sudoers")
        with open(sudoers, "w", encoding="ascii") as stream:
            stream.write("Defaults env_reset\nDefaults secure_path=/usr/sbin:/usr/bin:/sbin:/bin\n"
                         f"root ALL=(ALL) ALL\n{NAME} ALL=(ALL) NOPASSWD: ALL\n")
        os.chmod(sudoers, 0o440)
        if self.as_user("sudo", "-n", "true").returncode:
            self.skipTest("no mount namespace can be made here, or sudo does not work in it")

    def readable_python(self):
        """A Python 3.11 that the user may run, with nothing but the stand-in."""
        for path in (sys.executable, shutil.which("python3.11", path="/usr/bin:/usr/local/bin")):
            real = os.path.realpath(path) if path else ""
            if real.startswith(("/usr/", "/opt/")):
                return real
        return self.skipTest("there is no Python 3.11 that another user may run")

    def as_user(self, *command, **environ):
        environ = {"PATH": "/usr/bin:/bin", "HOME": self.home, "LANG": "C.UTF-8", **environ}
        return subprocess.run(
            ["unshare", "--mount", "sh", "-c", ENTER, self.copies,
             "setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups",
             "env", "-i", *(f"{key}={value}" for key, value in environ.items()), *command],
            cwd=self.home, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=90,
            check=False)

    def readable(self, source, name):
        """A copy that the user can read, wherever the repository lies."""
        target = shutil.copytree(source, os.path.join(self.folder, name))
        for folder, _, files in os.walk(target):
            os.chmod(folder, 0o755)
            for file in files:
                os.chmod(os.path.join(folder, file), 0o755)
        return target

    def profile(self, *arguments, **environ):
        site = os.path.join(self.readable(support.STAND_IN, "stand_in"), "site")
        main = os.path.join(site, "petal_app_manager", "main.py")
        with open(main, "a", encoding="ascii") as stream:
            stream.write("import json, os\njson.dump([os.getuid(), dict(os.environ)], "
                         "open('what-pam-sees.json', 'w'))\n")
        scripts = self.readable(support.SCRIPTS, "scripts")
        python = ("--python", self.python) if "VIRTUAL_ENV" not in environ else ()
        return self.as_user(
            "sudo", "-n", self.python, os.path.join(scripts, "profile_pam.py"),
            "--scenario", "unit-test", "--duration", "1", "--output", self.output,
            "--port", str(support.free_port()), *python, "--perfconv", self.perfconv,
            "--no-pyframes", *arguments, PYTHONPATH=site,
            PETAL_REDIS_PORT=str(self.start_redis()), PETAL_REDIS_HOST="127.0.0.1",
            PETAL_OWN="mine", **environ)

    def test_what_is_left_behind_is_the_user_s(self):
        result = self.profile()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertNotIn("run with sudo", result.stderr)
        paths = glob.glob(self.home + "/**", recursive=True)
        self.assertTrue(any(path.endswith(".speedscope.json") for path in paths), paths)
        self.assertTrue(any(path.endswith(".tar.zst") for path in paths), paths)
        others = [path for path in paths if os.lstat(path).st_uid != UID
                  or os.lstat(path).st_gid != UID]
        self.assertEqual(others, [])

    def test_pam_runs_as_the_user_in_the_user_s_environment(self):
        result = self.profile("--keep")
        self.assertEqual(result.returncode, 0, result.stderr)
        path, = glob.glob(self.output + "/*/pam/what-pam-sees.json")
        with open(path, encoding="ascii") as stream:
            uid, environ = json.load(stream)
        self.assertEqual(uid, UID)
        self.assertEqual(environ["USER"], NAME)
        self.assertEqual(environ["PETAL_OWN"], "mine")
        self.assertEqual(environ["PATH"], "/usr/bin:/bin")
        self.assertNotEqual(environ.get("MAIL"), "/var/mail/root")
        self.assertEqual([key for key in environ if key.startswith("SUDO_")], [])

    def test_the_user_s_virtual_environment_is_found(self):
        venv = os.path.join(self.folder, "venv")
        subprocess.run([self.python, "-m", "venv", "--without-pip", venv], check=True)
        result = self.profile("--keep", VIRTUAL_ENV=venv)
        self.assertEqual(result.returncode, 0, result.stderr)
        path, = glob.glob(self.output + "/*/pam.log")
        self.assertTrue(os.path.exists(path))
        with open(glob.glob(self.output + "/*/pam/what-pam-sees.json")[0],
                  encoding="ascii") as stream:
            self.assertEqual(json.load(stream)[1]["VIRTUAL_ENV"], venv)
