/* SPDX-License-Identifier: GPL-2.0 */
/*
 * summary - the first answers a person wants: the busiest threads, and the
 * functions that the time belongs to.
 *
 * Time belongs to the innermost Python function of a stack, with all native
 * code that it called; in a stack without Python, to the innermost function.
 * Time off the CPU is nobody's here.
 */
#ifndef PERFCONV_ANALYZE_SUMMARY_H
#define PERFCONV_ANALYZE_SUMMARY_H

#include <stdint.h>

#include "perfconv/base/mem.h"
#include "perfconv/profile/profile.h"

struct summary_frame {
	uint32_t frame; /* id in resolved.frames */
	uint64_t own;	/* weight that belongs to it */
	uint64_t total; /* weight of all stacks that contain it */
};

struct summary_thread {
	uint32_t thread; /* index in profile.threads */
	uint32_t frame;	 /* that most of its weight belongs to */
	uint64_t own;	 /* how much */
};

struct summary {
	VEC(struct summary_thread) threads; /* those with weight, busiest first */
	VEC(struct summary_frame) frames;   /* those with weight of their own, most first */
};

/** summary__init - count; released by summary__release(). */
void summary__init(struct summary *s, const struct profile *p);
void summary__release(struct summary *s);

#endif
