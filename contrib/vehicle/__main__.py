# SPDX-License-Identifier: GPL-2.0
"""The simulated vehicle's command line and its one loop."""

import argparse
import signal
import sys
import time

from .commands import Commands
from .link import Link, require_loopback
from .state import Vehicle
from .telemetry import DEFAULT_RATES, Telemetry

# Longest wait for messages: redis and a landing are looked at this often.
TICK_S = 0.05


def parse_arguments(argv):
    parser = argparse.ArgumentParser(
        prog="python -m vehicle",
        description="A simulated vehicle on a loopback MAVLink port.")
    parser.add_argument("--host", default="127.0.0.1",
                        help="loopback address of PAM (default: %(default)s)")
    parser.add_argument("--port", type=int, default=14551,
                        help="UDP port PAM listens on (default: %(default)s)")
    parser.add_argument("--rate", action="append", default=[],
                        metavar="MESSAGE=HZ",
                        help="rate of a message, 0 for off; may be given "
                             "several times (rc_channels=50)")
    parser.add_argument("--redis-port", type=int, metavar="PORT",
                        help="fly mission trajectories through this redis on "
                             "the same host")
    parser.add_argument("--start-missions", action="store_true",
                        help="start each mission that PAM has ready, as an "
                             "operator would")
    parser.add_argument("--flight-time", type=float, default=2.0,
                        metavar="SECONDS",
                        help="how long each leg of a mission takes "
                             "(default: %(default)g)")
    parser.add_argument("--duration", type=float, metavar="SECONDS",
                        help="end after this time (default: run on)")
    arguments = parser.parse_args(argv)
    if not 0 <= arguments.flight_time <= 3600:
        parser.error("--flight-time is in seconds, from 0 to 3600")
    return arguments


def parse_rates(settings):
    """Default rates, changed by settings of the form MESSAGE=HZ.

    Raises ValueError with one sentence for a setting of another form.
    """
    rates = dict(DEFAULT_RATES)
    for setting in settings:
        name, separator, value = setting.partition("=")
        try:
            rates[name.lower()] = float(value)
        except ValueError:
            separator = ""
        if not separator:
            raise ValueError(f"{setting} is not MESSAGE=HZ: write, for "
                             "example, --rate rc_channels=50.")
    return rates


def connect_redis(host, port, flight_time_s):
    """Trajectories over redis, or None when no port was given."""
    if port is None:
        return None
    import redis
    from .trajectory import Trajectories
    return Trajectories(redis.Redis(host=require_loopback(host), port=port),
                        flight_time_s)


def run(link, telemetry, vehicle, commands, trajectories, until):
    """Send and answer until `until(now)` is true."""
    now = time.monotonic()
    while not until(now):
        wait = min(telemetry.next_due() - now, TICK_S)
        messages = link.receive(wait)
        now = time.monotonic()
        for message in messages:
            commands.handle(message, now)
        vehicle.step(now)
        landings = vehicle.take_landings()
        if trajectories:
            trajectories.step(now, landings)
        commands.step(now)
        telemetry.send_due(vehicle, link, now)


def main(argv=None):
    arguments = parse_arguments(argv)
    now = time.monotonic()
    end = now + arguments.duration if arguments.duration else None
    stopped = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.append(True))
    try:
        telemetry = Telemetry(parse_rates(arguments.rate), now)
        link = Link(arguments.host, arguments.port)
        trajectories = connect_redis(arguments.host, arguments.redis_port,
                                     arguments.flight_time)
    except (ValueError, OSError) as error:
        print(f"vehicle: {error}", file=sys.stderr)
        return 1
    vehicle = Vehicle(now)
    commands = Commands(vehicle, link, arguments.start_missions)
    print(f"vehicle: sending to {arguments.host}:{arguments.port}, "
          f"{telemetry.rate():.0f} messages/s", file=sys.stderr, flush=True)
    try:
        run(link, telemetry, vehicle, commands, trajectories,
            lambda now: bool(stopped) or (end is not None and now >= end))
    finally:
        link.close()
        if trajectories:
            trajectories.close()
    print(f"vehicle: sent {link.sent} messages", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
