# SPDX-License-Identifier: GPL-2.0
"""Tests in C, run once: the ELF writer, the stubs of both machines, the side file under TSan."""

import os
import shutil
import subprocess
import tempfile
import unittest

import venvs

SOURCES = os.path.join(venvs.ROOT, "pyframes", "src")
C = os.path.join(venvs.HERE, "c")
CROSS = "aarch64-linux-gnu-"
WARNINGS = ["-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Wshadow", "-Wconversion",
            "-Wstrict-prototypes", "-Wmissing-prototypes", "-Wvla", "-Werror"]


class Native(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="pyframes-ctest-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def run_tool(self, *command):
        process = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 text=True, env=dict(os.environ, LC_ALL="C"), timeout=120)
        self.assertEqual(process.returncode, 0, process.stdout)
        return process.stdout

    def compile(self, program, sources, *flags, compiler="gcc"):
        if not shutil.which(compiler):
            self.skipTest("%s is not installed" % compiler)
        target = os.path.join(self.directory, program)
        self.run_tool(compiler, *WARNINGS, "-O1", "-g", "-I", SOURCES, *flags, "-o", target,
                      os.path.join(C, program + ".c"),
                      *[os.path.join(SOURCES, name) for name in sources], "-ldl", "-lpthread")
        return target

    def write_arena(self, machine, slots=100):
        tool = self.compile("write_arena", ["elf_image.c", "stub.c"])
        path = os.path.join(self.directory, machine + ".so")
        self.run_tool(tool, machine, str(slots), path)
        return path


class Elf(Native):
    def test_readelf_finds_no_fault(self):
        for machine, name in (("x86_64", "X86-64"), ("aarch64", "AArch64")):
            path = self.write_arena(machine)
            text = self.run_tool("readelf", "--all", "--wide", path)
            self.assertNotRegex(text, "(?i)warning|error")
            self.assertIn(name, text)
            self.assertIn("Build ID: abcd00", text)
            self.assertRegex(text, r"FUNC +LOCAL +DEFAULT +7 py::Outer.method:/somewhere/file.py")

    def test_elflint_finds_no_fault(self):
        if not shutil.which("eu-elflint"):
            self.skipTest("eu-elflint is not installed")
        for machine in ("x86_64", "aarch64"):
            lint = subprocess.run(["eu-elflint", "--gnu-ld", self.write_arena(machine)],
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            self.assertEqual(lint.stdout, "No errors\n")

    def test_every_slot_has_its_own_fde(self):
        frames = self.run_tool("readelf", "--debug-dump=frames", self.write_arena("x86_64", 64))
        self.assertEqual(frames.count(" FDE "), 64)
        interpreted = self.run_tool("readelf", "--debug-dump=frames-interp",
                                    self.write_arena("x86_64", 2))
        rules = [" ".join(line.split()[1:]) for line in interpreted.splitlines()
                 if line.startswith("0000") and "terminator" not in line][-4:]
        self.assertEqual(rules, ["rsp+8 u c-8", "rsp+16 c-16 c-8", "rbp+16 c-16 c-8",
                                 "rsp+8 u c-8"])

    def test_aarch64_rules(self):
        interpreted = self.run_tool("readelf", "--debug-dump=frames-interp",
                                    self.write_arena("aarch64", 2))
        rules = [" ".join(line.split()[1:]) for line in interpreted.splitlines()
                 if line.startswith("0000") and "terminator" not in line][-3:]
        self.assertEqual(rules, ["sp+0 u u", "sp+16 c-16 c-8", "sp+0 u u"])

    def test_segments_suit_64_kib_pages(self):
        text = self.run_tool("readelf", "-lW", self.write_arena("aarch64"))
        loads = [line.split() for line in text.splitlines() if line.split()[:1] == ["LOAD"]]
        self.assertEqual(len(loads), 3)
        for load in loads:
            self.assertEqual((int(load[-1], 16), int(load[1], 16) % 65536), (65536, 0))

    def test_aarch64_code_is_what_an_assembler_makes(self):
        if not shutil.which(CROSS + "objdump"):
            self.skipTest("no aarch64 objdump")
        text = self.run_tool(CROSS + "objdump", "-d", "--no-show-raw-insn", "--no-addresses",
                             self.write_arena("aarch64", 2))
        self.assertIn("\n".join("\t" + line for line in (
            "stp\tx29, x30, [sp, #-16]!", "mov\tx29, sp", "mov\tx9, x3", "mov\tx3, x4",
            "blr\tx9", "ldp\tx29, x30, [sp], #16", "ret")), text)


class Stubs(Native):
    SOURCES = ["arena.c", "elf_image.c", "privdir.c", "stub.c"]

    def test_call_and_unwind(self):
        tool = self.compile("call_stub", self.SOURCES, "-fexceptions")
        self.assertIn("result 1230", self.run_tool(tool, self.directory, "loaded"))
        self.assertIn("result 1230", self.run_tool(tool, self.directory, "mapped"))

    def test_call_and_unwind_on_aarch64(self):
        if not shutil.which("qemu-aarch64"):
            self.skipTest("qemu-user is not installed")
        tool = self.compile("call_stub", self.SOURCES, "-fexceptions", compiler=CROSS + "gcc")
        for way in ("loaded", "mapped"):
            self.assertIn("result 1230", self.run_tool(
                "qemu-aarch64", "-L", "/usr/aarch64-linux-gnu", tool, self.directory, way))


class Races(Native):
    def test_side_file_is_read_while_it_is_written(self):
        tool = self.compile("side_race", ["crc32.c", "privdir.c", "sidefile.c"],
                            "-fsanitize=thread")
        self.assertIn("20000 records, all whole", self.run_tool(tool, self.directory))


class Hook(Native):
    """The hook calls the trampoline in tail position: a jump, and no call through a register."""

    FLAGS = ["-std=gnu11", "-D_GNU_SOURCE", "-O2", "-fvisibility=hidden", "-fPIC",
             "-fno-omit-frame-pointer", "-foptimize-sibling-calls"]

    def disassembly(self, prefix):
        from sysconfig import get_paths
        for tool in ("gcc", "objdump"):
            if not shutil.which(prefix + tool):
                self.skipTest("%s%s is not installed" % (prefix, tool))
        target = os.path.join(self.directory, "hook.o")
        build = subprocess.run([prefix + "gcc", *self.FLAGS, "-I", get_paths()["include"], "-c",
                                os.path.join(SOURCES, "hook.c"), "-o", target],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if build.returncode:
            self.skipTest("hook.c cannot be compiled with this interpreter's headers")
        text = self.run_tool(prefix + "objdump", "-d", "--no-show-raw-insn", "--no-addresses",
                             target)
        return text.partition("<hook__eval>:")[2].partition("\n\n")[0]

    def test_x86_64(self):
        text = self.disassembly("")
        self.assertRegex(text, r"\tjmp +\*%r")
        self.assertNotIn("\tcall", text)

    def test_aarch64(self):
        text = self.disassembly(CROSS)
        self.assertRegex(text, r"\tbr\tx")
        self.assertNotRegex(text, r"\tblr?\t")


class Warnings(Native):
    def test_sources_compile_without_a_warning(self):
        from sysconfig import get_paths
        headers = get_paths()["include"]
        if not os.path.exists(os.path.join(headers, "Python.h")):
            self.skipTest("no Python.h for this interpreter")
        names = sorted(name for name in os.listdir(SOURCES) if name.endswith(".c"))
        for compiler in ("gcc", "clang"):
            if not shutil.which(compiler):
                continue
            for name in names:
                self.run_tool(compiler, *WARNINGS, "-O2", "-fsyntax-only", "-isystem", headers,
                              os.path.join(SOURCES, name))


if __name__ == "__main__":
    unittest.main()
