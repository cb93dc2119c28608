/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sums - a thread's time per stack, for formats that keep no time line.
 *
 *     slices   |a |b|a |wait|a|       gaps are left out
 *     sums      a: 5 on the CPU, b: 1 on the CPU, wait: 2 off it
 */
#ifndef PERFCONV_OUTPUT_SUMS_H
#define PERFCONV_OUTPUT_SUMS_H

#include <stdint.h>

#include "perfconv/base/mem.h"
#include "perfconv/profile/profile.h"

struct sum {
	uint32_t stack;
	uint64_t on, off; /* on a CPU, and off it; in the profile's unit */
};

/* Zero-initialised is empty; may be used for one thread after the other. */
struct sums {
	struct idmap stacks; /* (stack, 0); id = index into list */
	VEC(struct sum) list;
};

/** sums__of - fill s->list with the sums of @t, by first use. */
void sums__of(struct sums *s, const struct profile_thread *t);
void sums__release(struct sums *s);

#endif
