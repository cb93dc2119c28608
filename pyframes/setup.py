# SPDX-License-Identifier: MIT
"""Build of the extension module, and of the .pth file that wakes it up.

Everything that a build makes goes to a temporary folder, so that installing
from a checkout leaves no files in it.
"""

import atexit
import os
import shutil
import sys
import tempfile

from setuptools import Extension, setup
from setuptools.command.build_py import build_py

HERE = os.path.dirname(os.path.abspath(__file__))
PTH = "pyframes-autostart.pth"

if sys.implementation.name != "cpython" or not (3, 9) <= sys.version_info[:2] <= (3, 13):
    sys.exit("pyframes: needs CPython 3.9 to 3.13, this is %s %s"
             % (sys.implementation.name, sys.version.split()[0]))
if not sys.platform.startswith("linux"):
    sys.exit("pyframes: needs Linux")


class BuildPyWithPth(build_py):
    """Puts the .pth file beside the package, where site looks for it."""

    def run(self):
        super().run()
        os.makedirs(self.build_lib, exist_ok=True)
        self.copy_file(os.path.join(HERE, PTH), os.path.join(self.build_lib, PTH))

    def get_outputs(self, include_bytecode=True):
        return [*super().get_outputs(include_bytecode), os.path.join(self.build_lib, PTH)]


SOURCES = [
    "agent.c",
    "arena.c",
    "code.c",
    "cpython.c",
    "crc32.c",
    "elf_image.c",
    "hook.c",
    "module.c",
    "privdir.c",
    "procinfo.c",
    "session.c",
    "sidefile.c",
    "snapshot.c",
    "stackpages.c",
    "stub.c",
    "tasks.c",
    "threads.c",
]

build_dir = tempfile.mkdtemp(prefix="pyframes-build-")
atexit.register(shutil.rmtree, build_dir, ignore_errors=True)

setup(
    ext_modules=[
        Extension(
            "pyframes._pyframes",
            sources=["src/" + name for name in SOURCES],
            extra_compile_args=[
                "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-fvisibility=hidden", "-fno-omit-frame-pointer",
                "-foptimize-sibling-calls", "-Wall", "-Wextra", "-Wno-missing-field-initializers",
            ],
            extra_link_args=["-Wl,-z,relro,-z,now"],
            libraries=["dl", "pthread"],
        )
    ],
    cmdclass={"build_py": BuildPyWithPth},
    options={"build": {"build_base": build_dir}, "egg_info": {"egg_base": build_dir}},
)
