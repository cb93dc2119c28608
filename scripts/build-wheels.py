#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Wheels of pyframes, for x86_64 and aarch64, on either of them.

    scripts/build-wheels.py [--arch ARCH]... [--output DIR] [PYTHON]...

Each PYTHON gives its version and its headers, for every ARCH: those of the other
architecture are the same for code that is compiled (tests/install compares them), so
a cross compiler (Debian: gcc-aarch64-linux-gnu) is all that is needed beside python3.11-dev.
setuptools and wheel are taken from PYTHON, or from the network into a virtual environment
below DIR.

The tag says what a wheel asks of the C library: manylinux_2_34 needs glibc 2.34, and pip
refuses to install it elsewhere (PEP 600).  The same sources and compiler give the same bytes.
"""
import argparse
import base64
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PYFRAMES = Path(__file__).resolve().parents[1] / "pyframes"
ARCHS = ("x86_64", "aarch64")
# Those of the C library that manylinux allows any wheel.
ALLOWED = re.compile(r"(lib(c|m|dl|pthread|rt)|ld-linux-(x86-64|aarch64))\.so\.\d+")
FLAGS_OF_OTHERS = ("CC", "LDSHARED", "CFLAGS", "CPPFLAGS", "LDFLAGS")
FIRST_ZIP_TIME = "315532800"  # 1980, which zip files begin with

# What a Python for the other architecture would say of itself.  Flags are ours: Python's own
# may be for its machine only, and debug information would hold folders' names.
SYSCONFIG = """
import importlib
native = importlib.import_module("{native}").build_time_vars
build_time_vars = {{name: value.replace("{machine}", "{arch}") if isinstance(value, str) else value
                   for name, value in native.items()}}
build_time_vars.update(CC="{compiler}", CFLAGS="-O2 -fwrapv -DNDEBUG -isystem {include}",
                       CCSHARED="-fPIC", LDSHARED="{compiler} -shared", OPT="")
"""
ABOUT = """
import platform, sys, sysconfig
print(platform.python_version(), sysconfig._get_sysconfigdata_name(),
      sysconfig.get_path("include"), sep="\\n")
"""
BUILD = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"


class BuildError(Exception):
    """Why there is no wheel, in one sentence."""


def run(command, **options):
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", check=False, **options)
    if done.returncode:
        raise BuildError(f"{command[0]} failed:\n{done.stdout.strip()[-2000:]}")
    return done.stdout


def environment(**changes):
    own = {name: value for name, value in os.environ.items()
           if not name.startswith(("PYTHON", "PYFRAMES")) and name not in FLAGS_OF_OTHERS}
    return {"SOURCE_DATE_EPOCH": FIRST_ZIP_TIME, **own, "PYTHONDONTWRITEBYTECODE": "1", **changes}


def has_setuptools(python):
    try:
        run([python, "-c", "import setuptools.build_meta, wheel"], env=environment())
    except (BuildError, OSError):
        return False
    return True


def with_setuptools(python, version, tools):
    """An interpreter of the same version that has what builds wheels."""
    inside = tools / version / "bin/python"
    for known in python, inside:
        if has_setuptools(known):
            return known
    # What is there may be half made, by a try without a network.
    run([python, "-m", "venv", "--clear", tools / version], env=environment())
    run([inside, "-m", "pip", "install", "--quiet", "setuptools>=61", "wheel"],
        env=environment())
    return inside


def compiler_for(arch):
    """Debian's cross compiler; on its own architecture the usual one."""
    names = [f"{arch.replace('_', '-')}-linux-gnu-gcc", f"{arch}-linux-gnu-gcc"]
    for name in (["gcc"] if arch == platform.machine() else names):
        if shutil.which(name):
            return name
    raise BuildError(f"no C compiler makes code for {arch}: apt-get install gcc-"
                     f"{arch.replace('_', '-')}-linux-gnu")


def give_headers(include, to, arch):
    """Debian's pyconfig.h includes that of the architecture: name ours so."""
    machine = platform.machine()
    own = Path(include).parent / f"{machine}-linux-gnu" / Path(include).name
    if not (Path(include) / "Python.h").exists():
        raise BuildError(f"{include}/Python.h is missing: apt-get install "
                         f"{Path(include).name}-dev")
    folder = to / f"{arch}-linux-gnu"
    folder.mkdir(parents=True)
    if own.is_dir():
        (folder / own.name).symlink_to(own)


def about(python):
    """Its version, where its build's settings are, and its headers."""
    try:
        lines = run([python, "-c", ABOUT], env=environment()).splitlines()
    except OSError as error:
        raise BuildError(f"{python}: {error.strerror}") from error
    if len(lines) != 3:
        raise BuildError(f"{python} is no Python: name a CPython 3.9 to 3.13")
    return lines


def build(python, arch, work, tools):
    """The wheel that setuptools makes, in folder @work."""
    version, native, include = about(python)
    give_headers(include, work / "include", arch)
    (work / "sysconfig").mkdir()
    (work / "sysconfig/_sysconfigdata_wheel.py").write_text(SYSCONFIG.format(
        native=native, machine=platform.machine(), arch=arch, compiler=compiler_for(arch),
        include=work / "include"))
    builder = with_setuptools(python, version, tools)
    run([builder, "-c", BUILD, work / "wheel"], cwd=PYFRAMES, env=environment(
        PYTHONPATH=str(work / "sysconfig"), _PYTHON_SYSCONFIGDATA_NAME="_sysconfigdata_wheel",
        _PYTHON_HOST_PLATFORM=f"linux-{arch}"))
    wheel, = (work / "wheel").glob("*.whl")
    return wheel


def platform_tag(wheel, arch, work):
    """manylinux_2_N: the newest symbol of the C library that the extension asks for."""
    with zipfile.ZipFile(wheel) as archive:
        name, = [name for name in archive.namelist() if name.endswith(".so")]
        text = run(["readelf", "-dVW", archive.extract(name, work)])
    libraries = re.findall(r"\(NEEDED\).*\[(.*)\]", text)
    strange = [library for library in libraries if not ALLOWED.fullmatch(library)]
    if strange:
        raise BuildError(f"{name} needs {', '.join(strange)}, which a board may not have")
    newest = max((tuple(int(part) for part in version.split("."))
                  for version in re.findall(r"Name: GLIBC_(2\.[\d.]+)", text)), default=None)
    if newest is None:
        raise BuildError(f"{name} asks for no symbol of glibc: build it with a compiler for glibc")
    return f"manylinux_{newest[0]}_{newest[1]}_{arch}"


def record_line(name, content):
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(content)}"


def write_tagged(wheel, tag, output):
    """A copy of @wheel in folder @output, for platform @tag; its path."""
    name, version, python, abi, _ = wheel.stem.split("-")
    target = output / f"{name}-{version}-{python}-{abi}-{tag}.whl"
    with zipfile.ZipFile(wheel) as old:
        files = {info: old.read(info) for info in old.infolist()}
    tags, = [info for info in files if info.filename.endswith(".dist-info/WHEEL")]
    record, = [info for info in files if info.filename.endswith(".dist-info/RECORD")]
    files[tags] = re.sub(rb"(?m)^Tag: .*$", f"Tag: {python}-{abi}-{tag}".encode(), files[tags])
    lines = [record_line(info.filename, content) for info, content in files.items()
             if info is not record]
    files[record] = "\n".join([*lines, f"{record.filename},,", ""]).encode()
    part = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as new:
            for info, content in files.items():
                new.writestr(info, content)
        return part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--arch", action="append", choices=ARCHS,
                        help="architecture to build for (default: both)")
    parser.add_argument("--output", type=Path, default=Path("build/wheels"), metavar="DIR",
                        help="where the wheels go (default: %(default)s)")
    parser.add_argument("python", nargs="*", default=["/usr/bin/python3.11"],
                        help="CPython 3.9 to 3.13 to build with and for (default: Debian's 3.11)")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    output = arguments.output.resolve()
    output.mkdir(parents=True, exist_ok=True)
    try:
        for python in arguments.python:
            for arch in arguments.arch or ARCHS:
                with tempfile.TemporaryDirectory(prefix="pyframes-wheel-") as folder:
                    work = Path(folder)
                    wheel = build(python, arch, work, output / ".tools")
                    print(write_tagged(wheel, platform_tag(wheel, arch, work), output))
    except (BuildError, OSError) as error:
        sys.exit(f"build-wheels.py: {error}")


if __name__ == "__main__":
    main()
