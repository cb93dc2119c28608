# SPDX-License-Identifier: GPL-2.0
"""Serves what profile_pam.py asks of PAM.

Environment: STAND_IN_EXIT=FILE ends it, with status 3, once FILE is there.
STAND_IN_DEAF=1 leaves every request without a good answer, as while PAM starts.
"""

import http.server
import importlib
import json
import os
import sys
import threading
import time

ANSWERS = {
    "/health": {"status": "ok"},
    "/health/overview": {"services": [
        {"component_name": "ext_mavlink", "status": "healthy"}]},
    "/openapi.json": {"paths": {}},
}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        deaf = "STAND_IN_DEAF" in os.environ
        answer = None if deaf else ANSWERS.get(self.path)
        self.send_response(200 if answer else 404)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *_arguments):
        pass


def spin():
    while True:
        sum(range(1000))


def leave_when_told(path):
    while not os.path.exists(path):
        time.sleep(0.05)
    print("stand-in: out of fuel", flush=True)
    os._exit(3)


importlib.import_module("petal_app_manager.main")
port = int(sys.argv[sys.argv.index("--port") + 1])
server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
threading.Thread(target=spin, daemon=True).start()
if "STAND_IN_EXIT" in os.environ:
    threading.Thread(target=leave_when_told, daemon=True,
                     args=(os.environ["STAND_IN_EXIT"],)).start()
try:
    server.serve_forever(poll_interval=0.1)
except KeyboardInterrupt:
    pass
