# SPDX-License-Identifier: GPL-2.0
"""Stand-in for uvicorn; see ../../README.md."""
