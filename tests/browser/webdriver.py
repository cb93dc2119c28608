# SPDX-License-Identifier: GPL-2.0
"""A headless Chromium driven through chromedriver, with what these tests need of WebDriver.

    with Browser() as browser:
        browser.open("http://127.0.0.1:8000/")
        browser.script("return document.title")

The browser resolves no host name, so nothing but 127.0.0.1 can be reached; its
profile folder is new and goes away with it.
"""
import base64
import contextlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

CALL_LIMIT_S = 120
KEYS = {"Escape": "\ue00c", "Enter": "\ue007", "Control": "\ue009"}
ARGUMENTS = [
    "--headless",
    "--disable-gpu",
    # speedscope draws with WebGL; without a GPU that takes the software renderer.
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


class BrowserError(Exception):
    """What chromedriver answered, or why there is none."""


def find_program(variable, *names):
    """The program that the environment variable names, or the first name on PATH."""
    for name in (os.environ.get(variable), *names):
        if name and shutil.which(name):
            return shutil.which(name)
    raise BrowserError(f"{names[0]} is missing: run 'make setup', or name it by {variable}=")


class Driver:
    """A chromedriver process and its HTTP side."""

    def __init__(self):
        self.process = subprocess.Popen(
            [find_program("CHROMEDRIVER", "chromedriver"), "--port=0"], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.port = None
        for line in self.process.stdout:
            match = re.search(r"started successfully on port (\d+)", line)
            if match:
                self.port = int(match.group(1))
                break
        if self.port is None:
            raise BrowserError("chromedriver did not start: run it by hand to see why")
        # Nobody else reads what it prints later, and a full pipe would stop it.
        self.reader = threading.Thread(target=self.process.stdout.read, daemon=True)
        self.reader.start()

    def call(self, method, path, body=None):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=CALL_LIMIT_S) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            value = json.load(error)["value"]
            message = " ".join(value["message"].split("#0", 1)[0].split())
            raise BrowserError(f"{value['error']}: {message}") from None

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.reader.join()
        self.process.stdout.close()


class Browser:
    """One window.  Methods raise BrowserError."""

    def __init__(self, width=1280, height=800, arguments=()):
        self.stack = contextlib.ExitStack()
        try:
            self.start(width, height, arguments)
        except BaseException:
            self.stack.close()
            raise

    def start(self, width, height, arguments):
        folder = self.stack.enter_context(
            tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True))
        arguments = [*ARGUMENTS, f"--user-data-dir={folder}", f"--window-size={width},{height}",
                     *arguments]
        if os.geteuid() == 0:
            arguments.append("--no-sandbox")
        self.driver = Driver()
        self.stack.callback(self.driver.stop)
        session = self.driver.call("POST", "/session", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": {
                "binary": find_program("CHROMIUM", "chromium", "chromium-browser"),
                "args": arguments,
            },
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
            "unhandledPromptBehavior": "ignore",
        }}})
        self.path = f"/session/{session['sessionId']}"
        self.stack.callback(self.call, "DELETE", "")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stack.close()

    def call(self, method, path, body=None):
        return self.driver.call(method, self.path + path, body)

    def open(self, url):
        self.call("POST", "/url", {"url": url})

    def script(self, text, *arguments):
        """The value that the JavaScript function body returns; arguments[0] ... are given."""
        return self.call("POST", "/execute/sync", {"script": text, "args": list(arguments)})

    def press(self, *keys):
        """Press the keys in order, release them in reverse: press("Control", "f")."""
        codes = [KEYS.get(key, key) for key in keys]
        actions = [{"type": "keyDown", "value": code} for code in codes]
        actions += [{"type": "keyUp", "value": code} for code in reversed(codes)]
        self.call("POST", "/actions", {"actions": [
            {"type": "key", "id": "keyboard", "actions": actions}]})

    def type(self, text):
        for letter in text:
            self.press(letter)

    def click(self, x, y):
        """A click at a point of the window, in CSS pixels."""
        self.call("POST", "/actions", {"actions": [
            {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": [
                {"type": "pointerMove", "duration": 0, "x": round(x), "y": round(y)},
                {"type": "pointerDown", "button": 0},
                {"type": "pointerUp", "button": 0},
            ]}]})

    def move(self, x, y):
        self.call("POST", "/actions", {"actions": [
            {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": [
                {"type": "pointerMove", "duration": 0, "x": round(x), "y": round(y)}]}]})

    def screenshot(self, path):
        """The window as a PNG file; its bytes are returned too."""
        png = base64.b64decode(self.call("GET", "/screenshot"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png)
        return png

    def dialog(self):
        """The text of an open alert, or None."""
        try:
            return self.call("GET", "/alert/text")
        except BrowserError:
            return None

    def console(self):
        """Level and text of what the page wrote to its console since the last call."""
        return [(entry["level"], entry["message"].replace("\\n", "\n"))
                for entry in self.call("POST", "/se/log", {"type": "browser"})]

    def errors(self):
        """What the page wrote to its console as an error since the last call."""
        return [message for level, message in self.console() if level == "SEVERE"]

    def requested_urls(self):
        """The URLs that the page asked for since the last call."""
        urls = []
        for entry in self.call("POST", "/se/log", {"type": "performance"}):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                urls.append(message["params"]["request"]["url"])
        return urls

    def wait(self, what, condition, limit_s=30):
        """The first true value of condition(); BrowserError names what did not come."""
        end = time.monotonic() + limit_s
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() > end:
                raise BrowserError(f"{what} did not appear within {limit_s} s")
            time.sleep(0.05)
