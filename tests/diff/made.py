# SPDX-License-Identifier: GPL-2.0
"""Profiles as perfconv writes them, made up: the same work each second, with some unrest."""
import json
import random

FUNCTIONS = "parse", "check", "render", "store"
SECOND = 1000000000


def profile(slower=(), factor=1.0, seconds=10, seed=1, thread="worker_0"):
    """A profile of ours, as bytes: each function takes some 5 % of the time."""
    chance = random.Random(seed)
    frames = [{"name": name, "file": f"/somewhere/{seed}/prog.py", "line": 3, "firstLine": 3,
               "kind": "python"} for name in FUNCTIONS]
    frames.append({"name": "[poll]", "kind": "note"})
    frames.append({**frames[0], "name": "serve"})
    poll, serve = len(FUNCTIONS), len(FUNCTIONS) + 1
    samples, weights = [], []
    for _ in range(seconds * 20):
        left = SECOND // 20
        for number, name in enumerate(FUNCTIONS):
            share = 0.05 * chance.uniform(0.95, 1.05) * (factor if name in slower else 1)
            samples.append([serve, number])
            weights.append(int(share * SECOND / 20))
            left -= weights[-1]
        samples.append([serve, poll])
        weights.append(left)
    times = {"onCpuNs": 0, "offCpuNs": 0}
    return json.dumps({
        "name": "made", "exporter": "perfconv",
        "perfconv": {"schema": 1, "durationSeconds": seconds, "view": "wall", "frames": "merged",
                     "event": "cpu-clock",
                     "events": [{"name": "cpu-clock", "frequencyHz": 1000}]},
        "shared": {"frames": frames},
        "profiles": [{"type": "sampled", "name": thread, "unit": "nanoseconds", "startValue": 0,
                      "endValue": seconds * SECOND, "samples": samples, "weights": weights,
                      "perfconv": {"pid": seed, "tid": seed, "comm": "python",
                                   "times": times}}]}).encode()
