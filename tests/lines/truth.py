# SPDX-License-Identifier: GPL-2.0
"""What the lines of program.py must be, compared with what lines_truth printed."""
import bisect
import collections
import re
from pathlib import Path

PROGRAM = Path(__file__).resolve().parent / "program.py"
TEXT = PROGRAM.read_text(encoding="utf-8").split("\n")
START = next(i for i, line in enumerate(TEXT) if line.startswith("# --- what is measured"))
DEPTH = next(int(line.split("=")[1]) for line in TEXT if line.startswith("DEPTH"))
EDGE_NS = 20000  # the clock is read a little before and after
# Called by what is no call of its name: where that is written.
SPECIAL = {
    "Number.__init__": r"Number\(3\)", "Number.__add__": r"n \+ 1", "Number.__eq__": "n == 2",
    "Number.__getitem__": r"n\[5\]", "Number.__len__": r"len\(n\)", "Number.__contains__": "4 in n",
    "Number.__call__": r"n\(6\)", "Number.shown": r"n\.shown", "Number.__getattr__": r"n\.missing",
    "Number.__setitem__": r"n\[7\]", "Number.__str__": r"str\(n\)", "Number.__bool__": "if n:",
    "Number.__enter__": "with n:", "Number.__exit__": "with n:", "Number.method": r"n\.method\(",
    "Odd.__init__": "raise Odd$", "Async.__aenter__": "with Async", "Async.__aexit__": "with Async",
    "classes.<locals>.Body": "class Body", "classes.<locals>.Body.method": r"Body\(\)\.method",
    "ticks": "async for", "Local.__del__": "a local dies", "Temporary.__del__": "Temporary\\(\\),",
    "Raised.__del__": "what was raised dies",
}
AMBIGUOUS = {"main", "run", "again", "walk"}  # called from several places


def numbered():
    return ((number, line) for number, line in enumerate(TEXT, 1) if number > START)


def lines_with(pattern):
    return {number for number, line in numbered() if re.search(pattern, line)}


def references():
    """The lines on which each name stands, but for where it is defined."""
    found = collections.defaultdict(set)
    for number, line in numbered():
        line = re.sub(r"(def|class)\s+\w+", "", line).split("  #")[0]
        for name in re.findall(r"[A-Za-z_]\w*", line):
            found[name].add(number)
    return found


CALLERS = {name: lines_with(pattern) for name, pattern in SPECIAL.items()}
CALLERS.update({name: lines for name, lines in references().items()
                if len(lines) == 1 and name not in AMBIGUOUS})
# 3.9 leaves a with statement on the last line of its body.
EXITS_3_9 = {name: {line + 1 for line in CALLERS[name]}
             for name in ("Number.__exit__", "Async.__aexit__")}
WALK = [lines_with(f"# walk {i}") for i in range(4)]
TIMED = {number: {number} for number in lines_with("# timed$")}
_FROM, _TO = lines_with("# timed from").pop(), lines_with("# timed to").pop()
TIMED[_TO] = set(range(_FROM, _TO + 1))
QUIET = lines_with("# quiet$")

Frame = collections.namedtuple("Frame", "kind name file line basis place")
Sample = collections.namedtuple("Sample", "time tid frames")


def parse(text):
    samples = []
    for row in text.splitlines():
        if row.startswith("S "):
            _, time, tid = row.split()
            samples.append(Sample(int(time), int(tid), []))
        elif not row.startswith("#"):
            kind, name, file, line, basis, place = row.split("\t")
            samples[-1].frames.append(Frame(kind, name, file, int(line), int(basis), place))
    return samples


def parse_log(path):
    rows = collections.defaultdict(list)
    for row in Path(path).read_text(encoding="ascii").splitlines():
        tid, start, end, line = map(int, row.split())
        rows[tid].append((start, end, line))
    for one in rows.values():
        one.sort()
    return rows


def is_ours(frame):
    return frame.file == str(PROGRAM)


def row_at(rows, sample):
    """What the thread was timed at, or None."""
    mine = rows.get(sample.tid, [])
    i = bisect.bisect(mine, (sample.time,)) - 1
    if i >= 0 and mine[i][0] + EDGE_NS < sample.time < mine[i][1] - EDGE_NS:
        return mine[i][2]
    return None


def callers(version):
    """The lines on which each function is called, as CPython @version, a tuple, counts."""
    return {**CALLERS, **EXITS_3_9} if version < (3, 10) else CALLERS


def truth_of(sample, i, rows, called):
    """The lines that frame i, counted from the leaf, may be at; None: not known."""
    frame, inner = sample.frames[i], sample.frames[i - 1] if i else None
    if i == 0:
        if re.fullmatch(r"spin_\d+", frame.file):
            return {3} if frame.line not in (2, 4) else {frame.line}  # brief as these are
        return TIMED.get(row_at(rows, sample)) if is_ours(frame) else None
    spin = re.fullmatch(r"spin_(\d+)", inner.name)
    if spin and is_ours(frame):
        return {int(spin.group(1))}
    if not is_ours(frame) or not is_ours(inner):
        return None
    if frame.name == inner.name == "walk":
        outer = sum(one.name == "walk" for one in sample.frames[i + 1:])
        whole = any(one.name == "calls" for one in sample.frames[i + 1:])
        return WALK[(DEPTH - outer) % 4] if whole else None
    if frame.name == "calls" and inner.name == "Local.__del__":
        return called["deaths"]  # up to 3.11 locals die when the function is gone
    return called.get(inner.name.split(".<locals>.")[-1] if "<locals>" in inner.name
                      and inner.name not in called else inner.name)


def judge(samples, rows, version):
    """Per kind of frame: [frames, given, known, right], and what is wrong."""
    called = callers(version)
    counts, wrong = collections.defaultdict(lambda: [0, 0, 0, 0]), collections.Counter()
    for sample in samples:
        for i, frame in enumerate(sample.frames):
            count = counts[frame.kind]
            count[0] += 1
            count[1] += frame.line > 0
            wanted = truth_of(sample, i, rows, called) if frame.line else None
            if wanted is None:
                continue
            count[2] += 1
            count[3] += frame.line in wanted
            if frame.line not in wanted:
                inner = sample.frames[i - 1].name if i else "-"
                wrong[(frame.kind, frame.name, inner, frame.line, tuple(sorted(wanted))[:3],
                       frame.basis, frame.place)] += 1
    return counts, wrong


def quiet_share(samples, rows):
    """The share of shares()' second loop that its quiet lines take, measured and as given."""
    spent, seen, quiet = collections.Counter(), 0, 0
    for mine in rows.values():
        for start, end, line in mine:
            spent[line] += end - start  # CPU time where LINE says so
    for sample in samples:
        frame = sample.frames[0] if sample.frames else None
        if not frame or frame.name != "shares" or not frame.line or row_at(rows, sample) != -2:
            continue
        seen += 1
        quiet += frame.line in QUIET
    return 1 - spent[0] / max(1, spent[-1]), quiet / max(1, seen), seen
