# SPDX-License-Identifier: GPL-2.0
"""Installed but not asked for: nothing happens. And what PYFRAMES may be."""

import os
import statistics
import subprocess
import sys
import time
import unittest
import zipfile

from support import EMULATOR, Case

LIST_MODULES = "import sys; print(sorted(sys.modules))"


class Dormant(Case):
    def pth(self):
        import pyframes
        return os.path.join(os.path.dirname(os.path.dirname(pyframes.__file__)),
                            "pyframes-autostart.pth")

    def modules(self, mode):
        return subprocess.run([sys.executable, "-c", LIST_MODULES], text=True,
                              env=self.environment(mode), stdout=subprocess.PIPE).stdout

    def test_nothing_is_imported(self):
        self.assertTrue(os.path.exists(self.pth()))
        dormant = self.modules(None)
        self.assertNotIn("pyframes", dormant)
        # 3.13's site imports encodings.utf_8_sig for any .pth file: one without effect
        # takes the place of ours.
        empty = self.pth() + ".empty.pth"
        os.rename(self.pth(), self.pth() + ".off")
        try:
            with open(empty, "w") as file:
                file.write("# nothing\n")
            self.assertEqual(self.modules(None), dormant)
        finally:
            os.unlink(empty)
            os.rename(self.pth() + ".off", self.pth())

    @unittest.skipIf(EMULATOR, "an emulator is slower")
    def test_the_line_costs_less_than_two_tenths_of_a_millisecond(self):
        with open(self.pth()) as file:
            line = file.read()
        os.environ.pop("PYFRAMES", None)
        times = []
        for _ in range(200):
            begin = time.perf_counter()
            exec(line)
            times.append(time.perf_counter() - begin)
        self.assertLess(statistics.median(times), 0.0002)

    def test_zero_is_off(self):
        result = self.run_python("import sys; print('pyframes._pyframes' in sys.modules)", mode="0")
        self.assertEqual(result.stdout, "False\n")
        self.assertEqual(result.paths("pyframes-*"), [])

    def test_unknown_mode_warns_once(self):
        result = self.run_python("print('on')", mode="maybe", check=False)
        self.assertEqual((result.returncode, result.stdout), (0, "on\n"))
        self.assertEqual(result.stderr.count("\n"), 1)

    def test_native_trampolines(self):
        result = self.run_python("import sys; print(sys.is_stack_trampoline_active())"
                                 if sys.version_info >= (3, 12) else "print(True)",
                                 mode="native", check=False)
        self.assertEqual((result.returncode, result.stdout), (0, "True\n"))
        self.assertEqual(result.paths("pyframes-*"), [])
        if sys.version_info < (3, 12):
            self.assertIn("before 3.12", result.stderr)

    def test_run_is_like_python(self):
        script = self.write("script.py", """
            import sys
            print(__name__, __file__, sys.argv, sys.path[0], sys.modules["__main__"].__file__)
            sys.exit(3)
        """)
        outputs = []
        for command in ([script, "a", "-b"], ["-m", "pyframes", "run", script, "a", "-b"]):
            process = subprocess.run([sys.executable, *command], text=True,
                                     env=self.environment(None), stdout=subprocess.PIPE)
            self.assertEqual(process.returncode, 3)
            outputs.append(process.stdout)
        self.assertEqual(outputs[0], outputs[1])

    def test_run_module(self):
        process = subprocess.run([sys.executable, "-m", "pyframes", "run", "-m", "json.tool"],
                                 input="[1]", text=True, env=self.environment(None),
                                 stdout=subprocess.PIPE)
        self.assertEqual(process.returncode, 0)
        self.assertEqual("".join(process.stdout.split()), "[1]")

    def test_run_archive(self):
        path = os.path.join(self.directory, "app.pyz")
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("__main__.py", "import sys; print(sys.argv)")
        self.assertEqual(self.command("run", path, "a").stdout, "%r\n" % [path, "a"])

    def test_other_pythons_are_refused_with_a_sentence(self):
        for change, words in (("version_info = (3, 15, 0)", "cpython "),
                              ("implementation.name = 'pypy'", "pypy ")):
            code = "import sys; sys.%s; import pyframes; print(pyframes.start())" % change
            process = subprocess.run([sys.executable, "-c", code], env=self.environment(None),
                                     text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.assertEqual((process.returncode, process.stdout), (0, "False\n"))
            self.assertIn("not profiling: CPython 3.9 to 3.13 is needed, this is " + words,
                          process.stderr)

    def test_run_names_what_is_missing(self):
        process = self.command("run", "missing.py", check=False)
        self.assertEqual(process.returncode, 1)
        self.assertIn("missing.py: No such file", process.stderr)


if __name__ == "__main__":
    unittest.main()
