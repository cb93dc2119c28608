#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Write the manual pages from what the programs' --help says.

    scripts/make-man.py PERFCONV FOLDER            write FOLDER/*.1
    scripts/make-man.py --check PERFCONV FOLDER    are they what --help says?

Options are described in one place, the program; docs/man/NAME.man holds what --help
has no room for (examples, files), in roff. --check renders each page with man and
compares options and their words with --help.
"""
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXTRA = ROOT / "docs" / "man"
LIMIT_S = 20
SECTION = "1"
OPTION = re.compile(r"^ {2,6}(-\S.*?)(?: {2,}(\S.*))?$")
HEADING = re.compile(r"^(options|optional arguments|positional arguments):$|^  ")
WIDTH = "78"


def ask(command):
    """What a program prints on stdout."""
    return subprocess.run(command, check=True, stdin=subprocess.DEVNULL, timeout=LIMIT_S,
                          stdout=subprocess.PIPE, text=True,
                          env={"PATH": "/usr/bin:/bin", "COLUMNS": "80"}).stdout


class Help:
    """--help, taken apart.

    usage    list of lines without "usage: "
    about    paragraphs
    options  (the option with its value, words), in order
    """

    def __init__(self, text):
        lines = text.splitlines()
        end = lines.index("")
        self.usage = [re.sub(r"^usage: ", "", lines[0])] + lines[1:end]
        self.about, self.options = [], []
        paragraph = []
        for line in lines[end + 1:] + [""]:
            option = OPTION.match(line)
            if option:
                self.options.append([option.group(1), option.group(2) or ""])
            elif self.options and line.startswith(" " * 8):
                self.options[-1][1] = f"{self.options[-1][1]} {line.strip()}".strip()
            elif line and not self.options and not HEADING.match(line):
                paragraph.append(line)
            elif paragraph:
                self.about.append(paragraph)
                paragraph = []

    def names(self):
        """Every spelling of every option."""
        return {word for left, _ in self.options
                for word in re.findall(r"(?<![\w-])--?[a-zA-Z][\w-]*", left)}


def programs(perfconv):
    """name -> (words of NAME, Help), of every page."""
    text = ask([perfconv, "--help"])
    found = {}
    for name, about in re.findall(r"^  (\S+) +(\S.*)$", text, re.MULTILINE):
        found[f"perfconv-{name}"] = (about, Help(ask([perfconv, name, "--help"])))
    commands = re.findall(r"^  (\S+) +(\S.*)$", text, re.MULTILINE)
    summary = Help("usage: perfconv COMMAND [OPTION]...\n       perfconv --help | --version\n\n")
    summary.options = [[name, about + "; see perfconv-" + name + "(1)"]
                       for name, about in commands]
    found["perfconv"] = ("make profiles of perf's captures", summary)
    convert = found["perfconv-convert"][1]
    speedscope = Help("usage: perf speedscope [OPTION]... [FILE]...\n\n")
    speedscope.about, speedscope.options = convert.about, convert.options
    found["perf-speedscope"] = ("write a perf capture as a speedscope profile", speedscope)
    found["perf-pyrecord"] = (
        "record a program with perf so that every thread's time is known",
        Help(ask([sys.executable, ROOT / "scripts/perf-pyrecord", "--help"])))
    return found


def roff(text):
    """Text as roff takes it."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    return "\\&" + text if text.startswith(".") else text


def option_line(left):
    """-i, --input FILE: the names bold, the values italic."""
    words = []
    for word in re.split(r"([ ,=]+)", left):
        if re.match(r"--?[a-zA-Z]|[a-z]+$", word):
            words.append(f"\\fB{roff(word)}\\fR")
        elif re.match(r"[A-Z\[{]", word):
            words.append(f"\\fI{roff(word)}\\fR")
        else:
            words.append(word)
    return "".join(words)


def page(name, about, described, version, others):
    """One page as text."""
    lines = [f'.TH {name.upper()} {SECTION} "" "perfconv {version}" "User Commands"',
             ".nh", ".ad l", ".SH NAME", f"{roff(name)} \\- {roff(about)}", ".SH SYNOPSIS", ".nf"]
    lines += [roff(line) for line in described.usage]
    lines += [".fi"]
    if described.about:
        lines.append(".SH DESCRIPTION")
    for number, paragraph in enumerate(described.about):
        lines += [".PP"] * (number > 0) + [roff(line.strip()) for line in paragraph]
    lines.append(".SH COMMANDS" if name == "perfconv" else ".SH OPTIONS")
    for left, words in described.options:
        lines += [".TP", option_line(left), roff(words)]
    extra = EXTRA / f"{name}.man"
    if extra.exists():
        lines.append(extra.read_text().rstrip("\n"))
    lines.append(".SH SEE ALSO")
    named = [other for other in others if other != name]
    lines += [f".BR {roff(other)} ({SECTION})" + "," * (other != named[-1]) for other in named]
    return "\n".join(lines) + "\n"


def write(perfconv, folder):
    folder.mkdir(parents=True, exist_ok=True)
    version = ask([perfconv, "--version"]).split()[1]
    found = programs(perfconv)
    for name, (about, described) in found.items():
        others = sorted(set(found) - {name}) if name == "perfconv" else \
            ["perfconv", "perf-pyrecord", "perf-record"]
        (folder / f"{name}.{SECTION}").write_text(page(name, about, described, version, others))


def rendered(path):
    """A page as plain text with single spaces."""
    done = subprocess.run(["man", "--local-file", "--warnings=w", path], check=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT_S,
                          env={"PATH": "/usr/bin:/bin", "MANWIDTH": WIDTH, "LC_ALL": "C.UTF-8",
                               "MAN_KEEP_FORMATTING": "", "MANPAGER": "cat", "PAGER": "cat",
                               "GROFF_NO_SGR": "1", "MANOPT": "--no-hyphenation --no-justification"})
    warned = done.stderr.decode(errors="replace")
    text = re.sub(".\b", "", done.stdout.decode())
    return re.sub(r"\s+", " ", text.replace("\u2010", "-").replace("\u2212", "-")), warned


def check_page(name, described, folder):
    """What is wrong with a page, as sentences."""
    path = folder / f"{name}.{SECTION}"
    if not path.exists():
        return [f"{path}: is missing: run make man"]
    extra = EXTRA / f"{name}.man"
    told = extra.read_text().replace("\\", "") if extra.exists() else ""
    told += " ".join([words for _, words in described.options] + sum(described.about, []))
    text, warned = rendered(path)
    problems = [f"{path}: {line}" for line in warned.splitlines()]
    for left, words in described.options:
        if f"{left} {words}" not in text:
            problems.append(f"{path}: does not say of {left}: {words}")
    if name != "perfconv":
        for unknown in set(re.findall(r"(?<=\s)--[a-z][\w-]*", text)) - described.names():
            if unknown not in told:
                problems.append(f"{path}: has an option {unknown} that --help has not")
    return problems


def main():
    check = sys.argv[1:2] == ["--check"]
    arguments = sys.argv[2:] if check else sys.argv[1:]
    if len(arguments) != 2:
        sys.exit(__doc__)
    perfconv, folder = Path(arguments[0]).resolve(), Path(arguments[1])
    begin = time.monotonic()
    if not check:
        write(perfconv, folder)
        return
    found = programs(perfconv)
    problems = [problem for name, (_, described) in found.items()
                for problem in check_page(name, described, folder)]
    stale = {path.stem for path in folder.glob(f"*.{SECTION}")} - set(found)
    problems += [f"{folder}/{name}.{SECTION}: there is no such command" for name in sorted(stale)]
    problems += [f"{path}: there is no such command" for path in EXTRA.glob("*.man")
                 if path.stem not in found]
    for problem in problems:
        print(problem)
    print(f"make-man: {len(found)} pages looked at in {time.monotonic() - begin:.1f} s")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
