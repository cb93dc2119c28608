# SPDX-License-Identifier: GPL-2.0
"""PAM itself: start it under uvicorn, wait until it is healthy, stop it."""

import http.client
import json
import os
import re
import signal
import time
import urllib.request

from .messages import ProfilingError, see
from .preflight import HOST
from .services import http_status

# 3 to 9 s on a desktop; a Raspberry Pi under load needs its time.
HEALTH_TIMEOUT_S = 120.0
PETALS_TIMEOUT_S = 120.0
# A petal without HTTP routes never shows among the mounted ones; loading is
# over when nothing was added for this long.
QUIET_S = 15.0


class Health:
    """What a PAM tells about itself over HTTP, and whether it is there at all.

    ended     (): a sentence once PAM has ended, else None
    logs      where to read what went wrong
    """

    def __init__(self, port, target, stop, ended, logs):
        self.port = port
        self.target = target
        self.stop_request = stop
        self.ended = ended
        self.logs = logs

    def wait_healthy(self, steps):
        """Wait until /health answers and all petals are mounted.

        Raises ProfilingError when PAM ends or is not there in time.
        """
        url = f"http://{HOST}:{self.port}/health"
        self._poll(lambda: http_status(url) == 200, HEALTH_TIMEOUT_S,
                   "did not answer /health")
        wanted = set(self.target.enabled_petals)
        last = self.target.enabled_petals[-1:]
        state = {"mounted": set(), "since": time.monotonic()}

        def loaded():
            mounted = self.mounted_petals()
            if mounted != state["mounted"]:
                state.update(mounted=mounted, since=time.monotonic())
                steps.note(f"{len(mounted)} of {len(wanted)} petals")
            # Petals load one after the other, in the order of proxies.yaml.
            return (set(last) <= mounted or wanted <= mounted
                    or time.monotonic() - state["since"] > QUIET_S)

        self._poll(loaded, PETALS_TIMEOUT_S, "did not finish loading petals")

    def wait_vehicle(self, seconds=10.0):
        """Wait until PAM has heard the vehicle; True if it did."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.proxy_status().get("ext_mavlink") == "healthy":
                return True
            if self.stop_request.wait(0.5) or self.ended():
                break
        return False

    def _poll(self, condition, seconds, failure):
        deadline = time.monotonic() + seconds
        while not condition():
            ended = self.ended()
            if ended:
                raise ProfilingError(ended)
            if time.monotonic() > deadline:
                raise ProfilingError(
                    f"PAM {failure} within {seconds:.0f} s: read {self.logs}."
                    + see("slow"))
            if self.stop_request.wait(0.4):
                return

    def mounted_petals(self):
        """Names of the petals that have HTTP routes now."""
        paths = self._get_json("/openapi.json").get("paths", {})
        return {path.split("/")[2] for path in paths
                if path.startswith("/petals/") and path.count("/") > 2}

    def proxy_status(self):
        """Component -> status, as /health/overview tells it."""
        services = self._get_json("/health/overview").get("services") or []
        return {entry.get("component_name"): entry.get("status")
                for entry in services}

    def _get_json(self, path):
        """A JSON object from PAM; {} when there is no proper answer."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"http://{HOST}:{self.port}{path}",
                             timeout=5.0) as answer:
                value = json.load(answer)
        except (OSError, ValueError, http.client.HTTPException):
            return {}
        return value if isinstance(value, dict) else {}


class Pam(Health):
    """The PAM of one run.

    target     target.Target, the interpreter to run it with
    capture    capture.Capture, whose folders it works in
    """

    def __init__(self, target, capture, port, user, children, stop):
        self.folder = capture.pam
        self.user = user
        self.children = children
        self.child = None
        self.log = os.path.join(capture.folder, "pam.log")
        super().__init__(port, target, stop, self.obituary,
                         f"{self.log} and the logs in {self.folder}/logs")

    @property
    def pid(self):
        return self.child.pid

    def start(self, environ, held=False):
        """Start uvicorn with PAM on the loopback address.

        held   True: it waits before its exec, until child.release()
        """
        self.child = self.children.start(
            "PAM",
            [self.target.executable, "-m", "uvicorn",
             "petal_app_manager.main:app", "--host", HOST, "--port",
             str(self.port), "--log-level", "info", "--no-access-log",
             "--http", "h11"],
            self.log, user=self.user, env=environ, cwd=self.folder,
            stop_signal=signal.SIGINT, held=held)

    def obituary(self):
        """One sentence once PAM has ended by itself, else None."""
        if self.child.is_running():
            return None
        status = self.child.process.returncode
        how = f"signal {-status}" if status < 0 else f"status {status}"
        words = self.child.last_words() or "it said nothing"
        remedy = f"read {self.log}"
        missing = re.match(r"(?:ModuleNotFound|Import)Error: .*", words)
        if missing:
            remedy = ("install what is missing into PAM's environment "
                      f"({self.target.executable} -m pip install ...), or {remedy}")
        elif status == -signal.SIGKILL:
            remedy = ("something killed it, the kernel for lack of memory "
                      f"perhaps (dmesg | tail), or {remedy}")
        return (f"PAM ended by itself with {how} (last words: {words}): {remedy}."
                + see("pam-ended"))

    def stop(self):
        """Stop PAM as Ctrl+C would; returns its exit status."""
        return self.children.stop(self.child) if self.child else None
