# SPDX-License-Identifier: GPL-2.0
"""install_pam.py: everything short of downloading 620 MB."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import support  # noqa: F401  (makes scripts importable)
import install_pam
from pam_profiling.messages import ProfilingError, Steps
from pam_profiling.user import InvokingUser


class Install(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="test-install-")
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.venv = os.path.join(self.folder, "pam", "venv")
        self.installer = install_pam.Installer(
            self.venv, InvokingUser({}), Steps())

    def test_other_python_is_refused_in_one_sentence(self):
        with self.assertRaises(ProfilingError) as caught:
            install_pam.find_python("/bin/true")
        self.assertIn("/bin/true is not CPython 3.11", str(caught.exception))
        self.assertIn("--python EXE", str(caught.exception))

    def test_configuration_is_written_once_and_edits_stay(self):
        if sys.version_info[:2] != (3, 11):
            self.skipTest("the tests run on another Python than 3.11")
        subprocess.run([sys.executable, "-m", "venv", "--without-pip",
                        self.venv], check=True)
        install_pam.write_configuration(self.installer)
        folder = os.path.join(self.venv, "lib", "python3.11")
        with open(os.path.join(folder, "config.json"),
                  encoding="utf-8") as stream:
            self.assertEqual(json.load(stream), install_pam.CONFIG_JSON)
        path = os.path.join(folder, "proxies.yaml")
        with open(path, "w", encoding="utf-8") as stream:
            stream.write("enabled_petals: []\n")
        install_pam.write_configuration(self.installer)
        with open(path, encoding="utf-8") as stream:
            self.assertEqual(stream.read(), "enabled_petals: []\n")

    def test_proxies_yaml_names_a_class_and_needs_for_every_petal(self):
        try:
            import yaml
        except ImportError:
            self.skipTest("PyYAML is only in PAM's venv")
        settings = yaml.safe_load(install_pam.PROXIES_YAML)
        petals = set(settings["enabled_petals"] + settings["startup_petals"])
        self.assertEqual(set(settings["petals"]), petals)
        self.assertEqual(set(settings["petal_dependencies"]), petals)
        for needs in settings["petal_dependencies"].values():
            self.assertLessEqual(set(needs), set(settings["enabled_proxies"]))

    def test_a_folder_that_is_no_venv_of_3_11(self):
        os.makedirs(os.path.join(self.venv, "bin"))
        os.symlink("/bin/true", os.path.join(self.venv, "bin", "python"))
        with self.assertRaises(ProfilingError) as caught:
            install_pam.make_venv(self.installer, sys.executable)
        self.assertIn("delete it", str(caught.exception))

    def test_digest_follows_sources_and_not_build_products(self):
        source = os.path.join(self.folder, "source")
        os.makedirs(os.path.join(source, "build"))

        def write(name, text):
            with open(os.path.join(source, name), "w",
                      encoding="ascii") as stream:
                stream.write(text)

        write("a.c", "one")
        first = install_pam.source_digest(source)
        write("build/a.o", "x")
        write("a.so", "x")
        self.assertEqual(install_pam.source_digest(source), first)
        write("a.c", "two")
        self.assertNotEqual(install_pam.source_digest(source), first)

    def test_stamp_survives_garbage(self):
        path = os.path.join(self.folder, "stamp")
        self.assertEqual(install_pam.read_stamp(path), {})
        for text in ("", "[]", "{"):
            with open(path, "w", encoding="ascii") as stream:
                stream.write(text)
            self.assertEqual(install_pam.read_stamp(path), {})

    def test_device_file_names_the_organisation_once(self):
        path = os.path.join(self.folder, "perm", "thing-parameters.json")
        install_pam.write_device_file("org-sim", path)
        install_pam.write_device_file("other", path)
        with open(path, encoding="utf-8") as stream:
            thing = json.load(stream)["thing"]
        self.assertEqual(thing["lastReported"]["organizationId"], "org-sim")
        with self.assertRaises(ProfilingError) as caught:
            install_pam.write_device_file("org", path + "/x/y")
        self.assertIn("with sudo", str(caught.exception))
