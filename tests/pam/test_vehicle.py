# SPDX-License-Identifier: GPL-2.0
"""The simulated vehicle, heard by a real MAVLink receiver."""

import json
import math
import subprocess
import sys
import time
import unittest

import support

try:
    from pymavlink import mavutil
    from vehicle.link import dialect, require_loopback
    from vehicle.state import GROUND_TIME_S, Vehicle
    from vehicle.telemetry import DEFAULT_RATES, MESSAGES, Telemetry
    from vehicle.__main__ import parse_rates
except ImportError as error:
    raise unittest.SkipTest(f"{error}: run tests/pam/run.py online once") \
        from error


class Flight(unittest.TestCase):
    """State alone, on a clock that the test turns."""

    def test_arm_take_off_land(self):
        vehicle = Vehicle(0.0)
        vehicle.arm_idle(1)
        self.assertEqual(vehicle.status, dialect.LEAF_STATUS_ARMED_IDLE)
        for _ in range(4):  # PAM repeats every command
            vehicle.take_off(2.0)
        self.assertEqual(vehicle.status, dialect.LEAF_STATUS_FLYING)
        for tick in range(1, 31):
            vehicle.step(tick * 0.1)
        self.assertAlmostEqual(vehicle.position[2], -2.0)
        vehicle.land()
        vehicle.land()
        self.assertEqual(vehicle.status, dialect.LEAF_STATUS_LANDING)
        vehicle.step(10.0)
        self.assertEqual(vehicle.status, dialect.LEAF_STATUS_LANDED)
        self.assertEqual(vehicle.take_landings(), 1)
        self.assertEqual(vehicle.take_landings(), 0)
        vehicle.step(10.1 + GROUND_TIME_S)
        self.assertEqual(vehicle.status, dialect.LEAF_STATUS_READY_TO_FLY)

    def test_land_on_the_ground_changes_nothing(self):
        vehicle = Vehicle(0.0)
        vehicle.land()
        self.assertEqual(vehicle.status, dialect.LEAF_STATUS_READY_TO_FLY)

    def test_every_message_packs_in_every_state(self):
        vehicle = Vehicle(0.0)
        mav = dialect.MAVLink(None, 1, 1)
        for status in (2, 4, 5, 6, 7):
            vehicle.status = status
            vehicle.step(1.0 * status)
            for make in MESSAGES.values():
                self.assertTrue(make(vehicle, 1.0 * status).pack(mav))

    def test_a_slow_loop_sends_once_and_catches_up(self):
        class Counter:
            count = 0

            def send(self, _message):
                self.count += 1

        telemetry = Telemetry({"attitude": 50.0, "heartbeat": 0.0}, 0.0)
        counter = Counter()
        telemetry.send_due(Vehicle(0.0), counter, 10.0)
        self.assertEqual(counter.count, 1)
        self.assertAlmostEqual(telemetry.next_due(), 10.0)
        self.assertEqual(Telemetry({}, 0.0).next_due(), math.inf)


class CommandLine(unittest.TestCase):
    def test_only_loopback(self):
        self.assertEqual(require_loopback("127.0.0.2"), "127.0.0.2")
        for host in ("192.0.2.1", "0.0.0.0", "localhost", "::1", ""):
            with self.assertRaises(ValueError, msg=host):
                require_loopback(host)

    def test_rates(self):
        rates = parse_rates(["rc_channels=50", "ATTITUDE=0"])
        self.assertEqual(rates["rc_channels"], 50.0)
        self.assertEqual(rates["attitude"], 0.0)
        self.assertEqual(rates["heartbeat"], DEFAULT_RATES["heartbeat"])
        for wrong in ("rc_channels", "rc_channels=fast"):
            with self.assertRaises(ValueError):
                parse_rates([wrong])
        for wrong in ({"no_such": 1.0}, {"attitude": 1e6},
                      {"attitude": -1.0}):
            with self.assertRaises(ValueError):
                Telemetry(wrong, 0.0)


class OnTheWire(support.ServiceCase):
    def setUp(self):
        self.port = support.free_port(2)
        self.receiver = mavutil.mavlink_connection(
            f"udpin:127.0.0.1:{self.port}", dialect="all",
            source_system=2, source_component=140)
        self.addCleanup(self.receiver.close)

    def fly(self, *arguments):
        return self.start(
            [sys.executable, "-m", "vehicle", "--port", str(self.port),
             *arguments], cwd=support.CONTRIB, stderr=subprocess.PIPE)

    def await_message(self, kind, condition=lambda message: True):
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            message = self.receiver.recv_match(type=kind, blocking=True,
                                               timeout=0.5)
            if message is not None and condition(message):
                return message
        raise AssertionError(f"no such {kind} within 5 s")

    def test_all_messages_arrive_at_their_rates(self):
        self.fly("--rate", "rc_channels=40", "--rate", "attitude=20",
                 "--rate", "heartbeat=5")
        first = self.await_message("HEARTBEAT")
        self.assertEqual((first.get_srcSystem(), first.get_srcComponent()),
                         (1, 1))
        self.assertEqual(first.autopilot, dialect.MAV_AUTOPILOT_PX4)
        counts = {}
        end = time.monotonic() + 2.0
        while time.monotonic() < end:
            message = self.receiver.recv_match(blocking=True, timeout=0.2)
            if message is not None:
                kind = message.get_type()
                counts[kind] = counts.get(kind, 0) + 1
        self.assertEqual({name.upper() for name in DEFAULT_RATES}
                         - set(counts), set())
        self.assertTrue(60 <= counts["RC_CHANNELS"] <= 90, counts)
        self.assertTrue(30 <= counts["ATTITUDE"] <= 50, counts)

    def test_parameters_keep_the_bits_of_integers(self):
        self.fly()
        self.await_message("HEARTBEAT")
        value = 4.2038953929744512e-45  # the float with the bits of int 3
        self.receiver.mav.param_set_send(1, 1, b"CA_ROTOR_COUNT", value, 6)
        answer = self.await_message("PARAM_VALUE")
        self.assertEqual(answer.param_id, "CA_ROTOR_COUNT")
        self.assertEqual(answer.param_value, value)
        self.receiver.mav.param_request_read_send(
            1, 1, b"CA_ROTOR_COUNT", -1)
        answer = self.await_message("PARAM_VALUE")
        self.assertEqual((answer.param_value, answer.param_type), (value, 6))

    def test_command_is_acknowledged(self):
        self.fly()
        self.await_message("HEARTBEAT")
        self.receiver.mav.command_long_send(1, 1, 310, 0, *[0.0] * 7)
        ack = self.await_message("COMMAND_ACK")
        self.assertEqual((ack.command, ack.result, ack.target_system),
                         (310, dialect.MAV_RESULT_ACCEPTED, 2))

    def test_take_off_and_land(self):
        self.fly()
        self.await_message("HEARTBEAT")
        for _ in range(4):
            self.receiver.mav.leaf_do_arm_idle_send(1, 1)
        self.await_message("LEAF_STATUS", lambda m: m.status == 7)
        for _ in range(4):
            self.receiver.mav.leaf_do_takeoff_send(1, 0.5)
        self.await_message("LEAF_STATUS", lambda m: m.status == 4)
        self.await_message("LOCAL_POSITION_NED", lambda m: m.z <= -0.45)
        self.receiver.mav.leaf_do_land_send(1)
        self.await_message("LEAF_STATUS", lambda m: m.status == 5)
        self.await_message("LEAF_STATUS", lambda m: m.status == 6)

    def test_mission_state_is_mirrored_and_started(self):
        self.fly("--start-missions")
        self.await_message("HEARTBEAT")
        self.receiver.mav.leaf_set_mission_state_send(1, 1, b"main")
        self.await_message("LEAF_MISSION_STATUS", lambda m: m.status == 1)
        start = self.await_message("LEAF_DO_QGC_MISSION_CONTROL_CMD")
        self.assertEqual((start.cmd, start.mission_id),
                         (dialect.LEAF_MISSION_CONTROL_START, "main"))
        self.receiver.mav.leaf_set_mission_state_send(1, 2, b"main")
        ack = self.await_message("LEAF_ACK_MISSION_RUN")
        self.assertEqual(ack.mission_id, "main")

    def test_a_start_that_was_lost_is_sent_again_until_pam_goes_on(self):
        self.fly("--start-missions")
        self.await_message("HEARTBEAT")
        self.receiver.mav.leaf_set_mission_state_send(1, 1, b"main")
        for _ in range(2):
            self.await_message("LEAF_DO_QGC_MISSION_CONTROL_CMD")
        self.receiver.mav.leaf_set_mission_state_send(1, 2, b"main")
        self.await_message("LEAF_ACK_MISSION_RUN")
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            message = self.receiver.recv_match(blocking=True, timeout=0.2)
            self.assertNotEqual(message and message.get_type(),
                                "LEAF_DO_QGC_MISSION_CONTROL_CMD")

    def test_each_state_of_a_mission_is_told_once_though_bursts_mix(self):
        process = self.fly()
        self.await_message("HEARTBEAT")
        for state in (1, 2, 1, 2, 6, 0, 6, 0):
            self.receiver.mav.leaf_set_mission_state_send(1, state, b"main")
            self.await_message("LEAF_MISSION_STATUS",
                               lambda m, state=state: m.status == state)
        process.terminate()
        lines = [line.split()[-1] for line in process.stderr.read().splitlines()
                 if "mission main" in line]
        self.assertEqual(lines, ["READY", "RUNNING", "COMPLETED", "IDLE"])

    def test_trajectories_are_completed_over_redis(self):
        import redis
        port = self.start_redis()
        client = redis.Redis(port=port, decode_responses=True)
        done = client.pubsub(ignore_subscribe_messages=True)
        done.subscribe("/petal-leafsdk/notify_trajectory_completed")
        done.get_message(timeout=1)
        self.fly("--redis-port", str(port))
        self.await_message("HEARTBEAT")
        channel = "/traj_sys/queue_traj_primitive_pos"
        client.publish(channel, "not json")
        support.wait_for(lambda: client.publish(
            channel, json.dumps({"trajectory_id": "leg-1"})))
        message = support.wait_for(lambda: done.get_message(timeout=0.1))
        self.assertEqual(json.loads(message["data"]),
                         {"trajectory_id": "leg-1"})

    def test_ends_cleanly_on_sigterm(self):
        process = self.fly()
        self.await_message("HEARTBEAT")
        process.terminate()
        self.assertEqual(process.wait(timeout=3), 0)
        self.assertIn("vehicle: sent", process.stderr.read())

    def test_refuses_other_hosts(self):
        process = self.fly("--host", "192.0.2.1")
        self.assertEqual(process.wait(timeout=5), 1)
        self.assertIn("127.0.0.0/8 only", process.stderr.read())
