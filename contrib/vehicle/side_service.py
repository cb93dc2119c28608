# SPDX-License-Identifier: GPL-2.0
"""Stand-in for the closed MQTT side service that PAM speaks HTTP to.

    PAM --HTTP--> side service --MQTT--> broker
     ^---- POST callbackUrl {topic, payload} ----'

Endpoints, as PAM 0.2 uses them: GET /health; POST /subscribe {topic,
callbackUrl}; POST /unsubscribe {topic}; POST /publish {topic, payload}. All
answer 200 with {"success": true}, or 4xx/5xx with {"success": false, "error"}.
Payloads are JSON objects, in MQTT messages too. Loopback only.
"""

import argparse
import http.server
import json
import queue
import signal
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request

import paho.mqtt.client as mqtt

from .link import require_loopback

MAX_BODY_BYTES = 1 << 20
CALLBACK_TIMEOUT_S = 5.0


class Refused(Exception):
    """A request that cannot be carried out; the text goes to the caller."""


class Bridge:
    """The MQTT side: subscriptions with the URL each is called back on."""

    def __init__(self, host, port):
        self._callbacks = {}
        self._lock = threading.Lock()
        self._deliveries = queue.Queue()
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        self.client.on_connect = self._on_connect
        self.client.on_message = self._on_message
        self.client.connect(require_loopback(host), port)
        self.client.loop_start()
        threading.Thread(target=self._deliver, name="callbacks",
                         daemon=True).start()

    def is_connected(self):
        return self.client.is_connected()

    def subscribe(self, topic, url):
        """Subscribe; messages are posted to `url`, which may be None."""
        if url is not None:
            require_loopback_url(url)
        with self._lock:
            self._callbacks[topic] = url
        self._require_done(self.client.subscribe(topic, qos=1)[0])

    def unsubscribe(self, topic):
        with self._lock:
            self._callbacks.pop(topic, None)
        self._require_done(self.client.unsubscribe(topic)[0])

    def publish(self, topic, payload):
        self._require_done(
            self.client.publish(topic, json.dumps(payload), qos=1).rc)

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()

    @staticmethod
    def _require_done(code):
        if code != mqtt.MQTT_ERR_SUCCESS:
            raise Refused(f"the MQTT broker said: {mqtt.error_string(code)}")

    def _on_connect(self, client, _data, _flags, _reason, _properties):
        """Subscribe again after the broker was away."""
        with self._lock:
            topics = list(self._callbacks)
        for topic in topics:
            client.subscribe(topic, qos=1)

    def _on_message(self, _client, _data, message):
        try:
            payload = json.loads(message.payload)
        except ValueError:
            return  # PAM takes JSON objects only
        if not isinstance(payload, dict):
            return
        with self._lock:
            urls = {url for pattern, url in self._callbacks.items()
                    if url and mqtt.topic_matches_sub(pattern, message.topic)}
        for url in urls:
            self._deliveries.put((url, message.topic, payload))

    def _deliver(self):
        """Post messages to PAM, in order, away from the MQTT thread."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        while True:
            url, topic, payload = self._deliveries.get()
            body = json.dumps({"topic": topic, "payload": payload}).encode()
            request = urllib.request.Request(
                url, body, {"Content-Type": "application/json"})
            try:
                opener.open(request, timeout=CALLBACK_TIMEOUT_S).close()
            except (OSError, urllib.error.URLError) as error:
                print(f"side service: {url}: {error}", file=sys.stderr,
                      flush=True)


def require_loopback_url(url):
    """Raises Refused unless `url` is http on a loopback host."""
    parts = urllib.parse.urlsplit(url)
    host = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname
    try:
        require_loopback(host or "")
    except ValueError:
        host = None
    if parts.scheme != "http" or host is None:
        raise Refused(f"callbackUrl {url} is not http on a loopback address")


class Handler(http.server.BaseHTTPRequestHandler):
    """One request of PAM."""

    protocol_version = "HTTP/1.1"
    bridge = None

    def do_GET(self):
        if self.path != "/health":
            self._answer(404, {"success": False, "error": "no such path"})
        elif not self.bridge.is_connected():
            self._answer(503, {"success": False, "error": "no MQTT broker"})
        else:
            self._answer(200, {"success": True, "status": "healthy"})

    def do_POST(self):
        actions = {"/subscribe": self._subscribe,
                   "/unsubscribe": self._unsubscribe,
                   "/publish": self._publish}
        action = actions.get(self.path)
        try:
            body = self._read_body()
            if action is None:
                self._answer(404, {"success": False, "error": "no such path"})
                return
            action(body)
        except Refused as refusal:
            self._answer(400, {"success": False, "error": str(refusal)})
            return
        self._answer(200, {"success": True})

    def _subscribe(self, body):
        self.bridge.subscribe(self._topic(body), body.get("callbackUrl"))

    def _unsubscribe(self, body):
        self.bridge.unsubscribe(self._topic(body))

    def _publish(self, body):
        self.bridge.publish(self._topic(body), body.get("payload", {}))

    @staticmethod
    def _topic(body):
        topic = body.get("topic")
        if not isinstance(topic, str) or not topic:
            raise Refused("topic is missing")
        return topic

    def _read_body(self):
        """The request's JSON object; raises Refused for anything else."""
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > MAX_BODY_BYTES:
            self.close_connection = True
            raise Refused("the body is too large")
        try:
            body = json.loads(self.rfile.read(int(length)) or b"{}")
        except ValueError:
            raise Refused("the body is not JSON") from None
        if not isinstance(body, dict):
            raise Refused("the body is not a JSON object")
        return body

    def _answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments):
        """Requests are PAM's polling; only failures are worth a line."""


def parse_arguments(argv):
    parser = argparse.ArgumentParser(
        prog="python -m vehicle.side_service",
        description="HTTP stand-in for PAM's MQTT side service.")
    parser.add_argument("--host", default="127.0.0.1",
                        help="loopback address to listen on and to find the "
                             "broker on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=3004,
                        help="HTTP port (default: %(default)s)")
    parser.add_argument("--broker-port", type=int, default=1883,
                        help="MQTT broker's port (default: %(default)s)")
    return parser.parse_args(argv)


def main(argv=None):
    arguments = parse_arguments(argv)
    try:
        bridge = Bridge(arguments.host, arguments.broker_port)
    except (ValueError, OSError) as error:
        print(f"side service: no MQTT broker on {arguments.host}:"
              f"{arguments.broker_port} ({error}): start mosquitto.",
              file=sys.stderr)
        return 1
    Handler.bridge = bridge
    try:
        server = http.server.ThreadingHTTPServer(
            (arguments.host, arguments.port), Handler)
    except OSError as error:
        print(f"side service: {arguments.host}:{arguments.port}: "
              f"{error.strerror}: name a free port with --port.",
              file=sys.stderr)
        return 1
    server.daemon_threads = True
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: threading.Thread(
            target=server.shutdown, daemon=True).start())
    print(f"side service: http://{arguments.host}:{arguments.port}, broker "
          f"port {arguments.broker_port}", file=sys.stderr, flush=True)
    server.serve_forever(poll_interval=0.2)
    bridge.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
