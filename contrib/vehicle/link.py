# SPDX-License-Identifier: GPL-2.0
"""MAVLink 2 over UDP to one loopback port.

The dialect is `all` of leaf-pymavlink, which adds the LEAF_* messages
(identifiers 77000 to 77037) to the common set.
"""

import ipaddress
import os
import select
import socket

# Read when the dialect is imported: MAVLink 2 frames, needed above id 255.
os.environ["MAVLINK20"] = "1"

from pymavlink.dialects.v20 import all as dialect  # noqa: E402

SYSTEM_ID = 1
COMPONENT_ID = 1  # MAV_COMP_ID_AUTOPILOT1


def require_loopback(host):
    """Return `host` when it is a loopback address.

    Raises ValueError for any other, and for names: a name may resolve to
    anything.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        raise ValueError(f"{host} is not an IP address: use 127.0.0.1.") \
            from None
    if not address.is_loopback or address.version != 4:
        raise ValueError(f"{host} is not an IPv4 loopback address: this "
                         "simulator talks to 127.0.0.0/8 only.")
    return host


class Link:
    """Sends to one UDP port and receives what comes back to its own."""

    def __init__(self, host, port):
        self.peer = (require_loopback(host), port)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        # Bound to loopback, so that nothing from outside reaches it either.
        self.socket.bind((host, 0))
        self.mav = dialect.MAVLink(self, srcSystem=SYSTEM_ID,
                                   srcComponent=COMPONENT_ID)
        self.mav.robust_parsing = True
        self.sent = 0

    def write(self, data):
        """Called by the encoder with one packed message."""
        try:
            self.socket.sendto(data, self.peer)
            self.sent += 1
        except (BlockingIOError, ConnectionRefusedError):
            pass  # UDP: the peer is not up yet, or its buffer is full

    def send(self, message):
        """Pack and send one message."""
        self.mav.send(message)

    def receive(self, timeout_s):
        """Messages that arrive within `timeout_s` seconds, oldest first.

        Returns as soon as there are some; [] after the timeout.
        """
        if not select.select([self.socket], [], [], max(0.0, timeout_s))[0]:
            return []
        messages = []
        while True:
            try:
                data, sender = self.socket.recvfrom(65535)
            except (BlockingIOError, ConnectionRefusedError):
                return messages
            if sender == self.peer:
                messages += self.mav.parse_buffer(data) or []

    def close(self):
        self.socket.close()
