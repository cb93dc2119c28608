# SPDX-License-Identifier: GPL-2.0
"""Stand-in for PAM's package; see ../../README.md."""
