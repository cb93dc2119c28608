# SPDX-License-Identifier: GPL-2.0
"""perfconv doctor: each of its statements against another reading of the same thing."""
import json
import mmap
import os
import pty
import re
import select
import shlex
import shutil
import struct
import subprocess
import sys
import time

from command_line import LIMIT_S, NOBODY, PERFCONV, ROOT, CommandLine

sys.path.insert(0, str(ROOT / "scripts"))
from pam_profiling import frame_pointers  # noqa: E402

SCHEMA = json.loads((ROOT / "docs/doctor.schema.json").read_text())
PYRECORD = ROOT / "scripts/perf-pyrecord"
COLUMNS = 80
# Refuses the system call perf_event_open with EACCES, as the kernel does at paranoid 3.
PERF_EVENT_OPEN = {"x86_64": 298, "aarch64": 241}.get(os.uname().machine)
WITHOUT_EVENTS = """
import ctypes, os, struct, sys
def op(code, true, false, value):
    return struct.pack("HBBI", code, true, false, value)
program = b"".join([op(0x20, 0, 0, 0), op(0x15, 0, 1, %d),
                    op(6, 0, 0, 0x00050000 | 13), op(6, 0, 0, 0x7fff0000)])
buffer = ctypes.create_string_buffer(program)
filter = struct.pack("HxxxxxxP", 4, ctypes.addressof(buffer))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, filter, 0, 0) == 0, ctypes.get_errno()
os.execv(sys.argv[1], sys.argv[1:])
""" % (PERF_EVENT_OPEN or 0)
# An executable that looks like a statically linked CPython 3.11.2rc1.
LOOKALIKE = ("#include <unistd.h>\nconst unsigned long Py_Version = 0x030b02c1;\n"
             "int _PyEval_EvalFrameDefault(void) { return 1; }\n"
             + "".join(f"__attribute__((noinline)) int f{i}(volatile int *x) "
                       f"{{ return {'f%d(x)' % (i - 1) if i else '*x'} + {i} + *x; }}\n"
                       for i in range(200))
             + "int main(void) { pause(); return 0; }\n")


def valid(value, schema=None):
    """What is wrong with a value by (this part of) JSON Schema, or None."""
    schema = SCHEMA if schema is None else schema
    kinds = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int}
    if "const" in schema and value != schema["const"]:
        return f"{value} is not {schema['const']}"
    if "enum" in schema and value not in schema["enum"]:
        return f"{value} is not one of {schema['enum']}"
    if "type" in schema and type(value) is not kinds[schema["type"]]:
        return f"{value} is no {schema['type']}"
    parts = []
    if isinstance(value, dict):
        known = schema.get("properties", {})
        parts = [(one, known.get(key)) for key, one in value.items()]
        missing = set(schema.get("required", ())) - set(value)
        if missing or any(part is None for _, part in parts):
            return f"missing: {missing}, or unknown among {list(value)}"
    elif isinstance(value, list):
        parts = [(one, schema["items"]) for one in value]
    return next(filter(None, (valid(one, part) for one, part in parts)), None)


class Doctor(CommandLine):
    def setUp(self):
        super().setUp()
        self.prefix = []

    def look(self, *options, status=0):
        """What --json says, valid by the schema; canProfile agrees with the status."""
        done = subprocess.run([*self.prefix, PERFCONV, "doctor", "--json", *options],
                              cwd="/", stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=LIMIT_S, check=False)
        self.assertEqual(done.returncode, status, (done.stderr, done.stdout))
        said = json.loads(done.stdout)
        self.assertIsNone(valid(said))
        self.assertEqual(said["canProfile"], status == 0)
        return said

    @staticmethod
    def states(said):
        return {one["area"]: one["state"] for one in said["findings"]}

    @staticmethod
    def words(said, area):
        return " | ".join(one["words"] for one in said["findings"] if one["area"] == area)

    def pyrecord(self, *options):
        done = subprocess.run([*self.prefix, PYRECORD, "--print", *options], cwd="/",
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=LIMIT_S, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return shlex.split(done.stdout)

    def need_perf(self):
        if not shutil.which("perf"):
            self.skipTest("perf is not installed")

    def be_nobody(self):
        if os.geteuid():
            self.skipTest("becoming another user needs root")
        prefix = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        for path in PERFCONV, PYRECORD:
            if subprocess.run([*prefix, "test", "-x", path], check=False).returncode:
                self.skipTest(f"{path} cannot be run by others")
        self.prefix = prefix

    def be_in_user_namespace(self):
        prefix = ["unshare", "--user", "--map-root-user"]
        if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode:
            self.skipTest("no user namespace can be made here")
        self.prefix = prefix

    def forbid_events(self):
        if not PERF_EVENT_OPEN:
            self.skipTest(f"the number of perf_event_open on {os.uname().machine}")
        self.prefix = [sys.executable, "-c", WITHOUT_EVENTS]

    def start(self, command, **options):
        """A program that runs until the test ends; it has said a line."""
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                 **options)
        self.addCleanup(child.wait, LIMIT_S)
        self.addCleanup(child.kill)
        self.addCleanup(child.stdout.close)
        self.addCleanup(child.stdin.close)
        ready, _, _ = select.select([child.stdout], [], [], LIMIT_S)
        self.assertTrue(ready and child.stdout.readline(), command)
        return child

    def start_python(self, program="", python=sys.executable, **options):
        return self.start([python, "-c", program + "\nimport sys; print('.', flush=True); "
                           "sys.stdin.read()"], **options)


class Machine(Doctor):
    """Without a target."""

    def agrees_with_pyrecord(self):
        self.need_perf()
        self.assertEqual(self.look()["command"], self.pyrecord())

    def test_the_command_is_pyrecords(self):
        self.agrees_with_pyrecord()

    def test_the_command_is_pyrecords_for_nobody(self):
        self.be_nobody()
        self.agrees_with_pyrecord()

    def test_the_command_is_pyrecords_in_a_user_namespace(self):
        self.be_in_user_namespace()
        self.agrees_with_pyrecord()

    def test_the_command_is_pyrecords_where_perf_has_capabilities(self):
        """CAP_PERFMON and CAP_IPC_LOCK, effective, as setcap writes them."""
        self.need_perf()
        self.be_nobody()
        own = self.look()["command"]
        self.folder.chmod(0o755)
        perf = self.folder / "perf"
        shutil.copy(shutil.which("perf"), perf)
        os.setxattr(perf, "security.capability", struct.pack(
            "<IIIII", 0x02000001, 1 << 14, 0, 1 << (38 - 32), 0))
        self.prefix += ["env", f"PATH={self.folder}:{os.environ['PATH']}"]
        if subprocess.run([*self.prefix, "perf", "--version"], capture_output=True,
                          check=False).returncode:
            self.skipTest("this file system knows no capabilities")
        command = self.look()["command"]
        self.assertEqual(command, self.pyrecord())
        self.assertNotEqual(command, own)

    def test_the_command_that_it_gives_records(self):
        self.need_perf()
        for become in (lambda: None, self.be_nobody):
            become()
            self.folder.chmod(0o777)
            data = self.folder / f"{len(self.prefix)}.data"
            done = subprocess.run([*self.prefix, *self.look()["command"], "-o", data, "--",
                                   "true"], capture_output=True, timeout=LIMIT_S, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertGreater(data.stat().st_size, 100)

    def test_versions(self):
        self.need_perf()
        said = self.look()
        self.assertEqual(said["kernel"], os.uname().release)
        self.assertEqual(said["machine"], os.uname().machine)
        perf = subprocess.run(["perf", "--version"], capture_output=True, text=True, check=True)
        self.assertEqual(said["perfVersion"], perf.stdout.split()[2])

    def check_rights(self):
        """Kernel names and tracefs, as this user's own reading finds them."""
        states = self.states(self.look())
        reading = ("import os; print(any(int(line.split()[0], 16) for line in "
                   "list(open('/proc/kallsyms'))[:1000]), any(os.access(folder + "
                   "'/events/sched/sched_switch/id', os.R_OK) for folder in "
                   "('/sys/kernel/tracing', '/sys/kernel/debug/tracing')))")
        shown, readable = subprocess.run(
            [*self.prefix, sys.executable, "-c", reading] if not self.prefix
            else [*self.prefix, "/usr/bin/python3", "-c", reading],
            capture_output=True, text=True, check=True).stdout.split()
        self.assertEqual(states["kernel names"] == "ok", shown == "True")
        if readable == "False":
            self.assertIn(states["tracepoint"], ("refused", "missing"))
        return states

    def test_rights(self):
        self.need_perf()
        self.check_rights()

    def test_rights_of_nobody(self):
        self.need_perf()
        self.be_nobody()
        with open("/proc/sys/kernel/perf_event_paranoid", encoding="ascii") as stream:
            paranoid = int(stream.read())
        states = self.check_rights()
        if paranoid == 2:
            self.assertEqual((states["clock"] != "refused", states["kernel frames"]),
                             (True, "refused"))

    def test_a_user_namespace_is_seen(self):
        self.need_perf()
        self.be_in_user_namespace()
        said = self.look()
        self.assertEqual(self.states(said)["container"], "note")
        self.assertIn("user namespace", self.words(said, "container"))
        self.prefix += ["--pid", "--fork", "--mount-proc"]
        self.assertIn("pid namespace", self.words(self.look(), "container"))

    def test_refused_events(self):
        self.forbid_events()
        said = self.look(status=1)
        self.assertEqual(self.states(said)["clock"], "refused")
        self.assertIn("no event at all", self.words(said, "clock"))
        self.assertNotIn("command", said)

    def test_paranoid_3(self):
        """What the file says is simulated where we may; the refusal is real."""
        self.forbid_events()
        level = self.write("level", b"3\n")
        self.folder.chmod(0o755)
        path = "/proc/sys/kernel/perf_event_paranoid"
        inner = shlex.join([*map(str, self.prefix), str(PERFCONV), "doctor"])
        done = subprocess.run(["unshare", "--mount", "sh", "-c",
                               f"mount --bind {level} {path} && {inner}"],
                              capture_output=True, text=True, timeout=LIMIT_S, check=False)
        if "unshare" in done.stderr or "mount" in done.stderr:
            self.skipTest("a mount namespace cannot be made here")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("perf_event_paranoid is 3", re.sub(r"\s+", " ", done.stdout))
        self.assertIn("no profile can be made here", re.sub(r"\s+", " ", done.stdout))

    def test_no_perf(self):
        done = self.run_it("doctor", "--json", env={"PATH": str(self.folder)})
        said = json.loads(done.stdout)
        self.assertEqual((done.returncode, said["canProfile"]), (1, False))
        perf = next(one for one in said["findings"] if one["area"] == "perf")
        self.assertEqual(perf["state"], "missing")
        self.assertIn("linux-perf", perf["remedy"])

    def test_a_perf_that_does_not_run(self):
        fake = self.write("perf", b"#!/bin/sh\necho 'WARNING: perf not found for kernel 6.5'\n")
        fake.chmod(0o755)
        done = self.run_it("doctor", env={"PATH": f"{self.folder}:/bin:/usr/bin"})
        self.assertEqual(done.returncode, 1)
        self.assertIn("perf not found for kernel 6.5",
                      re.sub(r"\s+", " ", done.stdout.decode()))


class Words(Doctor):
    def text(self, *options):
        return self.run_it("doctor", *options).stdout.decode()

    def test_80_columns(self):
        for line in self.text("--python", sys.executable).splitlines():
            if len(line) > COLUMNS:
                self.assertEqual(len(line.split()), 1, line)

    def test_every_refusal_has_a_remedy(self):
        for said in self.look("--python", sys.executable)["findings"]:
            if said["state"] in ("missing", "refused"):
                self.assertTrue(said["remedy"], said)

    def test_text_and_json_say_the_same(self):
        self.need_perf()
        text = re.sub(r"\s+", " ", self.text().replace(" \\\n", " "))
        said = self.look()
        for one in said["findings"]:
            self.assertIn(f"{one['area']} {one['state']} {one['words']}", text)
        self.assertIn(shlex.join(said["command"]), text)

    def on_a_terminal(self, **environment):
        main, other = pty.openpty()
        try:
            done = subprocess.run([PERFCONV, "doctor"], stdin=subprocess.DEVNULL, stdout=other,
                                  timeout=LIMIT_S, check=False,
                                  env={**os.environ, "TERM": "xterm", **environment})
            os.close(other)
            text = b""
            while True:
                try:
                    text += os.read(main, 65536)
                except OSError:
                    break
            return done.returncode, text
        finally:
            os.close(main)

    def test_colour_only_on_a_terminal(self):
        self.assertNotIn("\x1b", self.text())
        self.assertIn(b"\x1b[32mok ", self.on_a_terminal(NO_COLOR="")[1])
        self.assertNotIn(b"\x1b", self.on_a_terminal(NO_COLOR="1")[1])
        self.assertNotIn(b"\x1b", self.on_a_terminal(TERM="dumb")[1])

    def test_wrong_usage(self):
        for options in (["--pid", "x"], ["--pid", "0"], ["--pid", "4294967296"], ["perf.data"],
                        ["--pid", "1", "--python", "python3"]):
            done = self.run_it("doctor", *options)
            self.assert_one_sentence(done, 2)


class Targets(Doctor):
    def setUp(self):
        super().setUp()
        self.need_perf()

    def sections(self, path):
        with open(path, "rb") as stream:
            return b".debug_info" in subprocess.run(
                ["readelf", "-SW", path], capture_output=True, check=True, stdin=stream).stdout

    def test_a_process(self):
        child = self.start_python()
        said = self.look("--pid", str(child.pid))
        python = said["python"]
        path = frame_pointers.interpreter_file(child.pid)
        self.assertTrue(os.path.samefile(python["file"], path))
        self.assertEqual(python["version"], sys.version.split()[0])
        self.assertEqual(python["framePointers"], frame_pointers.kept(path))
        with open(path, "rb") as stream, mmap.mmap(stream.fileno(), 0, prot=mmap.PROT_READ) as i:
            share, functions = frame_pointers.count(i)
        if os.uname().machine == "x86_64":
            self.assertAlmostEqual(python["functionsKeeping"] / python["functionsLookedAt"],
                                   share, delta=0.05)
            self.assertLessEqual(abs(python["functionsLookedAt"] - functions), functions / 50)
        if shutil.which("readelf") and self.sections(path):
            self.assertEqual(python["debugInfo"], "inside")
        self.assertEqual(said["command"][-2:], ["-p", str(child.pid)])
        mode = ["--mode", said["mode"]]
        self.assertEqual(said["command"][:-2], self.pyrecord(*mode))

    def test_each_interpreter_here(self):
        found = [f"/usr/bin/python3.{minor}" for minor in range(9, 14)]
        found += [os.path.expanduser(f"~/.pyenv/versions/{name}/bin/python3") for name in
                  ("3.8.18", "3.9.18", "3.10.13", "3.11.7", "3.12.1", "3.13.0")]
        found = [path for path in found if os.access(path, os.X_OK)] or [sys.executable]
        for path in found:
            with self.subTest(path):
                version = subprocess.run(
                    [path, "-c", "import platform; print(platform.python_version())"],
                    capture_output=True, text=True, check=True).stdout.strip()
                asked = self.look("--python", path)["python"]
                child = self.start_python(python=path)
                seen = self.look("--pid", str(child.pid))["python"]
                for one in asked, seen:
                    self.assertEqual((one["implementation"], one["version"]),
                                     ("CPython", version))
                for key in "file", "framePointers", "functionsKeeping", "debugInfo":
                    self.assertEqual(asked[key], seen[key], key)

    def test_a_python_with_frame_pointers(self):
        if not shutil.which("gcc"):
            self.skipTest("gcc is not installed")
        for flag, mode in ("-fno-omit-frame-pointer", "fp"), ("-fomit-frame-pointer", "dwarf"):
            program = self.folder / "python3.11"
            source = self.write("lookalike.c", LOOKALIKE.encode())
            subprocess.run(["gcc", "-O1", flag, "-rdynamic", "-Wl,--build-id", "-o", program,
                            source], check=True)
            child = subprocess.Popen([program])
            try:
                deadline = time.monotonic() + LIMIT_S
                while os.readlink(f"/proc/{child.pid}/exe") != str(program):
                    self.assertLess(time.monotonic(), deadline)
                said = self.look("--pid", str(child.pid))
                self.assertEqual(said["python"]["version"], "3.11.2rc1")
                self.assertEqual((said["mode"], said["python"]["framePointers"]),
                                 (mode, frame_pointers.kept(str(program))))
                self.assertEqual(said["command"][:-2], self.pyrecord("--mode", mode))
            finally:
                child.kill()
                child.wait()

    def venv(self):
        """An environment that has something in the place of pyframes."""
        folder = self.folder / "venv"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        packages = next((folder / "lib").glob("python3*/site-packages"))
        (packages / "pyframes").mkdir()
        (packages / "pyframes/__init__.py").write_text('"""."""\n__version__ = "9.8.7"\n')
        return folder / "bin/python"

    def test_pyframes_that_is_installed(self):
        python = self.venv()
        said = self.look("--python", str(python))
        self.assertEqual((said["python"]["pyframes"], said["python"]["pyframesVersion"]),
                         ("installed", "9.8.7"))
        self.assertEqual(self.states(said)["pyframes"], "ok")
        child = self.start_python(python=python)
        said = self.look("--pid", str(child.pid))
        self.assertEqual((said["python"]["pyframes"], said["python"]["pyframesVersion"]),
                         ("installed", "9.8.7"))
        self.assertIn("PYFRAMES is not set", self.words(said, "pyframes"))
        self.assertEqual(self.look("--python", "/usr/bin/python3")["python"]["pyframes"],
                         "absent")

    def test_trampolines_that_are_mapped(self):
        for name, state in (("_pyframes.cpython-311-x86_64-linux-gnu.so", "loaded"),
                            (f"pyframes-{'0af' * 10}12-0.so", "active")):
            path = self.write(name, bytes(4096))
            child = self.start_python(f"import mmap; f = open({str(path)!r}, 'rb'); "
                                      "m = mmap.mmap(f.fileno(), 0, prot=1)")
            said = self.look("--pid", str(child.pid))
            self.assertEqual(said["python"]["pyframes"], state)

    def test_another_evaluator(self):
        path = self.write("pydevd_frame_evaluator.so", bytes(4096))
        child = self.start_python(f"import mmap; f = open({str(path)!r}, 'rb'); "
                                  "m = mmap.mmap(f.fileno(), 0, prot=1)")
        self.assertIn("debugger", self.words(self.look("--pid", str(child.pid)), "evaluator"))
        child = self.start_python(env={**os.environ, "PYTHONPERFSUPPORT": "1"})
        self.assertIn("-X perf", self.words(self.look("--pid", str(child.pid)), "evaluator"))

    def test_threads_with_small_stacks(self):
        child = self.start_python("import threading; threading.stack_size(512 << 10)\n"
                                  "for i in range(3): threading.Thread(target=threading.Event()"
                                  ".wait, daemon=True).start()")
        said = self.words(self.look("--pid", str(child.pid)), "stacks")
        self.assertIn(f"{len(os.listdir(f'/proc/{child.pid}/task'))} threads", said)
        if os.geteuid() == 0:
            size = int(re.search(r"has (\d+) KiB", said).group(1))
            self.assertLessEqual(abs(size - 512), 8)

    def test_a_tracer_is_named(self):
        child = self.start_python()
        tracer = self.start_python(
            "import ctypes; libc = ctypes.CDLL(None, use_errno=True)\n"
            "libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long] + [ctypes.c_void_p] * 2\n"
            f"assert libc.ptrace(0x4206, {child.pid}, None, None) == 0")
        said = self.words(self.look("--pid", str(child.pid)), "tracer")
        with open(f"/proc/{tracer.pid}/comm", encoding="ascii") as stream:
            self.assertIn(f"{stream.read().strip()} (pid {tracer.pid})", said)

    def test_a_program_that_is_no_python(self):
        child = self.start(["sh", "-c", "echo; read x"])
        said = self.look("--pid", str(child.pid))
        self.assertNotIn("python", said)
        self.assertIn("has no Python", self.words(said, "python"))

    def test_a_foreign_process_is_refused(self):
        child = self.start_python()
        self.be_nobody()
        said = self.look("--pid", str(child.pid), status=1)
        self.assertEqual(self.states(said)["process"], "refused")
        self.assertNotIn("command", said)

    def test_a_process_in_a_container(self):
        prefix = ["unshare", "--user", "--map-root-user", "--mount", "--pid", "--fork",
                  "--kill-child"]
        if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode:
            self.skipTest("no namespaces can be made here")
        child = self.start([*prefix, sys.executable, "-c",
                            "import sys; print('.', flush=True); sys.stdin.read()"])
        with open(f"/proc/{child.pid}/task/{child.pid}/children", encoding="ascii") as stream:
            inside = stream.read().split()[0]
        said = self.look("--pid", inside)
        self.assertIn("where it is pid 1", self.words(said, "its root"))
        self.assertEqual(said["python"]["version"], sys.version.split()[0])

    def test_a_name_cannot_steer_the_terminal(self):
        child = self.start_python("open('/proc/self/comm', 'w').write('a\\x1b[31m')\n")
        other = self.start(["sh", "-c", "printf 'b\\033[31m' >/proc/$$/comm; echo; read x"])
        for pid in child.pid, other.pid:
            self.assertNotIn(b"\x1b", self.run_it("doctor", "--pid", str(pid)).stdout)

    def test_what_is_no_python(self):
        for exe, part in (("/nonexistent", "cannot be run"), ("/bin/true", "does not answer"),
                          ("/bin/ls", "does not answer")):
            done = self.run_it("doctor", "--python", exe)
            self.assert_one_sentence(done, 1, exe, part, "--python EXE")

    def test_a_process_that_is_not_there(self):
        child = subprocess.Popen(["true"])
        child.wait()
        done = self.run_it("doctor", "--pid", str(child.pid))
        self.assert_one_sentence(done, 1, str(child.pid), "no process")

