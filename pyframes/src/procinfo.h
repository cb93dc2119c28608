/* SPDX-License-Identifier: MIT */
/*
 * procinfo.h - facts about this process that a converter needs and only we can see.
 */
#ifndef PYFRAMES_PROCINFO_H
#define PYFRAMES_PROCINFO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * procinfo__outer_tid() - a thread's id in the outermost pid namespace that /proc shows
 * @tid:  as this process sees it
 * @host: this process lives in the host's own pid namespace
 *
 * Return: the id, or 0 when it is not known.
 */
uint32_t procinfo__outer_tid(pid_t tid, int host);

/** procinfo__runtime() - address and size of _PyRuntime; zeroes when they are not known */
void procinfo__runtime(uint64_t *address, uint64_t *bytes);

/**
 * procinfo__build_id() - build-id of the loaded object that contains an address
 *
 * Return: its size, cut to @capacity; 0 when there is none.
 */
uint32_t procinfo__build_id(uint64_t address, uint8_t *build_id, size_t capacity);

/**
 * procinfo__set_comm() - sets a thread's name as the kernel shows it, never the main thread's
 * @tid:  a thread of this process
 * @name: UTF-8; cut to 15 bytes at a character's end
 */
void procinfo__set_comm(pid_t tid, const char *name);

#endif
