# SPDX-License-Identifier: GPL-2.0
"""Where PAM's application would be; the stand-in's server has its own."""
