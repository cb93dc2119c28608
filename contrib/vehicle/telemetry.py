# SPDX-License-Identifier: GPL-2.0
"""Messages that the vehicle sends on its own, each at its own rate.

Units follow MAVLink's common.xml: metres, metres per second, radians,
microseconds for RC pulses (1000 to 2000), volts and amperes for ESCs.
"""

import math

from .link import dialect

# Hz. PX4 streams of this order on a companion link; LEAF_HEARTBEAT may be as
# slow as 0.2 Hz, since PAM allows 5 s between two.
DEFAULT_RATES = {
    "heartbeat": 1.0,
    "leaf_heartbeat": 1.0,
    "leaf_status": 5.0,
    "leaf_mission_status": 2.0,
    "leaf_setpoint_offset": 5.0,
    "attitude": 50.0,
    "local_position_ned": 30.0,
    "rc_channels": 10.0,
    "esc_status": 10.0,
}
MAX_RATE_HZ = 1000.0
HOVER_RPM = 5200
CELLS_V = 15.8
RC_CHANNEL_COUNT = 18
MOTOR_COUNT = 4


def heartbeat(vehicle, _now):
    mode = dialect.MAV_MODE_FLAG_CUSTOM_MODE_ENABLED
    if vehicle.is_armed():
        mode |= dialect.MAV_MODE_FLAG_SAFETY_ARMED
    state = (dialect.MAV_STATE_ACTIVE if vehicle.is_armed()
             else dialect.MAV_STATE_STANDBY)
    return dialect.MAVLink_heartbeat_message(
        dialect.MAV_TYPE_QUADROTOR, dialect.MAV_AUTOPILOT_PX4, mode, 0,
        state, 3)


def leaf_heartbeat(vehicle, _now):
    return dialect.MAVLink_leaf_heartbeat_message(
        vehicle.status, vehicle.mode, b"simulated", b"1")


def leaf_status(vehicle, _now):
    return dialect.MAVLink_leaf_status_message(vehicle.status)


def leaf_mission_status(vehicle, _now):
    return dialect.MAVLink_leaf_mission_status_message(
        vehicle.mission_state, 0)


def leaf_setpoint_offset(vehicle, _now):
    """Where trajectories begin, z upwards; PAM starts no mission without."""
    north, east, down = vehicle.position
    return dialect.MAVLink_leaf_setpoint_offset_message(
        north, east, -down, vehicle.yaw)


def attitude(vehicle, now):
    """A gentle sway in roll and pitch, and a slow turn."""
    phase = 2 * math.pi * 0.5 * (now - vehicle.boot)
    return dialect.MAVLink_attitude_message(
        vehicle.boot_ms(now), 0.02 * math.sin(phase), 0.02 * math.cos(phase),
        vehicle.yaw, 0.06 * math.cos(phase), -0.06 * math.sin(phase), 0.05)


def local_position_ned(vehicle, now):
    return dialect.MAVLink_local_position_ned_message(
        vehicle.boot_ms(now), *vehicle.position, *vehicle.velocity)


def rc_channels(vehicle, now):
    """All sticks moving slowly, each a little behind the one before."""
    seconds = now - vehicle.boot
    channels = [1500 + int(400 * math.sin(seconds + channel))
                for channel in range(RC_CHANNEL_COUNT)]
    return dialect.MAVLink_rc_channels_message(
        vehicle.boot_ms(now), RC_CHANNEL_COUNT, *channels, 254)


def esc_status(vehicle, now):
    """Four motors: still on the ground, idling when armed, hovering."""
    rpm = 0
    if vehicle.is_armed():
        rpm = HOVER_RPM if vehicle.position[2] < -0.05 else HOVER_RPM // 4
    ripple = int(25 * math.sin(10 * (now - vehicle.boot))) if rpm else 0
    current = 4.5 * (rpm / HOVER_RPM) ** 3
    return dialect.MAVLink_esc_status_message(
        0, int((now - vehicle.boot) * 1e6),
        [rpm + ripple if motor % 2 else rpm - ripple
         for motor in range(MOTOR_COUNT)],
        [CELLS_V] * MOTOR_COUNT, [current] * MOTOR_COUNT)


MESSAGES = {function.__name__: function for function in (
    heartbeat, leaf_heartbeat, leaf_status, leaf_mission_status,
    leaf_setpoint_offset, attitude, local_position_ned, rc_channels,
    esc_status)}


class Telemetry:
    """Sends every message when it is due.

    rates    message name -> Hz; 0 switches a message off
    Raises ValueError for an unknown name or a rate out of range.
    """

    def __init__(self, rates, now):
        for name, rate in rates.items():
            if name not in MESSAGES:
                raise ValueError(f"there is no message {name}: known are "
                                 f"{', '.join(sorted(MESSAGES))}.")
            if not 0 <= rate <= MAX_RATE_HZ:
                raise ValueError(f"{rate:g} Hz for {name} is outside 0 to "
                                 f"{MAX_RATE_HZ:g}.")
        self._interval = {name: 1.0 / rate
                          for name, rate in rates.items() if rate > 0}
        self._due = {name: now for name in self._interval}

    def next_due(self):
        """Time of the next message; infinity when all are off."""
        return min(self._due.values(), default=math.inf)

    def send_due(self, vehicle, link, now):
        """Send what is due; a message that fell behind is sent once."""
        for name, due in self._due.items():
            if due <= now:
                link.send(MESSAGES[name](vehicle, now))
                interval = self._interval[name]
                self._due[name] = max(due + interval, now)

    def rate(self):
        """Messages per second that are sent when nothing falls behind."""
        return sum(1.0 / interval for interval in self._interval.values())
