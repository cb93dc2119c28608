# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Completion for bash: perfconv, perf-speedscope, perf-pyrecord.
#
# Commands and options are asked of the programs' own --help, so that they are those
# of the version that is installed; only values that are words of a list stand here.

_perfconv_ask()
{
	"$@" --help </dev/null 2>/dev/null
}

# Options as --help has them, one with its spellings and value a line.
_perfconv_options()
{
	sed -nE '/^ {2,6}-/{ s/^ +//; s/  +.*//; p }'
}

# What --help calls the value of option $1; nothing if it takes none.
_perfconv_value()
{
	_perfconv_options | sed -nE "s/^(.*, )?$1 (\S+)$/\2/p; s/^$1, \S+ (\S+)$/\1/p"
}

# Words of the list that option $1 takes.
_perfconv_words()
{
	case $1 in
	--format) echo speedscope firefox pprof collapsed ;;
	--frames) echo merged python native all ;;
	--view) echo wall cpu ;;
	--mode) echo auto dwarf fp ;;
	esac
}

_perfconv_pids()
{
	local folder
	for folder in /proc/[0-9]*; do
		echo "${folder#/proc/}"
	done
}

# $1: the words to choose from; $2: the word to complete.
_perfconv_choose()
{
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2")
}

# $1: the word to complete; $2: the option before it; the rest asks for help.
_perfconv_complete()
{
	local current=$1 before=$2 value='' words=''
	shift 2
	if [[ $before == -* ]]; then
		words=$(_perfconv_words "$before")
		value=$(_perfconv_ask "$@" | _perfconv_value "$before")
	fi
	if [[ $words ]]; then
		_perfconv_choose "$words" "$current"
	elif [[ $value == PID* ]]; then
		_perfconv_choose "$(_perfconv_pids)" "$current"
	elif [[ ! $value && $current == -* ]]; then
		_perfconv_choose "$(_perfconv_ask "$@" | _perfconv_options |
			sed -E 's/, /\n/g' | sed -E 's/ .*//')" "$current"
	elif [[ ! $value || $value =~ ^(FILE|DIR|EXE|FOLDER)$ ]]; then
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
	fi
}

_perfconv()
{
	local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local program=${COMP_WORDS[0]}
	COMPREPLY=()
	if [[ $before == = ]]; then
		before=${COMP_WORDS[COMP_CWORD - 2]}
	elif [[ $current == = ]]; then
		current=
	fi
	if [[ ${program##*/} != perfconv ]]; then
		_perfconv_complete "$current" "$before" "$program"
	elif ((COMP_CWORD == 1)); then
		_perfconv_choose "--help --version $(_perfconv_ask "$program" |
			sed -nE 's/^  ([a-z]+) .*/\1/p')" "$current"
	else
		_perfconv_complete "$current" "$before" "$program" "${COMP_WORDS[1]}"
	fi
}

complete -F _perfconv perfconv perf-speedscope perf-pyrecord
