# SPDX-License-Identifier: GPL-2.0
"""Runs in PAM's interpreter and prints, as JSON, what that is and what is installed.

target.py passes the text of this file to it, for the interpreter may be another
user's, who cannot read this folder. It imports nothing of PAM's: what PAM would
import is read from its sources, so that a missing module is known in a fraction
of a second, before anything is started.
"""

import ast
import importlib.metadata as metadata
import importlib.util as util
import json
import os
import platform
import re
import sys

PACKAGE = "petal_app_manager"
MOST_SOURCES = 500
# A source that may change where modules are found.
CHANGES_PATH = re.compile(rb"\bsys\s*\.\s*(path|meta_path|path_hooks|modules)\b"
                          rb"|\bfrom\s+sys\s+import\b|\bimport\s+sys\s+as\b|addsitedir")
NAMES = ("startup_petals", "enabled_petals", "enabled_proxies")


def attempt(check, *arguments, default=None):
    """What a check says; the default, "not known", when it fails in any way."""
    try:
        return check(*arguments)
    except Exception:
        return default


def version(name):
    return attempt(metadata.version, name)


def present(name):
    spec = attempt(util.find_spec, name)
    return spec is not None and spec.origin is not None


def source_of(name):
    """Path of a module's source below PACKAGE's folder; None if there is none."""
    base = os.path.join(ROOT, *name.split("."))
    for path in (os.path.join(base, "__init__.py"), base + ".py"):
        if os.path.isfile(path):
            return path
    return None


def imported(tree, module, is_package):
    """Full names of what a module imports whenever it is imported itself.

    What stands in a function, an if or a try may be absent.
    """
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = module.split(".")
                parts = parts[:len(parts) - node.level + is_package]
                base = ".".join(parts + ([base] if base else []))
            yield base
            if base.partition(".")[0] == PACKAGE:
                # A module of ours, or a name in one: only the first has a source.
                yield from (f"{base}.{alias.name}" for alias in node.names)


def import_trouble():
    """Why importing PAM fails, as Python will say it; None if nothing is found."""
    left, seen, missing = [PACKAGE, f"{PACKAGE}.main"], {PACKAGE}, None
    while left and len(seen) < MOST_SOURCES:
        module = left.pop()
        path = source_of(module)
        if path is None:
            continue
        with open(path, "rb") as stream:
            source = stream.read()
        try:
            tree = ast.parse(source, path)
        except (SyntaxError, ValueError) as error:
            return f"{type(error).__name__}: {error}"
        if CHANGES_PATH.search(source):
            return None  # what is found then is not known
        for name in imported(tree, module, path.endswith("__init__.py")):
            top = name.partition(".")[0]
            if top != PACKAGE:
                if missing is None and is_absent(top):
                    missing = (f"ModuleNotFoundError: No module named '{top}', "
                               f"which {module} imports")
            elif name not in seen:
                seen.add(name)
                left.append(name)
    return missing


def is_absent(name):
    """True when a module is known not to be there."""
    try:
        return name != "" and util.find_spec(name) is None
    except Exception:  # ValueError: "__main__"; or what a finder raises
        return False


def read_file(path, load):
    """(What is in a file, None), or (None, why it cannot be read)."""
    try:
        with open(path, encoding="utf-8") as stream:
            return load(stream), None
    except (RecursionError, MemoryError):
        return None, None
    except Exception as error:  # yaml's own errors, whatever they derive from
        return None, f"{path}: {' '.join(str(error).split())[:160]}"


def names_in(settings):
    """The lists of names in proxies.yaml, which may hold anything."""
    settings = settings if isinstance(settings, dict) else {}
    found = {key: settings.get(key) for key in NAMES}
    return {key: [name for name in value if isinstance(name, str)]
            for key, value in found.items() if isinstance(value, list)}


def missing_petals(settings):
    """Petals that are enabled and not installed, with their modules."""
    names = names_in(settings)
    modules = {name: module_of(settings["petals"][name])
               for key in ("startup_petals", "enabled_petals")
               for name in names.get(key, []) if name in settings["petals"]}
    return [f"{name} ({module})" for name, module in modules.items()
            if is_absent(module)]


def module_of(petal):
    """"petal_x" of "petal_x.plugin:PetalX"."""
    return petal.partition(":")[0].partition(".")[0]


def installed_petals():
    """Distribution name -> version."""
    known = {d.metadata["Name"] or "": d.version for d in metadata.distributions()}
    return {name: known[name] for name in known
            if name.startswith("petal-") and name != "petal-app-manager"}


sys.path[:] = [entry for entry in sys.path if entry]
answer = {
    "version": platform.python_version(),
    "implementation": platform.python_implementation(),
    "executable": sys.executable,
    "pyframes": present("pyframes"),
    "pyframes_version": version("pyframes"),
    "uvicorn": present("uvicorn"),
    "paho": present("paho.mqtt.client"),
    "pymavlink": present("pymavlink"),
    "pam_version": version("petal-app-manager"),
    "petals": attempt(installed_petals, default={}),
    "main": None, "config": None, "proxies": None, "missing": [],
    "import_trouble": None, "config_trouble": None,
}
spec = attempt(util.find_spec, PACKAGE)
if spec and spec.submodule_search_locations:
    folder = list(spec.submodule_search_locations)[0]
    ROOT = os.path.dirname(folder)
    place = os.path.dirname(ROOT)
    answer["main"] = os.path.join(folder, "main.py")
    answer["config"] = os.path.join(place, "config.json")
    answer["proxies"] = os.path.join(place, "proxies.yaml")
    answer["import_trouble"] = attempt(import_trouble)
    if os.path.exists(answer["config"]):
        answer["config_trouble"] = read_file(answer["config"], json.load)[1]
    if present("yaml") and os.path.exists(answer["proxies"]):
        import yaml
        settings, trouble = read_file(answer["proxies"], yaml.safe_load)
        answer["config_trouble"] = answer["config_trouble"] or trouble
        answer["settings"] = names_in(settings)
        answer["missing"] = attempt(missing_petals, settings, default=[])
print(json.dumps(answer))
