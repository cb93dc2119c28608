/* SPDX-License-Identifier: GPL-2.0 */
/*
 * page - a report as one page that needs nothing else: findings, then each thread with
 * its timeline, its waits, and its stacks.
 *
 *     page          the page, its findings and tables
 *     page_strip    a thread's time as a strip, and as a bar of its parts
 *     page_flame    a thread's stacks, widest first
 *     page_usage    CPU and memory of all of them over time
 *     page_assets   style and script
 *
 * The page loads nothing: its policy forbids it, and any script but its own.
 */
#ifndef PERFCONV_OUTPUT_PAGE_H
#define PERFCONV_OUTPUT_PAGE_H

#include <stdbool.h>

#include "perfconv/analyze/report.h"
#include "perfconv/base/sink.h"
#include "perfconv/profile/profile.h"

/* What a thread does, by colour. */
enum page_state {
	PAGE_CPU,
	PAGE_QUEUE, /* ready, without a CPU */
	PAGE_GIL,
	PAGE_LOCK,
	PAGE_DISK,
	PAGE_POLL, /* waits for others: sockets, pipes, children */
	PAGE_SLEEP,
	PAGE_OTHER,
	PAGE_STATES,
};

/** page_state__of - of a wait's reason. */
enum page_state page_state__of(enum reason reason);

/** page_state__class, page_state__name - of the style; as shown.  Static storage. */
const char *page_state__class(enum page_state state);
const char *page_state__name(enum page_state state);

/** page_strip__write - the thread's timeline over @duration_ns, as SVG. */
void page_strip__write(struct sink *s, const struct profile *p, const struct profile_thread *t);

/** page_flame__write - its stacks: those on CPUs, or those off them; nothing if there are none. */
void page_flame__write(struct sink *s, const struct profile *p, const struct profile_thread *t,
		       bool off, bool open);

/** page_usage__write - CPU and memory over time, as table and curves; nothing if not known. */
void page_usage__write(struct sink *s, const struct report *r);

extern const char page_style[], page_script[], page_script_hash[];

/**
 * page__write - the page of @r
 * @p: where it came from, with the same threads; NULL: not known, so without timelines
 */
void page__write(struct sink *s, const struct report *r, const struct profile *p);

#endif
