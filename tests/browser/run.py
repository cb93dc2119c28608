#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Show profiles in the real speedscope, in headless Chromium, as a person would.

    tests/browser/run.py                 the profiles that cases.toml lists, a report's page,
                                         and perfconv view
    tests/browser/run.py --profile FILE [--thread NAME]... [--function THREAD NAME]

Each file must be valid by speedscope's own JSON schema (and, where it carries our
metadata, by docs/metadata.schema.json), open without an error, list the
threads, show all three views, and show the function by a search in each.

The environment's O is the build folder: O/node has the npm packages that `make
check-browser` installs, O/screenshots gets the pictures.
"""
import argparse
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

from png import colours
from speedscope import VIEWS, Page, Server
from webdriver import Browser, BrowserError

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "diff"))
import made  # noqa: E402
import page as report_page  # noqa: E402
import view as viewer_page  # noqa: E402
BUILD = Path(os.environ.get("O", ROOT / "build"))
NODE = BUILD / "node"
RELEASE = NODE / "node_modules/speedscope/dist/release"
METADATA_SCHEMA = ROOT / "docs/metadata.schema.json"
DIFF_SCHEMA = ROOT / "docs/diff.schema.json"
PERFCONV = Path(os.environ.get("PERFCONV", BUILD / "perfconv"))
SCREENSHOTS = BUILD / "screenshots"
CAPTURES = ROOT / "tests" / "files"
REPORTED = "tests/files/good-waits.data"
TOOL_BAR_ROWS = 60
# White, grey lines and text alone make fewer.
COLOURS_OF_A_VIEW = 4


class Failure(Exception):
    """What a test found wrong."""


class Report:
    def __init__(self):
        self.passed = 0
        self.failed = 0

    def test(self, name, function, *arguments):
        """Run one test; False if it failed."""
        try:
            function(*arguments)
        except (Failure, viewer_page.Failure, BrowserError) as wrong:
            self.failed += 1
            print(f"  FAILED  {name}: {wrong}", flush=True)
            return False
        self.passed += 1
        print(f"  ok      {name}", flush=True)
        return True


def expect(condition, message):
    if not condition:
        raise Failure(message)


def validate(path, schema, *mode):
    done = subprocess.run(["node", HERE / "validate.mjs", NODE, schema, path, *mode],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    expect(done.returncode == 0, done.stdout.strip())


def check_threads(page, wanted):
    names = page.thread_names()
    missing = [name for name in wanted if name not in names]
    expect(not missing, f"the list has no {', '.join(missing)}: it has {', '.join(names)}")


def check_view(page, view, picture):
    page.select_view(view)
    count = colours(page.browser.screenshot(picture), TOOL_BAR_ROWS)
    expect(count >= COLOURS_OF_A_VIEW, f"{picture} shows nothing: it has {count} colours")


def check_search(page, view, thread, name, picture):
    page.select_thread(thread)
    page.select_view(view)
    page.search(name)
    try:
        page.browser.wait(f"{name} in {view}", page.search_hits)
    finally:
        page.browser.screenshot(picture)
        page.end_search()


def check_sandwich_row(page, thread, name, picture):
    page.select_thread(thread)
    page.select_view("Sandwich")
    page.search(name)
    row = page.browser.wait(f"{name} in the table", lambda: page.sandwich_row(name))
    page.browser.click(row["x"], row["y"])
    page.browser.wait("its callers and callees",
                      lambda: {"Callers", "Callees"} <= set(page.text().split()))
    page.browser.screenshot(picture)
    page.end_search()


def check_network(browser, server):
    strange = [url for url in browser.requested_urls()
               if urlsplit(url).scheme in ("http", "https", "ws", "wss")
               and not url.startswith(server.root + "/")]
    expect(not strange, f"the page asked for {', '.join(strange)}")


def check_console(browser):
    errors = browser.errors()
    expect(not errors, "; ".join(errors))


def make_diff(path, form):
    """What perfconv diff says of two made-up profiles, as a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sides = [path.parent / "before.json", path.parent / "after.json"]
    sides[0].write_bytes(made.profile())
    sides[1].write_bytes(made.profile(["check"], 1.4, seed=2))
    done = subprocess.run([PERFCONV, "diff", "--format", form, "-o", path, *sides],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    expect(done.returncode == 0, done.stdout.strip())


def check_diff_schema(path):
    make_diff(path, "json")
    validate(path, DIFF_SCHEMA)


def run_case(report, browser, server, case):
    path = (BUILD if case.get("diff") else ROOT).joinpath(case["file"]).resolve()
    if case.get("diff"):
        report.test("perfconv diff writes it", make_diff, path, "speedscope")
        report.test("its JSON is valid by our schema", check_diff_schema,
                    path.with_suffix(".diff"))
    name = path.name.removesuffix(".json").removesuffix(".speedscope")
    print(f"{case['file']}")
    if not report.test("the file is there", expect, path.is_file(), "it is not: build it first"):
        return
    report.test("valid by speedscope's schema", validate, path,
                RELEASE / "file-format-schema.json")
    if "perfconv" in json.loads(path.read_text()):
        report.test("its metadata is valid by our schema", validate, path, METADATA_SCHEMA,
                    "--metadata")

    def picture(text):
        return SCREENSHOTS / f"{name}-{text.lower().replace(' ', '-')}.png"

    page = Page(browser)
    if not report.test("speedscope imports it", page.show, server.url(path)):
        return
    report.test("lists the threads", check_threads, page, case.get("threads", []))
    for view in VIEWS:
        report.test(f"shows {view}", check_view, page, view, picture(view))
    for thread, function in case.get("functions", []):
        for view in ("Time Order", "Left Heavy"):
            report.test(f"finds {function} of {thread} in {view}", check_search, page, view,
                        thread, function, picture(f"{view} search"))
        report.test(f"shows callers and callees of {function}", check_sandwich_row, page,
                    thread, function, picture("Sandwich function"))
    report.test("reports no error", check_console, browser)
    report.test("asks no other machine", check_network, browser, server)


def no_problem(check, *arguments):
    wrong = check(*arguments)
    expect(not wrong, "; ".join(wrong))


def run_report_page(report, browser, hostile):
    name = "hostile-report" if hostile else "report"
    print(f"page of {REPORTED}{', with markup for names' if hostile else ''}")
    try:
        profile, path = report_page.make_page(PERFCONV, ROOT / REPORTED, BUILD / "browser", hostile)
    except AssertionError as wrong:
        report.test("perfconv report writes it", expect, False, str(wrong))
        return
    page = report_page.ReportPage(browser, path)
    for width in report_page.WIDTHS:
        for scheme in report_page.SCHEMES:
            report.test(f"{width} pixels wide, {scheme}", no_problem, report_page.check_look, page,
                        width, scheme, SCREENSHOTS / f"{name}-{width}-{scheme}.png")
    report.test("shows its findings and threads", no_problem, report_page.check_content, page,
                profile, hostile)
    report.test("asks for nothing", no_problem, report_page.check_network, page)
    report.test("searches and zooms", no_problem, report_page.check_script, page)


def make_profiles(folder):
    """What the viewer shows: one with a report, one packed, one whose name is markup."""
    folder.mkdir(parents=True, exist_ok=True)
    profiles = [folder / "waits.speedscope.json", folder / "packed.speedscope.json.gz",
                folder / viewer_page.HOSTILE]
    for path, capture, options in ((profiles[0], "good-waits.data", []),
                                   (profiles[1], "good-python-threads.data", ["--gzip"]),
                                   (profiles[2], "good-c-threads.data", [])):
        done = subprocess.run([PERFCONV, "convert", "-q", "-i", CAPTURES / capture, "-o", path,
                               *options], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        expect(done.returncode == 0, done.stdout)
    return profiles


def run_viewer(report, browser):
    print("perfconv view")
    folder = BUILD / "browser/view"
    profiles = make_profiles(folder)
    report.test("refuses what it cannot show", viewer_page.check_refusals, PERFCONV, RELEASE,
                CAPTURES / "good-waits.data", folder)
    report.test("ends by a signal, and leaves nothing", viewer_page.check_end, PERFCONV, RELEASE,
                profiles[0], folder / "tmp")
    with viewer_page.Viewer(PERFCONV, RELEASE, profiles) as viewer:
        report.test("answers only who knows the address", viewer_page.check_answers, viewer)
        report.test("listens for this machine only", viewer_page.check_others_cannot_connect,
                    viewer)
        report.test("lets no foreign page read", viewer_page.check_foreign_page, viewer, browser)
        report.test("lists profiles with their metadata", viewer_page.check_list, viewer, browser,
                    profiles)
        for width in report_page.WIDTHS:
            for scheme in report_page.SCHEMES:
                report.test(f"its list {width} pixels wide, {scheme}", viewer_page.check_look,
                            viewer, browser, width, scheme,
                            SCREENSHOTS / f"view-list-{width}-{scheme}.png", profiles)
        if report.test("arrow keys and Enter open a profile", viewer_page.check_keyboard, viewer,
                       browser, profiles):
            report.test("shows threads and three views", viewer_page.check_speedscope, browser,
                        ["MainThread", "thread sleeper"])
        report.test("R opens the report", viewer_page.check_report, viewer, browser, profiles)
        browser.screenshot(SCREENSHOTS / "view-report.png")
        report.test("reports no error, asks no other machine", viewer_page.check_quiet, viewer,
                    browser)


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--profile")
    parser.add_argument("--thread", action="append", default=[])
    parser.add_argument("--function", action="append", default=[], nargs=2,
                        metavar=("THREAD", "NAME"))
    args = parser.parse_args()
    if args.profile:
        return [{"file": os.path.abspath(args.profile), "threads": args.thread,
                 "functions": args.function}]
    return tomllib.loads((HERE / "cases.toml").read_text())["profile"]


def main():
    cases = parse_arguments()
    if not RELEASE.is_dir():
        sys.exit(f"{RELEASE} is missing: make check-browser installs it")
    report = Report()
    server = Server(RELEASE)
    try:
        with Browser() as browser:
            for case in cases:
                run_case(report, browser, server, case)
        if len(cases) > 1:
            with Browser() as browser:
                for hostile in False, True:
                    run_report_page(report, browser, hostile)
                run_viewer(report, browser)
    except BrowserError as error:
        report.failed += 1
        print(f"  FAILED  the browser: {error}")
    server.stop()
    print(f"{report.passed} passed, {report.failed} failed, 0 skipped")
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
