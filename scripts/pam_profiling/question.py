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
import sys

PACKAGE = "petal_app_manager"
MOST_SOURCES = 500


def version(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def present(name):
    try:
        spec = util.find_spec(name)
        return spec is not None and spec.origin is not None
    except (ImportError, ValueError):
        return False


def source_of(name):
    """Path of a module's source below PACKAGE's folder; None if there is none."""
    base = os.path.join(ROOT, *name.split("."))
    for path in (os.path.join(base, "__init__.py"), base + ".py"):
        if os.path.isfile(path):
            return path
    return None


def statements(tree, functions):
    """What a module does whenever it is imported, and `functions` as well.

    What stands in a try or an if may be absent.
    """
    for node in tree.body:
        yield node
        if functions and isinstance(node, (ast.FunctionDef,
                                           ast.AsyncFunctionDef)):
            yield from statements(node, False)


def imported(tree, module, is_package):
    """Full names of what a module imports; PAM's main calls its functions at once."""
    for node in statements(tree, module == f"{PACKAGE}.main"):
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
    left, seen, known = [f"{PACKAGE}.main"], {PACKAGE}, {}
    left.append(PACKAGE)
    while left and len(seen) < MOST_SOURCES:
        module = left.pop()
        path = source_of(module)
        if path is None:
            continue
        try:
            with open(path, "rb") as stream:
                tree = ast.parse(stream.read(), path)
        except (OSError, SyntaxError, ValueError) as error:
            return f"{type(error).__name__}: {error}"
        for name in imported(tree, module, path.endswith("__init__.py")):
            top = name.partition(".")[0]
            if top == PACKAGE:
                if name not in seen:
                    seen.add(name)
                    left.append(name)
                continue
            if top not in known:
                known[top] = util.find_spec(top) is not None
            if not known[top]:
                return (f"ModuleNotFoundError: No module named '{top}', which "
                        f"{module} imports")
    return None


def read_file(path, load):
    """(What is in a file, None), or (None, why it cannot be read)."""
    try:
        with open(path, encoding="utf-8") as stream:
            return load(stream), None
    except Exception as error:  # yaml's own errors, whatever they derive from
        return None, f"{path}: {' '.join(str(error).split())[:160]}"


def missing_petals(settings):
    """Petals that are enabled and not installed, with their modules."""
    modules = settings.get("petals") or {}
    return [f"{name} ({module_of(modules[name])})"
            for key in ("startup_petals", "enabled_petals")
            for name in settings.get(key) or []
            if name in modules and not present(module_of(modules[name]))]


def module_of(petal):
    """"petal_x" of "petal_x.plugin:PetalX"."""
    return str(petal).partition(":")[0].partition(".")[0]


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
    "petals": {d.metadata["Name"]: d.version
               for d in metadata.distributions()
               if (d.metadata["Name"] or "").startswith("petal-")
               and d.metadata["Name"] != "petal-app-manager"},
    "main": None, "config": None, "proxies": None, "missing": [],
    "import_trouble": None, "config_trouble": None,
}
spec = util.find_spec(PACKAGE)
if spec and spec.submodule_search_locations:
    folder = list(spec.submodule_search_locations)[0]
    ROOT = os.path.dirname(folder)
    place = os.path.dirname(ROOT)
    answer["main"] = os.path.join(folder, "main.py")
    answer["config"] = os.path.join(place, "config.json")
    answer["proxies"] = os.path.join(place, "proxies.yaml")
    answer["import_trouble"] = import_trouble()
    if os.path.exists(answer["config"]):
        answer["config_trouble"] = read_file(answer["config"], json.load)[1]
    if present("yaml") and os.path.exists(answer["proxies"]):
        import yaml
        answer["settings"], trouble = read_file(answer["proxies"],
                                                yaml.safe_load)
        answer["config_trouble"] = answer["config_trouble"] or trouble
        if isinstance(answer["settings"], dict):
            answer["missing"] = missing_petals(answer["settings"])
print(json.dumps(answer))
