# SPDX-License-Identifier: GPL-2.0
"""Lets a PAM on any machine believe that it has a drone's identity.

PAM reads its organisation from a file below /opt/droneleaf, which only a drone
has, and without it streams nothing over MQTT. With this folder in PYTHONPATH
and PAM_IDENTITY_FILE naming another file, PAM reads that one. Nothing of PAM's
is changed on disk; where the variable is not set nothing is done at all.
"""

import importlib.abc
import importlib.machinery
import os
import sys

MODULE = "petal_app_manager.organization_manager"


class Finder(importlib.abc.MetaPathFinder):
    """Finds MODULE as usual, and changes one default when it is loaded."""

    def find_spec(self, name, path, target=None):
        if name != MODULE:
            return None
        sys.meta_path.remove(self)
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader.exec_module = with_identity(spec.loader.exec_module)
        return spec


def with_identity(load):
    def exec_module(module):
        load(module)
        begin = module.OrganizationManager.__init__
        defaults = begin.__defaults__ or ()
        if defaults and isinstance(defaults[0], str):
            begin.__defaults__ = (os.environ["PAM_IDENTITY_FILE"],
                                  *defaults[1:])

    return exec_module


if os.environ.get("PAM_IDENTITY_FILE"):
    sys.meta_path.insert(0, Finder())
