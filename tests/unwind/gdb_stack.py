# SPDX-License-Identifier: GPL-2.0
"""Run by gdb: the addresses of the selected thread's frames, without those that are inlined
or that it infers of tail calls."""
import gdb  # pylint: disable=import-error

gdb.execute("set backtrace past-main on")
gdb.execute("set backtrace past-entry on")
frame = gdb.newest_frame()
while frame:
    if frame.type() not in (gdb.INLINE_FRAME, gdb.TAILCALL_FRAME):
        print(f"FRAME {frame.pc():x} {frame.name() or '?'}")
    frame = frame.older()
