# SPDX-License-Identifier: GPL-2.0
"""The page of the real speedscope: a server for its release folder, and what a person does there."""
import functools
import http.server
import os
import threading
from urllib.parse import quote

from webdriver import BrowserError

VIEWS = {"Time Order": "1", "Left Heavy": "2", "Sandwich": "3"}
PROFILE_URL = "/profile/"


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves the release folder, and below PROFILE_URL the profiles of the server."""

    def translate_path(self, path):
        profile = self.server.profiles.get(path.split("?")[0])
        return profile or super().translate_path(path)

    def log_message(self, *_):
        """A test's output has no place for a line per request."""


class Server:
    """speedscope on a free port of 127.0.0.1."""

    def __init__(self, release):
        handler = functools.partial(Handler, directory=str(release))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.profiles = {}
        self.root = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, profile):
        """Where speedscope shows the profile file."""
        path = PROFILE_URL + quote(os.path.basename(profile))
        self.server.profiles[path] = str(profile)
        return f"{self.root}/index.html#profileURL={quote(self.root + path, safe='')}"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Page:
    """A profile shown by speedscope.  Methods raise BrowserError."""

    def __init__(self, browser):
        self.browser = browser

    def show(self, url, limit_s=60):
        """Open a profile and wait until it is imported."""
        # A change of the fragment alone would load nothing.
        self.browser.open("about:blank")
        self.browser.errors()
        self.browser.requested_urls()
        self.browser.open(url)
        self.browser.wait("the profile", self.is_loaded, limit_s)

    def is_loaded(self):
        text = self.browser.dialog()
        if text is not None:
            raise BrowserError(f"speedscope says: {text}")
        text = self.text()
        if "Something went wrong" in text:
            reasons = [message.splitlines()[0].split("Failed to load format", 1)[1].strip('" ')
                       for _, message in self.browser.console()
                       if "Failed to load format" in message]
            raise BrowserError(f"speedscope cannot read it: {'; '.join(reasons)}")
        return "Left Heavy" in text

    def text(self):
        return self.browser.script("return document.body.innerText")

    def select_view(self, name):
        """Show one of VIEWS by its key and wait until its tab is the active one."""
        self.browser.press(VIEWS[name])
        self.browser.wait(f"the view {name}", lambda: self.active_view() == name)

    def active_view(self):
        """The name on the tab whose background differs from the other two."""
        tabs = self.browser.script("""
            return [...document.querySelectorAll("div")]
                .filter(div => div.children.length === 1 &&
                               arguments[0].some(name => div.textContent.endsWith(name)))
                .map(div => [div.textContent, getComputedStyle(div).backgroundColor])""",
                                   list(VIEWS))
        backgrounds = [background for _, background in tabs]
        for text, background in tabs:
            if backgrounds.count(background) == 1:
                return next(name for name in VIEWS if text.endswith(name))
        return None

    def thread_names(self):
        """The names in the list of profiles, in its order."""
        if self.browser.script("return !document.querySelector('input[placeholder^=Filter]')"):
            return [self.current_thread()]
        return self.browser.script("""
            return [...document.querySelectorAll("tbody tr[title]")].map(row => row.title)""")

    def current_thread(self):
        """The name in the middle of the tool bar."""
        return self.browser.script("""
            const bar = [...document.querySelectorAll("div")].find(div =>
                div.textContent.endsWith("Sandwich") && div.children.length === 3).parentNode;
            const copy = bar.cloneNode(true);
            const list = copy.querySelector("span + div");
            if (list) list.remove();
            copy.firstChild.remove();
            copy.lastChild.remove();
            return copy.textContent.replace(/ \\(\\d+\\/\\d+\\)$/, "");""")

    def select_thread(self, name):
        """Pick a profile from the list by its name."""
        if self.current_thread() == name:
            return
        self.browser.press("t")
        point = self.browser.wait(f"the thread {name} in the list", lambda: self.browser.script("""
            const row = [...document.querySelectorAll("tbody tr[title]")]
                .find(row => row.title === arguments[0]);
            if (!row || !row.offsetParent) return null;
            row.scrollIntoView({block: "center"});
            const box = row.getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2];""", name))
        self.browser.click(*point)
        self.browser.wait(f"the thread {name}", lambda: self.current_thread() == name)

    def search(self, text):
        """Search in the current view."""
        self.browser.press("Control", "f")
        self.browser.wait("the search box", self.focus_search)
        self.browser.type(text)

    def focus_search(self):
        """Put the cursor into the search box; False if there is none."""
        return self.browser.script("""
            const box = document.querySelector("input:not([placeholder])");
            if (box) { box.focus(); box.select(); }
            return box !== null;""")

    def search_hits(self):
        """The number of hits that the search box shows, or 0."""
        return self.browser.script("""
            const match = document.body.innerText.match(/(?:\\?|\\d+)\\/(\\d+)\\s/g);
            return match ? Number(match.at(-1).split("/")[1]) : 0;""")

    def end_search(self):
        self.focus_search()
        self.browser.press("Escape")
        self.browser.wait("the end of the search", lambda: self.browser.script(
            "return !document.querySelector('input:not([placeholder])')"))

    def sandwich_row(self, name):
        """Total, self and position of a function's row in the Sandwich table, or None."""
        return self.browser.script("""
            for (const row of document.querySelectorAll("tr")) {
                const cells = [...row.querySelectorAll("td")].map(cell => cell.textContent);
                if (cells.length === 3 && cells[2] === arguments[0] && !row.title) {
                    const box = row.getBoundingClientRect();
                    return {total: cells[0], self: cells[1],
                            x: box.x + box.width - 20, y: box.y + box.height / 2};
                }
            }
            return null;""", name)
