/* SPDX-License-Identifier: GPL-2.0 */
/* summary - the first answers a person wants: the busiest threads and functions. */
#ifndef PERFCONV_ANALYZE_SUMMARY_H
#define PERFCONV_ANALYZE_SUMMARY_H

#include <stdint.h>

#include "perfconv/base/mem.h"
#include "perfconv/profile/profile.h"

struct summary_frame {
	uint32_t frame;	 /* id in resolved.frames */
	uint32_t thread; /* index: where it spent most */
	uint64_t self;	 /* weight of stacks that end in it */
	uint64_t total;	 /* weight of stacks that contain it */
};

struct summary {
	VEC(uint32_t) threads;		  /* indices with weight, busiest first */
	VEC(struct summary_frame) frames; /* by self weight, most first */
};

/** summary__init - count; released by summary__release(). */
void summary__init(struct summary *s, const struct profile *p);
void summary__release(struct summary *s);

#endif
