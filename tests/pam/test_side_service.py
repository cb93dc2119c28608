# SPDX-License-Identifier: GPL-2.0
"""The side-service stand-in between HTTP and a real mosquitto."""

import http.server
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.error
import urllib.request

import support

try:
    import paho.mqtt.client as mqtt
except ImportError as error:
    raise unittest.SkipTest(f"{error}: run tests/pam/run.py online once") \
        from error


class SideService(support.ServiceCase):
    def setUp(self):
        mosquitto = self.need_program("mosquitto")
        self.broker = support.free_port()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        config = os.path.join(folder.name, "mosquitto.conf")
        os.chmod(folder.name, 0o755)
        with open(config, "w", encoding="ascii") as stream:
            stream.write(f"listener {self.broker} 127.0.0.1\n"
                         "allow_anonymous true\n")
        self.start([mosquitto, "-c", config])
        support.wait_for(lambda: support.accepts(self.broker))
        self.port = support.free_port()
        self.service = self.start(
            [sys.executable, "-m", "vehicle.side_service", "--port",
             str(self.port), "--broker-port", str(self.broker)],
            cwd=support.CONTRIB)
        support.wait_for(lambda: self.request("/health")[0] == 200)

    def request(self, path, body=None):
        """(status, answer) of a GET, or of a POST of `body`."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", data)
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)
        except OSError:
            return 0, {}

    def start_callback(self):
        """An HTTP server in PAM's place: (url, queue of its bodies)."""
        bodies = queue.Queue()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                length = int(self.headers["Content-Length"])
                bodies.put(json.loads(self.rfile.read(length)))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_arguments):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        url = f"http://localhost:{server.server_port}/mqtt-callback/callback"
        return url, bodies

    def start_client(self, *topics):
        """An MQTT client of the test's own: (client, queue of messages)."""
        messages = queue.Queue()
        ready = threading.Event()
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        client.on_message = lambda _c, _d, message: messages.put(
            (message.topic, json.loads(message.payload)))
        client.on_subscribe = lambda *_: ready.set()
        client.connect("127.0.0.1", self.broker)
        client.loop_start()
        self.addCleanup(client.loop_stop)
        self.addCleanup(client.disconnect)
        if topics:
            client.subscribe([(topic, 1) for topic in topics])
            self.assertTrue(ready.wait(5))
        return client, messages

    def test_message_from_the_broker_reaches_the_callback(self):
        url, bodies = self.start_callback()
        topic = "org/sim/device/x/command/edge"
        status, answer = self.request(
            "/subscribe", {"topic": topic, "callbackUrl": url})
        self.assertEqual((status, answer), (200, {"success": True}))
        client, _ = self.start_client()
        client.publish(topic, "no JSON", qos=1).wait_for_publish(5)
        payload = {"messageId": "1", "command": "x"}
        client.publish(topic, json.dumps(payload), qos=1).wait_for_publish(5)
        self.assertEqual(bodies.get(timeout=5),
                         {"topic": topic, "payload": payload})
        self.request("/unsubscribe", {"topic": topic})
        client.publish(topic, json.dumps(payload), qos=1).wait_for_publish(5)
        with self.assertRaises(queue.Empty):
            bodies.get(timeout=0.3)

    def test_publish_reaches_the_broker(self):
        _, messages = self.start_client("org/sim/device/x/response")
        status, _ = self.request(
            "/publish", {"topic": "org/sim/device/x/response",
                         "payload": {"a": [1, 2]}})
        self.assertEqual(status, 200)
        self.assertEqual(messages.get(timeout=5),
                         ("org/sim/device/x/response", {"a": [1, 2]}))

    def test_refusals(self):
        self.assertEqual(self.request("/nowhere")[0], 404)
        self.assertEqual(self.request("/nowhere", {})[0], 404)
        status, answer = self.request("/subscribe", {})
        self.assertEqual(status, 400)
        self.assertIn("topic", answer["error"])
        status, answer = self.request(
            "/subscribe", {"topic": "t", "callbackUrl": "http://192.0.2.1/"})
        self.assertEqual(status, 400)
        self.assertIn("loopback", answer["error"])
        self.assertEqual(self.request("/publish", [1])[0], 400)

    def test_no_broker_is_told_in_a_sentence(self):
        result = subprocess.run(
            [sys.executable, "-m", "vehicle.side_service", "--port",
             str(support.free_port()), "--broker-port",
             str(support.free_port())], cwd=support.CONTRIB,
            capture_output=True, text=True, timeout=20, check=False)
        self.assertEqual(result.returncode, 1)
        self.assertIn("start mosquitto", result.stderr)
