# SPDX-License-Identifier: GPL-2.0
"""perfconv view, as a person uses it, and as a foreign page would like to."""
import http.client
import http.server
import json
import os
import signal
import subprocess
import threading
from urllib.parse import urlsplit

from speedscope import VIEWS, Page
from webdriver import KEYS

LIMIT_S = 30
HOSTILE = "<img src=x onerror=document.title=1>.speedscope.json"
KEYS.update({"ArrowDown": "\ue015", "ArrowUp": "\ue013"})


class Failure(Exception):
    """What is wrong with the viewer."""


def expect(condition, message):
    if not condition:
        raise Failure(message)


class Viewer:
    """A perfconv view that runs while the context does."""

    def __init__(self, perfconv, release, files):
        self.process = subprocess.Popen(
            [perfconv, "view", "--speedscope", release, *files], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()
        expect(self.url.startswith("http://127.0.0.1:"),
               self.url or self.process.communicate()[1].strip())
        self.parts = urlsplit(self.url)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.communicate()

    def ask(self, path, method="GET", host=None, headers=()):
        """Status, headers and body of an answer; @path is below the token, or absolute."""
        connection = http.client.HTTPConnection("127.0.0.1", self.parts.port, timeout=LIMIT_S)
        path = path if path.startswith("/") else self.parts.path + path
        connection.putrequest(method, path, skip_host=True)
        connection.putheader("Host", host or self.parts.netloc)
        for header in dict(headers).items():
            connection.putheader(*header)
        connection.endheaders()
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, dict(answer.getheaders()), body


def check_answers(viewer):
    """Only who knows the address, and calls us by our name, gets anything."""
    for path in "", "view.js", "list.json", "speedscope/index.html", "profile/0/x.json", "report/0":
        status, headers, _ = viewer.ask(path)
        expect(status == 200, f"{path or 'the list'} answers {status}")
        expect("default-src 'none'" in headers["Content-Security-Policy"], f"{path}: no policy")
        expect(headers["X-Content-Type-Options"] == "nosniff", f"{path}: types can be guessed")
        expect(headers["Cross-Origin-Resource-Policy"] == "same-origin", f"{path}: others may use it")
        expect("Access-Control-Allow-Origin" not in headers, f"{path}: others may read it")
    for path in ("/", "/" + "0" * 32 + "/", viewer.parts.path[:-2] + "/", "profile/99/x",
                 "profile/-1/x", "profile/0", "profile/0x/y", "report/0/x", "report/99", "nothing",
                 "speedscope/", "speedscope/../index.html", "speedscope/..%2findex.html",
                 "speedscope/.hidden", "profile/18446744073709551616/x"):
        expect(viewer.ask(path)[0] == 404, f"{path} answers {viewer.ask(path)[0]}")
    port = viewer.parts.port
    for host in "evil.example", f"evil.example:{port}", "127.0.0.1", f"127.0.0.1:{port + 1}":
        expect(viewer.ask("", host=host)[0] == 403, f"it answers to the name {host}")
    expect(viewer.ask("", host=f"localhost:{port}")[0] == 200, "it does not answer to localhost")
    for origin in ("http://evil.example", "null", f"https://127.0.0.1:{port}", "http://",
                   f"http://127.0.0.1:{port}0"):
        expect(viewer.ask("list.json", headers={"Origin": origin})[0] == 403,
               f"it answers to pages of {origin}")
    own = {"Origin": viewer.url.split(viewer.parts.path)[0], "Sec-Fetch-Site": "same-origin"}
    expect(viewer.ask("list.json", headers=own)[0] == 200, "it does not answer to its own pages")
    embedded = {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
    framed = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}
    followed = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    for site in "cross-site", "same-site":
        site = {"Sec-Fetch-Site": site}
        for how in {}, embedded, framed:
            expect(viewer.ask("", headers={**site, **how})[0] == 403, f"it answers to {how}")
        expect(viewer.ask("", headers={**site, **followed})[0] == 200, "links to it do not work")
    for method in "POST", "PUT", "DELETE", "OPTIONS":
        expect(viewer.ask("", method)[0] == 405, f"{method} is answered")


def check_others_cannot_connect(viewer):
    """The port is open on 127.0.0.1 alone."""
    with open("/proc/net/tcp", encoding="ascii") as table:
        listening = [line.split()[1] for line in table if line.split()[3] == "0A"]
    port = f"{viewer.parts.port:04X}"
    addresses = {entry.split(":")[0] for entry in listening if entry.split(":")[1] == port}
    expect(addresses == {"0100007F"}, f"it listens at {addresses}")


def check_foreign_page(viewer, browser):
    """A page of another origin, which somehow learned the address, can read nothing."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<title>foreign</title>")

        def log_message(self, *_):
            """A test's output has no place for a line per request."""

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    browser.open(f"http://127.0.0.1:{server.server_port}/")
    for mode in "cors", "no-cors":
        browser.script("""
            window.outcome = null;
            fetch(arguments[0], {mode: arguments[1]}).then(a => a.text())
                .then(t => window.outcome = 'read ' + t.length, e => window.outcome = 'refused')
            """, viewer.url + "list.json", mode)
        outcome = browser.wait("an outcome", lambda: browser.script("return window.outcome"))
        expect(outcome == "refused", f"a foreign page has {outcome} bytes ({mode})")
    server.shutdown()
    server.server_close()
    browser.errors()
    browser.requested_urls()


def titles(browser):
    return browser.script("return [...document.querySelectorAll('h2')].map(h => h.textContent)")


def open_list(viewer, browser, wanted):
    browser.open("about:blank")
    browser.open(viewer.url)
    browser.wait("the list", lambda: len(titles(browser)) == wanted)


def check_list(viewer, browser, profiles):
    open_list(viewer, browser, len(profiles))
    shown = browser.script("return document.body.innerText")
    for path in profiles:
        content = json.loads(path.read_text()) if path.suffix == ".json" else {}
        expect(content.get("name", path.name) in shown, f"{path.name} is not in the list")
        about = content.get("perfconv", {})
        for text in about.get("event"), about.get("startTime"), about.get("host", {}).get("name"):
            expect(not text or text in shown, f"the list does not say {text}")
    expect(browser.script("return document.title") == "perfconv view", "a file's name is markup")
    expect(browser.script("return document.images.length") == 0, "a file's name is markup")


def check_look(viewer, browser, width, scheme, picture, profiles):
    """The list fits the window, in the colours that are asked for."""
    for command, parameters in (
            ("setDeviceMetricsOverride", {"width": width, "height": 900, "deviceScaleFactor": 1,
                                          "mobile": False}),
            ("setEmulatedMedia", {"features": [{"name": "prefers-color-scheme",
                                                "value": scheme}]})):
        browser.call("POST", "/goog/cdp/execute", {"cmd": f"Emulation.{command}",
                                                   "params": parameters})
    open_list(viewer, browser, len(profiles))
    browser.screenshot(picture)
    wide = browser.script("return document.documentElement.scrollWidth")
    expect(wide <= width, f"it is {wide} pixels wide")
    text = browser.script("return getComputedStyle(document.body).color")
    bright = sum(int(part) for part in text[4:-1].split(",")[:3]) > 384
    expect(bright == (scheme == "dark"), f"its text is {text}")


def focused(browser):
    return browser.script("""
        const item = document.activeElement.closest('li');
        return item && [...document.querySelectorAll('li')].indexOf(item);""")


def check_keyboard(viewer, browser, profiles):
    open_list(viewer, browser, len(profiles))
    expect(browser.wait("the focus", lambda: focused(browser) is not None) and
           focused(browser) == 0, "the first profile is not chosen")
    for key, expected in (("ArrowDown", 1), ("ArrowDown", 2), ("ArrowDown", 2), ("ArrowUp", 1)):
        browser.press(key)
        expect(focused(browser) == expected, f"{key} chooses {focused(browser)}")
    browser.press("ArrowUp")
    browser.press("Enter")
    page = Page(browser)
    browser.wait("speedscope", page.is_loaded)


def check_speedscope(browser, threads):
    """What the keyboard opened: another thread, and the three views."""
    page = Page(browser)
    names = page.thread_names()
    for name in threads:
        expect(name in names, f"speedscope's list has no {name}: it has {', '.join(names)}")
        page.select_thread(name)
    for view in VIEWS:
        page.select_view(view)


def check_report(viewer, browser, profiles):
    open_list(viewer, browser, len(profiles))
    browser.wait("the focus", lambda: focused(browser) == 0)
    browser.press("r")
    browser.wait("the report", lambda: "perfconv report" in browser.script(
        "return document.title"))
    expect(browser.script("return location.href") == viewer.url + "report/0", "it is elsewhere")


def check_quiet(viewer, browser):
    errors = browser.errors()
    expect(not errors, "; ".join(errors))
    strange = [url for url in browser.requested_urls()
               if urlsplit(url).scheme in ("http", "https", "ws", "wss")
               and not url.startswith(viewer.url) and not url.endswith("/favicon.ico")]
    expect(not strange, f"the pages asked for {', '.join(strange)}")


def check_end(perfconv, release, profile, folder):
    """Signals end it with success, and nothing is left."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in signal.SIGINT, signal.SIGTERM:
        viewer = subprocess.Popen([perfconv, "view", "--speedscope", release, profile],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, env={**os.environ, "TMPDIR": folder})
        viewer.stdout.readline()
        expect(list(folder.iterdir()), "it keeps its files elsewhere")
        viewer.send_signal(number)
        viewer.communicate(timeout=LIMIT_S)
        expect(viewer.returncode == 0, f"{number} ends it with {viewer.returncode}")
        expect(not list(folder.iterdir()), "files are left behind")


def check_refusals(perfconv, release, capture, folder):
    for arguments, word in (([], "one or more profiles"), ([capture], "perfconv convert -i"),
                            (["no such file"], "no such file"),
                            (["--speedscope", folder, capture.parent / "README.md"], "README.md"),
                            (["--port", "70000", "x"], "--port")):
        done = subprocess.run([perfconv, "view", *arguments], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=LIMIT_S, check=False)
        expect(done.returncode and word in done.stderr, f"{arguments}: {done.stderr}")
