#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# setup-debian.sh - install the Debian packages that are missing.
#
#   scripts/setup-debian.sh [build] [test] [demo]      without a word: all three
#
# Nothing is done, and no privilege asked for, when nothing is missing.  Services
# that come with a package (redis-server, mosquitto) are neither started nor
# enabled: the demo and the tests start their own.
set -euo pipefail

BUILD="gcc libc6-dev make pkg-config libdw-dev libelf-dev liblzma-dev libtraceevent-dev
	libzstd-dev zlib1g-dev libjansson-dev libiberty-dev libmicrohttpd-dev xz-utils"
TEST="libcmocka-dev clang clang-format clang-tidy cppcheck shellcheck man-db zsh binutils linux-perf
	elfutils gdb g++ zstd libdebuginfod1 python3 python3.11 python3.11-venv python3.11-dev redis-server mosquitto
	chromium chromium-driver chromium-sandbox libdevel-nytprof-perl
	gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user python3-setuptools python3-wheel"
DEMO="linux-perf python3 python3.11 python3.11-venv python3.11-dev redis-server mosquitto"
SERVICES="redis-server mosquitto"
NODE_MAJOR=18
POLICY=/usr/sbin/policy-rc.d

say()
{
	echo "setup: $*" >&2
}

die()
{
	say "$*"
	exit 1
}

is_installed()
{
	[[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

has_candidate()
{
	apt-cache policy "$1" 2>/dev/null | grep -q 'Candidate: [^(]'
}

# What libperf is built from: any kernel source that is there will do.
kernel_source()
{
	compgen -G '/usr/src/linux-source-*.tar.*' >/dev/null || echo linux-source-6.12
}

# A Node.js of one's own is as good as Debian's.
node_packages()
{
	local version
	version=$(node --version 2>/dev/null) || version=v0
	version=${version#v}
	if ((${version%%.*} < NODE_MAJOR)) || ! command -v npm >/dev/null; then
		echo nodejs npm
	fi
}

wanted()
{
	local group
	for group; do
		case $group in
		build) echo "$BUILD $(kernel_source)" ;;
		test) echo "$TEST $(node_packages)" ;;
		demo) echo "$DEMO" ;;
		esac
	done
}

missing()
{
	local package
	for package in $(wanted "$@"); do
		is_installed "$package" || echo "$package"
	done | sort -u
}

update_lists()
{
	apt-get update -qq >"$LOG" 2>&1 || give_up "apt-get cannot fetch its lists of packages"
}

apt_install()
{
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
		-o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=120 "$@" </dev/null >"$LOG" 2>&1
}

# With lists that are old, a package's file may be gone from the mirror.
download()
{
	apt_install --download-only "$@" && return
	update_lists
	apt_install --download-only "$@" || give_up "apt-get cannot fetch the packages"
}

give_up()
{
	tail -n 15 "$LOG" >&2
	die "$1, for the reason above: mend it, then run 'make setup' again"
}

cleanup()
{
	rm -f "$LOG"
	if [[ $OUR_POLICY ]]; then
		rm -f "$POLICY"
	fi
}

# dpkg's maintainer scripts ask this file whether they may start services.
forbid_services()
{
	[[ -e $POLICY ]] && return
	OUR_POLICY=yes
	printf '#!/bin/sh\nexit 101\n' >"$POLICY"
	chmod 755 "$POLICY"
}

disable_services()
{
	local service
	command -v systemctl >/dev/null || return 0
	for service in $SERVICES; do
		[[ " $* " == *" $service "* ]] || continue
		systemctl --quiet disable "$service" >/dev/null 2>&1 ||
			say "$service would start at the next boot: run systemctl disable $service"
	done
}

install_as_root()
{
	local package packages=("$@")
	OUR_POLICY=
	LOG=$(mktemp)
	trap cleanup EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM

	for package in "${packages[@]}"; do
		has_candidate "$package" || {
			update_lists
			break
		}
	done
	say "installing ${#packages[@]} Debian packages and what they need: ${packages[*]}"
	download "${packages[@]}"
	say "downloaded after $SECONDS s, unpacking"
	forbid_services
	apt_install "${packages[@]}" || give_up "apt-get cannot install the packages"
	disable_services "${packages[@]}"
	say "done after $SECONDS s"
}

# How to become root without waiting for a password that nobody can type.
sudo_command()
{
	command -v sudo >/dev/null || return 1
	if [[ -t 0 ]]; then
		echo sudo
	elif sudo -n true 2>/dev/null; then
		echo sudo -n
	else
		return 1
	fi
}

main()
{
	local packages sudo group
	(($#)) || set -- build test demo
	for group; do
		[[ $group =~ ^(build|test|demo)$ ]] ||
			die "$group is no group of packages: name build, test or demo"
	done
	if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
		say "this is no Debian, so nothing is installed; its packages would be: $(wanted "$@")"
		return
	fi
	read -r -d '' -a packages < <(missing "$@") || :
	((${#packages[@]})) || return 0
	if [[ $(id -u) == 0 ]]; then
		install_as_root "${packages[@]}"
	elif read -r -a sudo < <(sudo_command); then
		exec "${sudo[@]}" "${BASH_SOURCE[0]}" "$@"
	else
		die "packages are missing and you are not root: run as root: apt-get install ${packages[*]}"
	fi
}

main "$@"
