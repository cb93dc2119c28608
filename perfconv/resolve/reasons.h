/* SPDX-License-Identifier: GPL-2.0 */
/*
 * reasons - why a thread is off its CPU, from the functions it left it in.
 *
 * The table in reasons.c is the only place that knows them; docs/waits.md
 * explains each reason to a reader of profiles.
 */
#ifndef PERFCONV_RESOLVE_REASONS_H
#define PERFCONV_RESOLVE_REASONS_H

enum reason {
	REASON_NONE, /* no function of the table */
	REASON_SLEEP,
	REASON_GIL,
	REASON_LOCK,
	REASON_POLL,
	REASON_SOCKET,
	REASON_PIPE,
	REASON_TERMINAL,
	REASON_DISK,
	REASON_PAGE_FAULT,
	REASON_CHILD,
	REASON_SIGNAL,
	REASON_STOPPED,
	REASON_KERNEL, /* a lock or a worker of the kernel's own */
	REASON_PREEMPTED,
	REASON_RUN_QUEUE, /* what it waited for has come, but no CPU is free */
	REASON_SWITCHING, /* no wait: the kernel brings it back to its CPU */
	REASON_OTHER,	  /* it waits, and no function of its chain is in the table */
	REASONS,
};

/** reason__name - as shown: "[sleep]".  Static storage. */
const char *reason__name(enum reason reason);

/** reason__by_name - of what reason__name() gives.  Return: REASONS if @name is none. */
enum reason reason__by_name(const char *name);

/** reason__of_kernel - of a kernel function, whatever the compiler appended to its name. */
enum reason reason__of_kernel(const char *function);

/** reason__of_user - of a function of the C library, where the kernel's names are hidden. */
enum reason reason__of_user(const char *function);

/**
 * reason__combine - one more function, going from the leaf outwards
 *
 * The first function with a reason decides; but whatever a page fault waits for,
 * the page fault is the reason that its Python line shows.
 */
enum reason reason__combine(enum reason inner, enum reason outer);

#endif
