# SPDX-License-Identifier: GPL-2.0
"""Trajectories of a mission: queued by PAM over redis, reported as flown.

PAM publishes each segment on two channels and waits until the same
`trajectory_id` comes back on a third. For a landing it waits for any id that
contains "land".
"""

import json

QUEUE_CHANNELS = ("/traj_sys/queue_traj_primitive_pos",
                  "/traj_sys/queue_traj_primitive_ori")
COMPLETED_CHANNEL = "/petal-leafsdk/notify_trajectory_completed"


class Trajectories:
    """Completes every queued trajectory `flight_time_s` after it came.

    `client` is a redis.Redis; it is read without blocking.
    """

    def __init__(self, client, flight_time_s):
        self.client = client
        self.flight_time_s = flight_time_s
        self._subscription = client.pubsub(ignore_subscribe_messages=True)
        self._subscription.subscribe(*QUEUE_CHANNELS)
        self._flying = []

    def step(self, now, landings=0):
        """Take in what was queued, report what is flown or landed."""
        while True:
            message = self._subscription.get_message(timeout=0.0)
            if message is None:
                break
            identifier = trajectory_id(message["data"])
            if identifier:
                self._flying.append((now + self.flight_time_s, identifier))
        for _ in range(landings):
            self._complete("land")
        while self._flying and self._flying[0][0] <= now:
            self._complete(self._flying.pop(0)[1])

    def _complete(self, identifier):
        self.client.publish(COMPLETED_CHANNEL,
                            json.dumps({"trajectory_id": identifier}))

    def close(self):
        self._subscription.close()


def trajectory_id(data):
    """The id in a queued trajectory, or None when it has none."""
    try:
        value = json.loads(data)
    except (TypeError, ValueError):
        return None
    identifier = value.get("trajectory_id") if isinstance(value, dict) \
        else None
    return identifier if isinstance(identifier, str) else None
