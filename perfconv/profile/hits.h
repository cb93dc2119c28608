/* SPDX-License-Identifier: GPL-2.0 */
/* hits - how many samples each stack of each thread has. */
#ifndef PERFCONV_PROFILE_HITS_H
#define PERFCONV_PROFILE_HITS_H

#include <stdint.h>

#include "perfconv/base/idmap.h"
#include "perfconv/base/mem.h"

/* Zero-initialised is empty. */
struct hits {
	struct idmap keys; /* (machine's thread id, resolved stack) */
	VEC(uint64_t) samples;
};

/** hits__add - one more sample with @stack. */
void hits__add(struct hits *h, uint32_t thread, uint32_t stack);

/** hits__of - the place in samples of what was added so, or IDMAP_NONE. */
uint32_t hits__of(const struct hits *h, uint32_t thread, uint32_t stack);
void hits__release(struct hits *h);

#endif
