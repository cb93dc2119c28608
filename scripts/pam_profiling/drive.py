# SPDX-License-Identifier: GPL-2.0
"""Makes PAM do a scenario's work while it is recorded, through its HTTP interface.

Each kind of work has a thread of its own that posts, waits until PAM is done,
and posts again until it is told to stop. PAM answers many errors with HTTP 200
and a text, so every answer is looked at, and what PAM said is kept.
"""

import dataclasses
import datetime
import http.client
import json
import os
import re
import socket
import threading
import time
import uuid

from .messages import ProfilingError, see
from .preflight import HOST

JOURNEY = "/petals/petal-user-journey-coordinator/test/"
# Today's PAM mounts petals below /petals; older ones did not.
MISSION_PATHS = ("/petals/petal-leafsdk/mission/plan",
                 "/petal-leafsdk/mission/plan")
ESC, RC, MISSION = "esc-calibration", "rc-stream", "mission-execution"
WORK = {
    ESC: (JOURNEY + "esc-calibration", "esc_calibration"),
    RC: (JOURNEY + "subscribe-rc-value-stream", "subscribe_rc_value_stream"),
    MISSION: None,
}
MISSION_OVER = ("COMPLETED", "FAILED", "CANCELLED")
# How often the vehicle is asked.
POLL_S = 0.5
# Between two runs of the same work: PAM still repeats the states of a mission
# that is over, and the vehicle is on the ground for a while.
PAUSE_S = 3.0
MOST_TEXT = 160


@dataclasses.dataclass
class Answer:
    """What PAM said to a POST: HTTP status and text; status 0: nothing."""

    status: int
    text: str

    def words(self):
        """The part of it that a person wants to read, on one line."""
        try:
            value = json.loads(self.text)
        except ValueError:
            value = self.text
        if isinstance(value, dict):
            parts = [value.get(key) for key in ("status", "message", "detail")]
            value = ", ".join(str(part) for part in parts if part) or value
        text = " ".join(str(value).split())
        return text if len(text) <= MOST_TEXT else text[:MOST_TEXT - 3] + "..."

    def mission(self):
        """The id of the mission that PAM accepted, or "-"."""
        found = re.search(r"[Mm]ission '([^'\s]+)'", self.text)
        return found.group(1) if found else "-"

    def is_refusal(self):
        """True for an error, also for one that comes as HTTP 200."""
        return (self.status != 200
                or self.words().lower().startswith(("error", "fail")))


class Poster:
    """POSTs to PAM on the loopback address; close() ends a post that waits."""

    def __init__(self, port):
        self.port = port
        self._link = None
        self._closed = False

    def post(self, path, body):
        """POST a JSON object; returns the Answer, however long it takes."""
        link = http.client.HTTPConnection(HOST, self.port)
        try:
            link.connect()
            self._link = link.sock
            if self._closed:
                return Answer(0, "stopped")
            link.request("POST", path, json.dumps(body),
                         {"Content-Type": "application/json"})
            response = link.getresponse()
            return Answer(response.status,
                          response.read().decode("utf-8", "replace"))
        except (OSError, http.client.HTTPException) as error:
            return Answer(0, str(error) or type(error).__name__)
        finally:
            self._link = None
            link.close()

    def close(self):
        """Whoever waits for an answer stops waiting."""
        self._closed = True
        link = self._link
        if link:
            try:
                link.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class Drive:
    """The work of one run.

    port        PAM's port
    kinds       names out of WORK
    mission     a mission plan, for MISSION
    vehicle_log where the simulated vehicle tells the states of missions, or
                None: a mission is then posted once
    say         called with each sentence about an answer, from any thread
    """

    def __init__(self, port, kinds, mission, vehicle_log, say):
        self.port = port
        self.kinds = kinds
        self.mission = mission
        self.vehicle_log = vehicle_log
        self.say = say
        self.refusals = []
        self.missions = {}
        self._answers = {}
        self._over = threading.Event()
        self._posters = []
        self._threads = []

    def start(self):
        """Begin to post."""
        for kind in self.kinds:
            poster = Poster(self.port)
            work = self._fly if kind == MISSION else self._command
            thread = threading.Thread(target=work, args=(kind, poster),
                                      name=f"drive {kind}", daemon=True)
            self._posters.append(poster)
            self._threads.append(thread)
            thread.start()

    def stop(self):
        """End it, within a second or so; PAM ends what it is doing by itself."""
        again = self._over.is_set()
        self._over.set()
        for kind in self.kinds:
            if kind not in self._answers and not again:
                self.say(f"{kind}: no answer yet; PAM answers when the work is over")
        for poster in self._posters:
            poster.close()
        for thread in self._threads:
            thread.join(2.0)

    def facts(self):
        """Metadata: what was driven, and what PAM and the vehicle said."""
        if not self.kinds:
            return {}
        facts = {"drive": ", ".join(self.kinds)}
        for kind in self.kinds:
            facts[f"answer_{kind}"] = self._answers.get(
                kind, "none before the recording's end")
        for state, count in self.missions.items():
            facts[f"missions_{state.lower()}"] = str(count)
        return facts

    def _take(self, kind, answer, seconds):
        """Keep an answer; the first one of a kind and each refusal is told."""
        if self._over.is_set():
            return
        words = f"{answer.words()} (HTTP {answer.status})"
        if answer.is_refusal():
            self.refusals.append(f"{kind}: PAM refused: {words}."
                                 + see("refused"))
        if answer.is_refusal() or kind not in self._answers:
            self.say(f"{kind}: PAM answered after {seconds:.1f} s: {words}")
        self._answers[kind] = words

    def _command(self, kind, poster):
        """Post a command of the user-journey petal until stopped."""
        path, command = WORK[kind]
        while not self._over.is_set():
            begin = time.monotonic()
            answer = poster.post(f"{path}?topic=profile", command_body(command))
            self._take(kind, answer, time.monotonic() - begin)
            if answer.is_refusal():
                return
            self._over.wait(PAUSE_S)

    def _fly(self, kind, poster):
        """Post the mission, again whenever the vehicle has flown it."""
        while not self._over.is_set():
            begin = time.monotonic()
            for path in MISSION_PATHS:
                answer = poster.post(path, self.mission)
                if answer.status != 404:
                    break
            self._take(kind, answer, time.monotonic() - begin)
            if answer.is_refusal() or not self.vehicle_log:
                return
            self._await_end(answer.mission(), begin)
            self._over.wait(PAUSE_S)

    def _await_end(self, mission, begin):
        """Wait until the vehicle is told that this mission is over."""
        while not self._over.wait(POLL_S):
            over = [state for state in mission_states(self.vehicle_log, mission)
                    if state in MISSION_OVER]
            if over:
                self.missions[over[0]] = self.missions.get(over[0], 0) + 1
                self.say(f"{MISSION}: {over[0]} after "
                         f"{time.monotonic() - begin:.1f} s")
                return


def mission_states(path, mission):
    """A mission's states in the log of a simulated vehicle, oldest first."""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            words = [line.split() for line in stream]
    except OSError:
        return []
    return [line[3] for line in words
            if len(line) == 4 and line[:3] == ["vehicle:", "mission", mission]]


def command_body(command):
    """A command as the ground station sends it."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return {"waitResponse": True, "messageId": str(uuid.uuid4()),
            "deviceId": "Instance-profile", "payload": {},
            "command": f"petal-user-journey-coordinator/{command}",
            "timestamp": now.isoformat()}


def read_mission(path):
    """The mission plan in a file.

    Raises ProfilingError when it holds none.
    """
    try:
        with open(path, encoding="utf-8") as stream:
            value = json.load(stream)
    except OSError as error:
        raise ProfilingError(
            f"{path}: {error.strerror}: name a mission plan with --mission "
            "FILE.") from None
    except ValueError as error:
        raise ProfilingError(
            f"{path} is not JSON ({error}): name a mission plan with "
            "--mission FILE.") from None
    if not isinstance(value, dict) or not value.get("nodes"):
        raise ProfilingError(
            f"{path} is not a mission plan (an object with \"nodes\"): see "
            "contrib/vehicle/example_mission_sitl.json.")
    return value


def example_mission(contrib):
    """Path of the mission that is flown where none is named."""
    return os.path.join(contrib, "vehicle", "example_mission_sitl.json")
