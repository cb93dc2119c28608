# SPDX-License-Identifier: GPL-2.0
"""The side file: what it says about code, and that it can always be read."""

import base64
import json
import os
import signal
import struct
import sys
import time
import unittest

from pyframes import _lines, _reader
from support import Case, names, records

PROGRAM = """
    import json, sys
    class Outer:
        class Inner:
            def method(self):
                def local():
                    return sys._getframe()
                return local()
    def loop():
        for i in range(3):
            (lambda: i)()
    frame = Outer().Inner().method()
    loop()
    code = frame.f_code
    table = code.co_linetable if hasattr(code, "co_linetable") else code.co_lnotab
    print(json.dumps([code.co_code.hex(), table.hex(), code.co_firstlineno, code.co_filename]))
"""


class CodeRecords(Case):
    def test_code_is_as_python_says(self):
        result = self.run_python(PROGRAM)
        bytecode, table, first_line, filename = json.loads(result.stdout)
        side, = result.sides()
        found = [code for code in records(side, "code") if code["name"].endswith("local")]
        self.assertEqual(len(found), 1)
        self.assertEqual(found[0]["bytecode"].hex(), bytecode)
        self.assertEqual(found[0]["line_table"].hex(), table)
        self.assertEqual((found[0]["first_line"], found[0]["file"]), (first_line, filename))

    def test_qualified_names(self):
        side, = self.run_python(PROGRAM).sides()
        known = names(side)
        self.assertIn("Outer.Inner.method", known)
        self.assertIn("loop", known)
        if sys.version_info >= (3, 11):
            self.assertIn("Outer.Inner.method.<locals>.local", known)
            self.assertIn("loop.<locals>.<lambda>", known)

    def test_ids_slots_and_addresses_are_unique(self):
        side, = self.run_python(PROGRAM).sides()
        codes = records(side, "code")
        self.assertEqual([code["id"] for code in codes], list(range(1, len(codes) + 1)))
        slots = [(code["arena"], code["slot"]) for code in codes]
        self.assertEqual(len(set(slots)), len(slots))
        self.assertNotIn(0, [slot for _, slot in slots])

    def test_death_is_written_before_the_address_is_used_again(self):
        side, = self.run_python("""
            def make(number):
                scope = {}
                exec("def made_%d(): pass" % number, scope)
                scope["made_%d" % number]()
            for number in range(50):
                make(number)
        """).sides()
        alive = {}
        for record in side.records:
            if record.type == "code" and record.fields["code_addr"]:
                address = record.fields["code_addr"]
                self.assertNotIn(address, alive.values())
                alive[record.fields["id"]] = address
            elif record.type == "code_death":
                del alive[record.fields["id"]]
        self.assertGreaterEqual(len(records(side, "code_death")), 50)

    def test_snapshot_positions_give_lines(self):
        side, = self.run_python("""
            import pyframes
            def inner():
                pyframes.snapshot()
            def outer():
                inner()
            outer()
        """).sides()
        codes = {code["id"]: code for code in records(side, "code")}
        snapshot = [s for s in records(side, "snapshot") if s["reason"] == 3][0]
        stack, = snapshot["stacks"]
        shown = [(codes[frame["code"]]["name"],
                  _lines.line_at(side.header.python_hex, codes[frame["code"]], frame["position"]))
                 for frame in stack["frames"]]
        self.assertEqual(shown, [("snapshot", shown[0][1]), ("inner", 4), ("outer", 6),
                                 ("<module>", 7)])

    def test_periodic_snapshots_are_as_old_as_asked(self):
        side, = self.run_python("""
            import time
            def step(): pass
            end = time.process_time() + 0.5  # an emulator has used more by now
            while time.process_time() < end:
                step()
        """, PYFRAMES_SNAPSHOTS="0.05").sides()
        times = [r.time_ns for r in side.records
                 if r.type == "snapshot" and r.fields["reason"] == 4]
        self.assertGreaterEqual(len(times), 4)
        gaps = [later - earlier for earlier, later in zip(times, times[1:])]
        self.assertGreaterEqual(min(gaps), 49e6)

    def test_no_periodic_snapshots_when_switched_off(self):
        side, = self.run_python("""
            import time
            def step(): pass
            end = time.monotonic() + 0.2
            while time.monotonic() < end:
                step()
        """, PYFRAMES_SNAPSHOTS="0").sides()
        self.assertEqual([s["reason"] for s in records(side, "snapshot")], [1, 2])


class Header(Case):
    def test_process_facts(self):
        before = time.monotonic_ns()
        result = self.run_python("import os; print(os.getpid())")
        header = result.sides()[0].header
        self.assertEqual(header.pid, int(result.stdout))
        self.assertEqual(header.python_hex, sys.hexversion)
        self.assertTrue(before <= header.start_ns <= time.monotonic_ns())
        self.assertEqual(header.state, 2)
        self.assertGreater(header.runtime_bytes, 100)
        self.assertGreater(header.eval_addr, 0)

    def test_names_of_files_carry_the_token(self):
        result = self.run_python("pass")
        token = result.sides()[0].header.token.hex()
        self.assertEqual([os.path.basename(path) for path in result.paths("pyframes-*")],
                         ["pyframes-%s-0.so" % token, "pyframes-%s.side" % token])

    def test_warnings_reach_the_side_file(self):
        result = self.run_python("""
            for number in range(200):
                exec("def f(): pass\\nf()")
        """, check=False, PYFRAMES_SLOTS="2", PYFRAMES_SIDE_MIB="1")
        self.assertEqual(result.returncode, 0)
        self.assertEqual(result.stderr.count("\n"), 1)
        warning, = records(result.sides()[0], "warning")
        self.assertIn(warning["text"], result.stderr)


class Arenas(Case):
    def test_next_arena_when_the_first_is_full(self):
        side, = self.run_python("""
            for number in range(40):
                exec("def f%d(): pass\\nf%d()" % (number, number))
        """, PYFRAMES_SLOTS="32").sides()
        arenas = records(side, "arena")
        self.assertGreater(len(arenas), 1)
        self.assertEqual([arena["slots"] for arena in arenas],
                         [32 << number for number in range(len(arenas))])
        for arena in arenas:
            info = os.stat(arena["path"])
            self.assertEqual((info.st_dev, info.st_ino), (arena["device"], arena["inode"]))

    def test_code_without_a_trampoline_has_slot_zero(self):
        result = self.run_python("""
            for number in range(100):
                exec("def f%d(): pass\\nf%d()" % (number, number))
            print("done")
        """, check=False, PYFRAMES_SLOTS="2")
        self.assertEqual((result.returncode, result.stdout), (0, "done\n"))
        codes = records(result.sides()[0], "code")
        self.assertIn(0, [code["slot"] for code in codes])


class Damage(Case):
    def test_readable_after_kill(self):
        process = self.start_python("""
            def work(): pass
            for i in range(1000): work()
            print("ready", flush=True)
            while True: work()
        """)
        process.send_signal(signal.SIGKILL)
        process.wait()
        path, = [p for p in os.listdir(self.directory) if p.endswith(".side")]
        with open(os.path.join(self.directory, path), "rb") as file:
            side = _reader.read(file.read())
        self.assertIsNone(side.damage)
        self.assertEqual(side.header.state, 1)
        self.assertIn("work", names(side))

    def read_damaged(self, change):
        result = self.run_python("pass")
        with open(result.paths("*.side")[0], "rb") as file:
            data = bytearray(file.read())
        return _reader.read(bytes(change(data)))

    def test_damage_is_found_and_told(self):
        def flip(data):
            data[4096 + 40] ^= 1
            return data
        self.assertIn("checksum", self.read_damaged(flip).damage)

    def test_cut_file(self):
        side = self.read_damaged(lambda data: data[:5000])
        self.assertIn("cut at offset 5000", side.damage)

    def test_impossible_size(self):
        def grow(data):
            struct.pack_into("=I", data, 4096, 1 << 30)
            return data
        self.assertIn("impossible size", self.read_damaged(grow).damage)

    def test_foreign_file(self):
        with self.assertRaises(_reader.FormatError):
            _reader.read(b"\x7fELF" + bytes(8192))


class Show(Case):
    def test_json_has_everything(self):
        result = self.run_python(PROGRAM)
        path, = result.paths("*.side")
        shown = json.loads(self.command("show", path, "--json").stdout)
        side, = result.sides()
        self.assertEqual(len(shown["records"]), len(side.records))
        code = [r for r in shown["records"] if r["type"] == "code"][0]
        self.assertEqual(len(base64.b64decode(code["bytecode"])), code["bytecode_bytes"])

    def test_text(self):
        path, = self.run_python(PROGRAM).paths("*.side")
        text = self.command("show", path).stdout
        self.assertIn("Outer.Inner.method", text)
        self.assertIn("name=MainThread", text)

    def test_clean_spares_the_living(self):
        self.run_python("pass")
        dead = len(os.listdir(self.directory))
        process = self.start_python("print('ready', flush=True); input()")
        removed = self.command("clean", "--directory", self.directory).stdout.split()
        self.assertEqual(len(removed), dead - 1)  # program.py stays
        living = {name[:41] for name in os.listdir(self.directory) if name != "program.py"}
        self.assertEqual(len(living), 1)
        process.communicate("\n")
        self.assertEqual(process.returncode, 0)


if __name__ == "__main__":
    unittest.main()
