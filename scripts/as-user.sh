#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# as-user.sh - under sudo, act for the user who called it.
#
#   scripts/as-user.sh COMMAND...       run COMMAND as that user
#   scripts/as-user.sh --give FOLDER... make the folders and give them to that user
#
# Without sudo COMMAND runs as it is, and --give does nothing.
set -eu

under_sudo()
{
	[ "$(id -u)" = 0 ] && [ "${SUDO_UID:-0}" != 0 ]
}

if [ "$1" = --give ]; then
	shift
	under_sudo || exit 0
	mkdir -p "$@"
	exec chown -R "$SUDO_UID:$SUDO_GID" "$@"
fi

under_sudo || exec "$@"
home=$(getent passwd "$SUDO_UID" | cut -d: -f6)
exec setpriv --reuid "$SUDO_UID" --regid "$SUDO_GID" --init-groups \
	env HOME="${home:-/}" "$@"
