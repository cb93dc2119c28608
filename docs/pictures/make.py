#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Make the pictures of docs/interpretation.md: the real speedscope, in headless Chromium.

    docs/pictures/make.py [--idle CAPTURE] [--vehicle CAPTURE] [NAME]...

The captures are PAM's, each the perf.data that profile_pam.py --keep leaves:

    --idle      --scenario idle-no-leaffc --with-services
    --vehicle   --scenario idle-with-leaffc --with-services

Pictures of a capture that is not given are left as they are. What PAM has no case
of is shown by programs of tests/report, which are recorded here. Each profile is
what lies around the worst instance of a finding, the view is the one that the guide
describes. `make check-browser` installs speedscope; pngquant and optipng make the
files small where they are there. Fonts with symbols (fonts-symbola) draw its icons.
"""
import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "browser")]
import suite  # noqa: E402
import venvs  # noqa: E402
from speedscope import Page, Server  # noqa: E402
from webdriver import Browser  # noqa: E402

RELEASE = suite.BUILD / "node" / "node_modules" / "speedscope" / "dist" / "release"
PROGRAMS = ROOT / "tests" / "report" / "programs.py"
MOST_BYTES = 150000
PAMS = "idle", "vehicle"
WIDTH, BROWSERS_OWN_ROWS = 1000, 143
COLOURS = 64
DUMP_BYTES = 32768

# name: source, rule, view, seconds before and behind the worst instance's begin (None: all of
# the capture), more options of convert, height
PICTURES = {
    "busy-wait": ("idle", "busy-wait", "Left Heavy", None, [], 290),
    "gil-convoy": ("idle", "gil-convoy", "Time Order", (0.02, 0.08), [], 400),
    "polling": ("vehicle", "polling", "Time Order", (0, 0.012), [], 440),
    "native": ("vehicle", "polling", "Left Heavy", None, ["--view", "cpu"], 480),
    "slow-start": ("slow-start", "slow-start", "Left Heavy", None,
                   ["--frames", "python", "--view", "cpu"], 320),
    "loop-blocked": ("loop-http", "loop-blocked", "Time Order", (0.01, 0.4),
                     ["--frames", "python"], 560),
    "lock-convoy": ("lock-convoy", "lock-convoy", "Time Order", (0.05, 0.2),
                    ["--frames", "python"], 260),
    "gc": ("gc-storm", "gc", "Left Heavy", None, ["--view", "cpu"], 480),
    "redundant-serialization": ("ping-pong", "redundant-serialization", "Left Heavy", None,
                                ["--view", "cpu"], 400),
}


def run(command, **options):
    done = suite.run(command, **options)
    if done.returncode:
        raise SystemExit(f"{command[0]}: {done.stderr}")
    return done.stdout


def record(name, folder):
    """The capture of a program of tests/report."""
    python, trouble = suite.python_with_pyframes(names_collector)
    if not python:
        raise SystemExit(trouble)
    side = folder / name
    side.mkdir()
    run([sys.executable, ROOT / "scripts" / "perf-pyrecord", "-o", side / "perf.data",
         "--dump-bytes", DUMP_BYTES, "--", python, PROGRAMS, name, "planted"],
        env=venvs.clean_environment(PYFRAMES_DIR=str(side)))
    return side / "perf.data"


def names_collector(python):
    """The collector's functions have names."""
    files = run([python, "-c", "import sys, sysconfig; get = sysconfig.get_config_var; print("
                 "sys._base_executable); print(f\"{get('LIBDIR')}/{get('INSTSONAME')}\")"])
    return any("gc_collect_main" in suite.run(["nm", file]).stdout for file in files.splitlines())


def find(capture, rule):
    """The first finding of a rule."""
    report = json.loads(run([suite.PERFCONV, "report", "--format", "json", capture]))
    for one in report["findings"]:
        if one["rule"] == rule:
            return one, report["durationNs"] / 1e9
    raise SystemExit(f"{capture}: has no finding of {rule}")


def profile_of(capture, finding, length_s, window, options, folder):
    """What lies around the worst instance, or the middle, as speedscope reads it."""
    path = folder / f"{finding['rule']}.speedscope.json"
    if window:
        at = finding["worst"]["beginNs"] / 1e9 if "worst" in finding else length_s / 2
        begin, end = max(at - window[0], 0), min(at + window[1], length_s)
        options = [*options, "--from", f"{begin:.6f}", "--to", f"{end:.6f}"]
    run([suite.PERFCONV, "convert", "-q", "-i", capture, "-o", path, *options])
    return path


def take(server, path, finding, view, height, picture):
    with Browser(WIDTH, height + BROWSERS_OWN_ROWS) as browser:
        page = Page(browser)
        page.show(server.url(path))
        page.select_thread(finding["profile"])
        page.select_view(view)
        browser.screenshot(picture)


def shrink(picture):
    if shutil.which("pngquant"):
        run(["pngquant", "--force", "--output", picture, COLOURS, picture])
    if shutil.which("optipng"):
        run(["optipng", "-quiet", "-o5", picture])
    size = picture.stat().st_size
    print(f"{picture.name}: {size} bytes")
    if size > MOST_BYTES:
        raise SystemExit(f"{picture}: more than {MOST_BYTES} bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for source in PAMS:
        parser.add_argument(f"--{source}", type=Path, metavar="CAPTURE")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these pictures")
    arguments = parser.parse_args()
    server = Server(RELEASE)
    with tempfile.TemporaryDirectory(prefix="perfconv-pictures-") as temporary:
        folder = Path(temporary)
        for name in arguments.names or PICTURES:
            source, rule, view, window, options, height = PICTURES[name]
            capture = vars(arguments).get(source)
            if source in PAMS and not capture:
                continue
            capture = capture or record(source, folder)
            finding, length_s = find(capture, rule)
            profile = profile_of(capture, finding, length_s, window, options, folder)
            take(server, profile, finding, view, height, HERE / f"{name}.png")
            shrink(HERE / f"{name}.png")
    server.stop()


if __name__ == "__main__":
    main()
