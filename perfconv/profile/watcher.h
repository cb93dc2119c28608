/* SPDX-License-Identifier: GPL-2.0 */
/*
 * watcher - who wants to see each thread's time as it is laid out, before slices
 * are merged for the sake of a file's size.
 *
 * Threads come one after the other.  Of a thread, stretches come in the order of
 * time and follow each other without overlap; where only samples are known,
 * the state is unknown between them.
 */
#ifndef PERFCONV_PROFILE_WATCHER_H
#define PERFCONV_PROFILE_WATCHER_H

#include <stdbool.h>
#include <stdint.h>

#include "perfconv/resolve/intervals.h"
#include "perfconv/resolve/reasons.h"

struct stretch {
	uint64_t begin_ns, end_ns; /* on the capture's clock */
	uint32_t stack;		   /* resolved, of single lines where they are known, or
				    * RESOLVE_NO_STACK */
	enum thread_state state;
	enum reason reason; /* while it is off its CPU */
	bool preempted;	    /* off its CPU though it could go on */
	uint64_t lock;	    /* REASON_LOCK: the address it waits at; 0: not known */
};

struct watcher {
	void *target;
	/* @id: the machine's of the thread that the next stretches are of */
	void (*thread)(void *target, uint32_t id);
	void (*stretch)(void *target, const struct stretch *s);
};

#endif
