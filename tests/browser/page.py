# SPDX-License-Identifier: GPL-2.0
"""The page of `perfconv report --format html`, as a person opens it: from a file."""
import json
import subprocess
from pathlib import Path

from png import colours

HOSTILE = "</script><script>document.title='hacked'</script><img src=x onerror=\"document.title=1\">'&"
WIDTHS = 1280, 400
SCHEMES = "light", "dark"
HEIGHT = 900
COLOURS = 8


def frames_of(value):
    """Each object below value that says where a function is."""
    if isinstance(value, dict):
        if "file" in value:
            yield value
        for one in value.values():
            yield from frames_of(one)
    elif isinstance(value, list):
        for one in value:
            yield from frames_of(one)


def make_page(perfconv, capture, folder, hostile):
    """The page of a capture's profile; a hostile one has markup for all names."""
    folder.mkdir(parents=True, exist_ok=True)
    profile, page = folder / "page.speedscope.json", folder / "page.html"
    run([perfconv, "convert", "-q", "-i", capture, "-o", profile])
    if hostile:
        content = json.loads(profile.read_bytes())
        ours = content["perfconv"]
        content["name"] = ours["report"]["title"] = HOSTILE
        for number, one in enumerate(content["profiles"]):
            one["name"] = f"{HOSTILE} {number}"
        for number, one in enumerate(ours["report"]["threads"]):
            one.update(name=f"{HOSTILE} {number}", group=HOSTILE)
        for one in content["shared"]["frames"]:
            if not one["name"].startswith("["):
                one.update(name=HOSTILE, file=HOSTILE)
        for finding in ours["findings"]:
            finding.update({key: HOSTILE for key in finding if isinstance(finding[key], str)
                            and key not in ("rule", "severity")})
        for one in frames_of([ours["findings"], ours["report"]]):
            one.update(name=HOSTILE, file=HOSTILE)
        profile.write_text(json.dumps(content))
    run([perfconv, "report", "--format", "html", "-o", page, profile])
    return profile, page


def run(command):
    done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False)
    if done.returncode:
        raise AssertionError(done.stdout.strip())


class ReportPage:
    """A page that is open in a browser."""

    def __init__(self, browser, path):
        self.browser = browser
        self.url = Path(path).resolve().as_uri()

    def show(self, width, scheme):
        self.command("Emulation.setDeviceMetricsOverride",
                     {"width": width, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False})
        self.command("Emulation.setEmulatedMedia",
                     {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
        self.browser.requested_urls()
        self.browser.open(self.url)

    def command(self, name, parameters):
        self.browser.call("POST", "/goog/cdp/execute", {"cmd": name, "params": parameters})

    def texts(self, selector):
        return self.browser.script(
            "return Array.from(document.querySelectorAll(arguments[0]))"
            ".map(one => one.textContent)", selector)

    def too_wide(self):
        """By how many pixels the page is wider than the window."""
        return self.browser.script("return document.documentElement.scrollWidth - innerWidth")

    def box(self, selector, number=0):
        return self.browser.script(
            "const all = document.querySelectorAll(arguments[0]), box = all[arguments[1]];"
            "box.scrollIntoView({block: 'center'}); const r = box.getBoundingClientRect();"
            "return {x: r.x, y: r.y, width: r.width, height: r.height}", selector, number)


def check_look(page, width, scheme, picture):
    """Problems of the page at this width, a list of sentences."""
    page.show(width, scheme)
    png = page.browser.screenshot(picture)
    wrong = []
    if page.too_wide() > 0:
        wrong.append(f"it is {page.too_wide()} pixels wider than the window")
    if colours(png, 0) < COLOURS:
        wrong.append(f"it has {colours(png, 0)} colours")
    background = page.browser.script("return getComputedStyle(document.body).backgroundColor")
    dark = sum(int(part) for part in background[4:-1].split(",")[:3]) < 384
    if dark != (scheme == "dark"):
        wrong.append(f"its background is {background}")
    for selector in ".thread .strip", ".thread .bar", ".flame i":
        box = page.box(selector)
        if box["width"] < 20 or box["height"] < 8:
            wrong.append(f"{selector} is {box['width']} x {box['height']} pixels")
    page.browser.screenshot(picture.with_name(picture.stem + "-thread.png"))
    return wrong + [f"the console says {message}" for message in page.browser.errors()]


def check_content(page, profile, hostile):
    """That the findings and threads of the profile are there, as text."""
    content = json.loads(Path(profile).read_bytes())["perfconv"]
    names = page.texts(".thread h3")
    wrong = [f"thread {one['name']} is missing" for one in content["report"]["threads"]
             if not any(name.startswith(one["name"]) for name in names)]
    findings = page.texts(".finding")
    if len(findings) != len(content["findings"]) or not findings:
        wrong.append(f"it shows {len(findings)} findings of {len(content['findings'])}")
    wrong += [f"finding {one['title']} is missing" for one in content["findings"]
              if not any(one["title"] in text and one["advice"] in text for text in findings)]
    if hostile and page.browser.script(
            "return document.images.length + document.scripts.length") != 1:
        wrong.append("a name became markup")
    if page.browser.script("return document.title") in ("hacked", "1"):
        wrong.append("a name became a script")
    return wrong


def check_network(page):
    """The page opened by itself alone: nothing but its own file was asked for."""
    page.show(WIDTHS[0], SCHEMES[0])
    asked = [url for url in page.browser.requested_urls()
             if url != page.url and not url.startswith(("data:", "chrome:"))]
    return [f"it asked for {url}" for url in asked]


def check_script(page):
    """Search marks boxes, a click makes one as wide as the graph, Escape undoes it."""
    page.show(WIDTHS[0], SCHEMES[0])
    wrong = []
    name = page.texts(".thread details[open] .flame i")[0]
    page.browser.script("const f = document.getElementById('find'); f.value = arguments[0];"
                        "f.dispatchEvent(new Event('input'))", name)
    if not page.texts(".flame i.hit") or "box" not in page.texts("#found")[0]:
        wrong.append(f"a search for {name} marks nothing")
    selector = ".thread details[open] .flame i"
    whole = page.box(".thread details[open] .flame")["width"]
    narrow = page.browser.script(
        "return Array.from(document.querySelector('.thread details[open] .flame')"
        ".querySelectorAll('i')).findIndex(one => one.offsetWidth > 20 && one.offsetWidth"
        " < arguments[0] * 0.8)", whole)
    if narrow < 0:
        return wrong + ["no box is narrower than the graph"]
    box = page.box(selector, narrow)
    page.browser.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    if abs(page.box(selector, narrow)["width"] - whole) > 2:
        wrong.append("a click does not widen a box")
    page.browser.press("Escape")
    if abs(page.box(selector, narrow)["width"] - box["width"]) > 2:
        wrong.append("Escape does not undo it")
    return wrong + [f"the console says {message}" for message in page.browser.errors()]
