# SPDX-License-Identifier: GPL-2.0
"""What PAM needs around it, for a machine where none of it runs.

redis, an MQTT broker, a stand-in for the closed MQTT side service and a
simulated vehicle (contrib/vehicle), all bound to loopback. A standard port
that is taken is replaced by a free one, and PAM is told through its
environment.
"""

import json
import os
import socket
import urllib.error
import urllib.request

from .messages import ProfilingError
from .preflight import (HOST, STANDARD_PORTS, check_redis, find_program,
                        free_port)
from .process import wait_until

CLOUD_VARIABLES = ("PETAL_ACCESS_TOKEN_URL", "PETAL_SESSION_TOKEN_URL",
                   "PETAL_CLOUD_ENDPOINT")
DEAD_END = "http://127.0.0.1:9"
# Where a drone says who it is; contrib/vehicle/identity stands in for it.
IDENTITY_FILE = "/opt/droneleaf/certs/perm/thing-parameters.json"


def find_contrib(script_folder):
    """The folder that holds the `vehicle` package, or None."""
    for place in (os.path.join(os.path.dirname(script_folder), "contrib"),
                  os.path.join(script_folder, "contrib"), script_folder):
        if os.path.isfile(os.path.join(place, "vehicle", "__main__.py")):
            return place
    return None


class Services:
    """Starts the services of one run and knows where they listen."""

    def __init__(self, folder, contrib, python, user, children, stop):
        self.folder = folder
        self.contrib = contrib
        self.python = python
        self.user = user
        self.children = children
        self.stop = stop
        self.ports = {name: free_port(port) for name, port
                      in STANDARD_PORTS.items() if name != "mavlink"}
        self.ports["mavlink"] = free_port(STANDARD_PORTS["mavlink"],
                                          socket.SOCK_DGRAM)

    def environment(self, pam_port, known):
        """Variables that point PAM at these services, and at no cloud.

        known   the environment that they are added to
        """
        result = {name: DEAD_END for name in CLOUD_VARIABLES}
        if not os.path.exists(IDENTITY_FILE):
            result.update(self._identity(known.get("PYTHONPATH")))
        result.update({
            "PETAL_REDIS_HOST": HOST,
            "PETAL_REDIS_PORT": str(self.ports["redis"]),
            "PETAL_TS_CLIENT_HOST": HOST,
            "PETAL_TS_CLIENT_PORT": str(self.ports["side-service"]),
            "PETAL_CALLBACK_HOST": HOST,
            "PETAL_CALLBACK_PORT": str(pam_port),
            "PETAL_LOCAL_DB_HOST": HOST,
            "PETAL_MAVLINK_ENDPOINT": f"udp:{HOST}:{self.ports['mavlink']}",
        })
        return result

    def _identity(self, python_path):
        """Variables that give PAM an organisation; without one MQTT is idle."""
        path = os.path.join(self.folder, "thing-parameters.json")
        with open(path, "w", encoding="utf-8") as stream:
            json.dump({"thing": {"thingName": "simulated", "lastReported": {
                "organizationId": "org-simulated"}}}, stream)
        self.user.own(path)
        hook = os.path.join(self.contrib, "vehicle", "identity")
        return {"PAM_IDENTITY_FILE": path, "PYTHONPATH": os.pathsep.join(
            part for part in (hook, python_path) if part)}

    def start_redis(self):
        port = self.ports["redis"]
        self._start("redis", [
            find_program("redis-server"), "--bind", HOST, "--port", str(port),
            "--save", "", "--appendonly", "no", "--dir", self.folder],
            lambda: check_redis(HOST, port) is None)

    def start_broker(self):
        port = self.ports["mqtt"]
        path = os.path.join(self.folder, "mosquitto.conf")
        # Under root mosquitto would change to a user of its own, and that
        # cancels the death signal: it would survive a kill -9 of ours.
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(f"listener {port} {HOST}\nallow_anonymous true\n"
                         f"persistence false\nlog_dest stderr\n"
                         f"user {self.user.name}\n")
        self.user.own(path)
        self._start("mosquitto", [find_program("mosquitto"), "-c", path],
                    lambda: answers(port))

    def start_side_service(self):
        port = self.ports["side-service"]
        self._start("side service", [
            self.python, "-m", "vehicle.side_service", "--port", str(port),
            "--broker-port", str(self.ports["mqtt"])],
            lambda: http_status(f"http://{HOST}:{port}/health") == 200)

    @property
    def vehicle_log(self):
        return os.path.join(self.folder, "vehicle.log")

    def start_vehicle(self, rates=(), flight_time_s=None):
        """The vehicle, with an operator who starts missions sent to PAM.

        rates          MESSAGE=HZ, as its --rate takes them
        flight_time_s  how long a leg of a mission takes; None: its default
        """
        options = [word for rate in rates for word in ("--rate", rate)]
        if flight_time_s is not None:
            options += ["--flight-time", f"{flight_time_s:g}"]
        child = self._start("vehicle", [
            self.python, "-m", "vehicle", "--port",
            str(self.ports["mavlink"]), "--redis-port",
            str(self.ports["redis"]), "--start-missions", *options], None)
        self._await(child, lambda: "sending to" in child.last_words())

    def _start(self, name, command, ready):
        environ = self.user.environment()
        environ["PYTHONPATH"] = self.contrib
        log = name.replace(" ", "-") + ".log"
        child = self.children.start(
            name, command, os.path.join(self.folder, log), user=self.user,
            env=environ, cwd=self.folder)
        if ready:
            self._await(child, ready)
        return child

    def _await(self, child, ready):
        """Raises ProfilingError when it is not ready within 10 s."""
        wait_until(lambda: ready() or not child.is_running(), 10.0, self.stop)
        if self.stop.count or (child.is_running() and ready()):
            return
        words = child.last_words() or "it said nothing"
        raise ProfilingError(
            f"{child.name} did not start ({words}): read {child.log}.")


def answers(port):
    """True when something accepts connections on a loopback port."""
    try:
        with socket.create_connection((HOST, port), timeout=1.0):
            return True
    except OSError:
        return False


def http_status(url, timeout_s=2.0):
    """Status of a GET on loopback; 0 when nobody answers."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=timeout_s) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except (OSError, ValueError):
        return 0
