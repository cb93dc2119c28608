# SPDX-License-Identifier: MIT
"""python -m pyframes: run a program under pyframes, or look at what was written."""

import argparse
import builtins
import importlib.machinery
import json
import os
import pkgutil
import runpy
import sys
import types

import pyframes
from pyframes import _agent


def _run(options):
    """Start pyframes and run the program in this process.

    Not by exec: perf 6.1 cannot unwind a process that loaded the same libraries
    twice at different addresses. Children inherit PYFRAMES and start it themselves.
    """
    if options.directory:
        os.environ["PYFRAMES_DIR"] = os.path.abspath(options.directory)
    os.environ["PYFRAMES"] = "native" if options.native_trampolines else "1"
    if options.native_trampolines:
        pyframes.start_native()
    else:
        pyframes.start()
    sys.argv = [options.program, *options.arguments]
    if options.module:
        sys.path[0] = os.getcwd()
        runpy.run_module(options.program, run_name="__main__", alter_sys=True)
    elif pkgutil.get_importer(options.program):  # a folder or an archive
        runpy.run_path(options.program, run_name="__main__")
    else:
        sys.path[0] = os.path.dirname(os.path.abspath(options.program))
        _run_script(options.program)
    return 0


def _run_script(path):
    """Run a file as the module __main__, which stays there until the process ends."""
    loader = importlib.machinery.SourceFileLoader("__main__", path)
    try:
        code = loader.source_to_code(loader.get_data(path), path)
    except OSError as error:
        sys.exit("pyframes: cannot run %s: %s" % (path, error.strerror))
    main_module = types.ModuleType("__main__")
    main_module.__file__ = path
    main_module.__loader__ = loader
    main_module.__builtins__ = builtins
    sys.modules["__main__"] = main_module
    exec(code, main_module.__dict__)


def _show(options):
    from pyframes import _reader, _show as show

    with open(options.file, "rb") as file:
        side = _reader.read(file.read())
    if options.json:
        json.dump(show.as_json(side), sys.stdout, indent=1)
        sys.stdout.write("\n")
    else:
        show.write_text(side, sys.stdout)
    return 1 if side.damage else 0


INJECT_RISK = """pyframes: gdb stops the process for up to some seconds and calls into it; where
a stopped thread holds the loader's or malloc's lock, the process hangs for ever."""


def _ask(options):
    from pyframes import _attach

    try:
        if getattr(options, "inject", False):
            sys.stderr.write(INJECT_RISK + "\n")
            print(_attach.inject(options.pid, options.operation == _agent.STOP))
            return 0
        answer = _attach.ask(options.pid, options.operation)
    except _attach.AttachError as error:
        sys.exit("pyframes: %s" % error)
    if options.operation == _agent.DUMP:
        _print_stacks(answer["stacks"], options.json)
    elif options.operation == _agent.START:
        print(answer["status"].get("side_file") or "not profiling; see the process's stderr")
    return 0 if answer["done"] else 1


def _print_stacks(stacks, as_json):
    from pyframes._show import clean

    if as_json:
        json.dump(stacks, sys.stdout, indent=1)
        sys.stdout.write("\n")
        return
    for stack in stacks:
        print("thread %s %s" % (stack["tid"] or "?", clean(stack["name"])))
        for frame in stack["frames"]:
            print("    %s (%s:%s)" % (clean(frame["name"]), clean(frame["file"]), frame["line"]))


def _status(options):
    from pyframes import _attach

    if options.pid is None:
        state = pyframes.status()
    else:
        try:
            answer = _attach.ask(options.pid, _agent.STATUS)
        except _attach.AttachError as error:
            sys.exit("pyframes: %s" % error)
        state = answer["status"]
    json.dump(state, sys.stdout, indent=1)
    sys.stdout.write("\n")
    return 0


def _clean(options):
    from pyframes import _cleanup

    for path in _cleanup.dead_files(options.directory):
        if not options.dry_run:
            os.unlink(path)
        print(path)
    return 0


def _parser():
    parser = argparse.ArgumentParser(prog="python -m pyframes", description=__doc__)
    parser.add_argument("--version", action="version", version=pyframes.__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")

    run = commands.add_parser("run", help="run a program with its Python calls named for perf")
    run.add_argument("-m", dest="module", action="store_true", help="the program is a module")
    run.add_argument("--native-trampolines", action="store_true",
                     help="use CPython's own perf support (3.12 and later) instead of pyframes'")
    run.add_argument("--directory", help="where the files go")
    run.add_argument("program")
    run.add_argument("arguments", nargs=argparse.REMAINDER)
    run.set_defaults(function=_run)

    for name, operation, words in (
            ("attach", _agent.START, "start pyframes in a process that has the agent"),
            ("detach", _agent.STOP, "stop it there"),
            ("dump", _agent.DUMP, "print the Python stacks of a process that has the agent")):
        ask = commands.add_parser(name, help=words)
        if operation == _agent.DUMP:
            ask.add_argument("--json", action="store_true")
        else:
            ask.add_argument("--inject", action="store_true",
                             help="without the agent, with gdb: risky, see the manual")
        ask.add_argument("pid", type=int)
        ask.set_defaults(function=_ask, operation=operation)

    status = commands.add_parser("status", help="print the state, here or of a process's agent")
    status.add_argument("pid", type=int, nargs="?")
    status.set_defaults(function=_status)

    clean = commands.add_parser("clean", help="delete the files of processes that have ended")
    clean.add_argument("--directory", help="where they are")
    clean.add_argument("--dry-run", action="store_true", help="only print them")
    clean.set_defaults(function=_clean)

    show = commands.add_parser("show", help="print a side file")
    show.add_argument("--json", action="store_true", help="all of it, as JSON")
    show.add_argument("file")
    show.set_defaults(function=_show)
    return parser


def main(arguments=None):
    """Run one command; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        return options.function(options)
    except BrokenPipeError:
        return 1


if __name__ == "__main__":
    sys.exit(main())
