# SPDX-License-Identifier: GPL-2.0
"""A simulated vehicle and side service, so that PAM can be profiled anywhere.

Not a flight dynamics simulation: it says what a PX4 vehicle with a Leaf flight
controller says, at the rates it says it, and answers what PAM asks. Both
programs speak to loopback addresses only.

    python -m vehicle                 telemetry and answers over MAVLink
    python -m vehicle.side_service    HTTP stand-in, bridging to an MQTT broker

    link        UDP and the MAVLink 2 encoder (loopback enforced)
    state       what the vehicle is doing: arming, flight, missions, parameters
    telemetry   messages sent on their own, each at its rate
    commands    answers to what PAM sends
    trajectory  trajectories flown for missions, over redis
"""
