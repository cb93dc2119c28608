# SPDX-License-Identifier: GPL-2.0
"""Draws CPU by thread and memory over time, as SVG: any browser shows it.

    panel 1   CPU in percent of a core, threads on top of each other
    panel 2   resident memory
"""

import math
from xml.sax.saxutils import escape

WIDTH, PANEL, LEFT, RIGHT, TOP, GAP, BOTTOM = 960, 220, 64, 250, 56, 44, 50
MOST_THREADS = 7
# Told apart by all kinds of eyes (Okabe and Ito); the legend has their order.
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00",
           "#f0e442")
REST_COLOUR, LINE_COLOUR = "#bbbbbb", "#333333"
REST = "all others"


class Panel:
    """A pair of axes: times on x, values from 0 to a round number on y."""

    def __init__(self, top, last_s, largest):
        self.top = top
        self.last_s = max(last_s, 1e-9)
        self.step = round_step(largest)
        self.largest = self.step * max(1, math.ceil(largest / self.step))

    def x(self, seconds):
        return LEFT + (WIDTH - LEFT - RIGHT) * seconds / self.last_s

    def y(self, value):
        return self.top + PANEL * (1 - value / self.largest)

    def axes(self, title, unit):
        """Lines and numbers."""
        parts = [text(LEFT, self.top - 10, title, weight="bold")]
        for number in range(round(self.largest / self.step) + 1):
            value = number * self.step
            y = self.y(value)
            parts.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" '
                         f'y2="{y:.1f}" stroke="#dddddd"/>')
            parts.append(text(LEFT - 8, y + 4, f"{value:g}{unit}", "end"))
        step = round_step(self.last_s)
        for number in range(int(self.last_s / step + 1e-9) + 1):
            seconds = number * step
            parts.append(text(self.x(seconds), self.top + PANEL + 18,
                              f"{seconds:g} s", "middle"))
        return parts

    def area(self, times, low, high, colour, title):
        """What lies between two curves; its name shows when pointed at."""
        there = [(self.x(t), self.y(v)) for t, v in zip(times, high)]
        back = [(self.x(t), self.y(v)) for t, v in zip(times, low)][::-1]
        return (f'<polygon points="{points(there + back)}" fill="{colour}">'
                f"<title>{escape(title)}</title></polygon>")

    def line(self, times, values):
        where = [(self.x(t), self.y(v)) for t, v in zip(times, values)]
        return (f'<polyline points="{points(where)}" fill="none" '
                f'stroke="{LINE_COLOUR}" stroke-width="1.5"/>')


def draw(title, samples):
    """The SVG text of some usage.Sample, of which there is at least one."""
    times = [0.0] + [sample.elapsed_s for sample in samples]
    cpu = with_first([sample.cpu_percent for sample in samples])
    memory = with_first([sample.memory_bytes / 1e6 for sample in samples])
    height = TOP + 2 * PANEL + GAP + BOTTOM + 24
    above = Panel(TOP + 18, times[-1], max(cpu))
    below = Panel(above.top + PANEL + GAP + 24, times[-1], max(memory))
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} '
             f'{height}" width="{WIDTH}" height="{height}" '
             'font-family="sans-serif" font-size="12">',
             f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
             text(LEFT, 28, title, size=16)]
    parts += above.axes("CPU (100 % is one core)", " %")
    parts += threads_drawn(above, times, samples, cpu)
    parts += below.axes("memory (resident)", " MB")
    parts.append(below.area(times, [0] * len(times), memory, "#d9e8f3",
                            "memory"))
    parts.append(below.line(times, memory))
    parts.append(text(WIDTH - RIGHT + 16, below.top + 16,
                      f"{mean(memory[1:]):.1f} MB mean, "
                      f"{max(memory):.1f} MB most"))
    return "\n".join(parts + ["</svg>"]) + "\n"


def threads_drawn(panel, times, samples, cpu):
    """The stack of threads, the busiest at the bottom, and its legend."""
    parts, low = [], [0.0] * len(times)
    legend = []
    for (name, values), colour in zip(stacked(samples),
                                      (*COLOURS, REST_COLOUR)):
        high = [a + b for a, b in zip(low, with_first(values))]
        parts.append(panel.area(times, low, high, colour,
                                f"{name}: {mean(values):.1f} % mean"))
        legend.append((name, mean(values), colour))
        low = high
    parts.append(panel.line(times, cpu))
    y = panel.top + 16
    parts.append(text(WIDTH - RIGHT + 16, y, f"{mean(cpu[1:]):.1f} % mean, "
                      f"{max(cpu):.1f} % most"))
    # From the top down, as the areas lie.
    for name, share, colour in reversed(legend):
        y += 20
        parts.append(f'<rect x="{WIDTH - RIGHT + 16}" y="{y - 10}" width="12" '
                     f'height="12" fill="{colour}"/>')
        parts.append(text(WIDTH - RIGHT + 34, y, f"{short(name)}  {share:.1f} %"))
    return parts


def stacked(samples):
    """(name, CPU at each sample) of the busiest threads, then of all others.

    Threads of one name are one.
    """
    sums = {}
    for index, sample in enumerate(samples):
        for (_, name), percent in sample.threads.items():
            sums.setdefault(name, [0.0] * len(samples))[index] += percent
    order = sorted(sums.items(), key=lambda item: (-sum(item[1]), item[0]))
    rest = [sum(values) for values in zip(*(values for _, values
                                            in order[MOST_THREADS:]))]
    return order[:MOST_THREADS] + ([(REST, rest)] if rest else [])


def with_first(values):
    """The first interval has its value from its beginning on."""
    return values[:1] + values


def mean(values):
    return sum(values) / len(values)


def short(name, most=26):
    return name if len(name) <= most else name[:most - 1] + "~"


def round_step(largest):
    """A step of 1, 2 or 5 times a power of ten: four to ten of them in largest."""
    if largest <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(largest / 4))
    return max(step * power for step in (1, 2, 5)
               if step * power <= largest / 4 * (1 + 1e-9))


def points(where):
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in where)


def text(x, y, words, anchor="start", size=12, weight="normal"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" '
            f'font-size="{size}" font-weight="{weight}">{escape(words)}</text>')
