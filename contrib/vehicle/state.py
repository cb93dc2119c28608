# SPDX-License-Identifier: GPL-2.0
"""What the vehicle is doing.

Positions are in metres in the local NED frame (z is negative above ground),
angles in radians, times in seconds of a monotonic clock. Status values are
those of LEAF_STATUS and LEAF_MISSION_STATE in the LEAF dialect.
"""

import math

from .link import dialect

CLIMB_M_S = 1.0
GROUND_TIME_S = 2.0   # how long LANDED lasts before READY_TO_FLY
PARAM_TYPE_INT32 = dialect.MAV_PARAM_TYPE_INT32


class Vehicle:
    """State of one vehicle; `step` moves it on in time."""

    def __init__(self, now):
        self.boot = now
        self.status = dialect.LEAF_STATUS_READY_TO_FLY
        self.mode = dialect.LEAF_MODE_MISSION
        self.mission_state = dialect.LEAF_MISSION_STATE_IDLE
        self.mission_id = b""
        self.position = [0.0, 0.0, 0.0]
        self.velocity = [0.0, 0.0, 0.0]
        self.target_z = 0.0
        self.yaw = 0.0
        self.landed_at = None
        self.params = {"CAL_ACC0_ID": (0.0, PARAM_TYPE_INT32)}
        self._stepped = now
        self._landings = 0

    # ----- commands ------------------------------------------------------

    def arm_idle(self, enable):
        """LEAF_DO_ARM_IDLE: motors idle on the ground, or off again."""
        ground = (dialect.LEAF_STATUS_READY_TO_FLY,
                  dialect.LEAF_STATUS_ARMED_IDLE, dialect.LEAF_STATUS_LANDED)
        if self.status in ground:
            self.status = (dialect.LEAF_STATUS_ARMED_IDLE if enable
                           else dialect.LEAF_STATUS_READY_TO_FLY)

    def take_off(self, altitude_m):
        """LEAF_DO_TAKEOFF: flying from now on, climbing to the altitude."""
        if self.status != dialect.LEAF_STATUS_FLYING:
            self.status = dialect.LEAF_STATUS_FLYING
            self.target_z = -abs(altitude_m)

    def land(self):
        """LEAF_DO_LAND: descend to the ground where it is."""
        if self.is_airborne():
            self.status = dialect.LEAF_STATUS_LANDING
            self.target_z = 0.0

    def set_mission_state(self, state, mission_id):
        """LEAF_SET_MISSION_STATE: take over what PAM proposes."""
        self.mission_state = state
        self.mission_id = mission_id

    def set_param(self, name, value, kind):
        """Keep a parameter; `value` is the wire's float, bits untouched."""
        self.params[name] = (value, kind)

    def get_param(self, name):
        """(wire value, MAV_PARAM_TYPE) of a parameter; 0 when never set."""
        return self.params.setdefault(name, (0.0, PARAM_TYPE_INT32))

    # ----- time ----------------------------------------------------------

    def is_airborne(self):
        return self.status in (dialect.LEAF_STATUS_FLYING,
                               dialect.LEAF_STATUS_MISSION_PAUSED)

    def is_armed(self):
        return self.is_airborne() or self.status in (
            dialect.LEAF_STATUS_ARMED_IDLE, dialect.LEAF_STATUS_ARMED,
            dialect.LEAF_STATUS_LANDING)

    def boot_ms(self, now):
        """Milliseconds since boot, as MAVLink's time_boot_ms wants it."""
        return int((now - self.boot) * 1000) & 0xFFFFFFFF

    def step(self, now):
        """Move on to `now`: climb, descend, touch down, become ready."""
        seconds = max(0.0, now - self._stepped)
        self._stepped = now
        self.yaw = math.remainder(0.05 * (now - self.boot), 2 * math.pi)
        self._climb(seconds)
        if (self.status == dialect.LEAF_STATUS_LANDING
                and self.position[2] >= 0.0):
            self.status = dialect.LEAF_STATUS_LANDED
            self.landed_at = now
            self._landings += 1
        elif (self.status == dialect.LEAF_STATUS_LANDED
                and now - self.landed_at >= GROUND_TIME_S):
            self.status = dialect.LEAF_STATUS_READY_TO_FLY

    def take_landings(self):
        """Touch-downs since the last call."""
        count, self._landings = self._landings, 0
        return count

    def _climb(self, seconds):
        left = self.target_z - self.position[2]
        reach = CLIMB_M_S * seconds
        move = max(-reach, min(reach, left))
        self.position[2] += move
        self.velocity[2] = move / seconds if seconds > 0 else 0.0
