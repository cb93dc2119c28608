# SPDX-License-Identifier: GPL-2.0
"""Answers to what PAM sends.

PAM repeats every LEAF command four times, so each handler may run several
times for one wish: all of them set a state rather than step one.
"""

import sys

from .link import dialect

START_DELAY_S = 1.0
STATE_PREFIX = "LEAF_MISSION_STATE_"


class Commands:
    """Handles messages by type; unknown ones are not answered.

    start_missions   act as the operator: when PAM has a mission ready, send
                     LEAF_DO_QGC_MISSION_CONTROL_CMD START a second later
    """

    def __init__(self, vehicle, link, start_missions=False):
        self.vehicle = vehicle
        self.link = link
        self.start_missions = start_missions
        self._start_at = None
        self._started = b""
        self._announced = set()
        self._handlers = {
            "PARAM_SET": self._param_set,
            "PARAM_REQUEST_READ": self._param_request_read,
            "PARAM_REQUEST_LIST": self._param_request_list,
            "COMMAND_LONG": self._command_long,
            "LEAF_SET_MISSION_STATE": self._set_mission_state,
            "LEAF_DO_ARM_IDLE": self._arm_idle,
            "LEAF_DO_TAKEOFF": self._take_off,
            "LEAF_DO_LAND": self._land,
        }

    def handle(self, message, now):
        """Answer one message from PAM."""
        handler = self._handlers.get(message.get_type())
        if handler:
            handler(message, now)

    def step(self, now):
        """Send a mission's START when its time has come.

        Again every second until PAM says that the mission is no longer ready:
        a single message may be lost on the way.
        """
        if self._start_at is None or now < self._start_at:
            return
        vehicle = self.vehicle
        if (vehicle.mission_state != dialect.LEAF_MISSION_STATE_READY
                or vehicle.mission_id != self._started):
            self._start_at = None
            return
        self._start_at = now + START_DELAY_S
        self.link.send(
            dialect.MAVLink_leaf_do_qgc_mission_control_cmd_message(
                0, dialect.LEAF_MISSION_CONTROL_START, self._started))

    # ----- parameters ----------------------------------------------------

    def _param_set(self, message, _now):
        self.vehicle.set_param(message.param_id, message.param_value,
                               message.param_type)
        self._send_param(message.param_id)

    def _param_request_read(self, message, _now):
        name = message.param_id
        if message.param_index >= 0:
            names = list(self.vehicle.params)
            if message.param_index >= len(names):
                return
            name = names[message.param_index]
        self._send_param(name)

    def _param_request_list(self, _message, _now):
        for name in list(self.vehicle.params):
            self._send_param(name)

    def _send_param(self, name):
        """PARAM_VALUE; integers travel as the float with the same bits."""
        value, kind = self.vehicle.get_param(name)
        names = list(self.vehicle.params)
        self.link.send(dialect.MAVLink_param_value_message(
            name.encode("ascii", "replace"), value, kind, len(names),
            names.index(name)))

    # ----- commands ------------------------------------------------------

    def _command_long(self, message, _now):
        self.link.send(dialect.MAVLink_command_ack_message(
            message.command, dialect.MAV_RESULT_ACCEPTED, 100, 0,
            message.get_srcSystem(), message.get_srcComponent()))

    def _arm_idle(self, message, _now):
        self.vehicle.arm_idle(message.enable)

    def _take_off(self, message, _now):
        self.vehicle.take_off(message.altitude)

    def _land(self, _message, _now):
        self.vehicle.land()

    # ----- missions ------------------------------------------------------

    def _set_mission_state(self, message, now):
        mission = message.mission_id.encode("utf-8", "replace")
        # The bursts of two states that follow each other closely are mixed.
        if (mission, message.state) not in self._announced:
            self._announced.add((mission, message.state))
            announce(message.mission_id, message.state)
        self.vehicle.set_mission_state(message.state, mission)
        self.link.send(dialect.MAVLink_leaf_mission_status_message(
            message.state, 0))
        if message.state == dialect.LEAF_MISSION_STATE_RUNNING:
            self.link.send(dialect.MAVLink_leaf_ack_mission_run_message(
                message.get_srcSystem(), 1, mission))
        elif message.state == dialect.LEAF_MISSION_STATE_READY:
            self._schedule_start(mission, now)

    def _schedule_start(self, mission, now):
        if self.start_missions and (self._start_at is None
                                    or self._started != mission):
            self._started = mission
            self._start_at = now + START_DELAY_S


def announce(mission, state):
    """Tell a mission's new state, in the form that profile_pam.py looks for."""
    states = dialect.enums["LEAF_MISSION_STATE"]
    name = states[state].name if state in states else f"state {state}"
    print(f"vehicle: mission {mission or '-'} "
          f"{name.removeprefix(STATE_PREFIX)}", file=sys.stderr, flush=True)
