/* SPDX-License-Identifier: GPL-2.0 */
/*
 * deferred - samples that wait for the user's part of their stack.
 *
 * A kernel that defers user callchains takes them when the task returns to user
 * mode: one CALLCHAIN_DEFERRED record serves all samples of the task before it
 * that carry its cookie.
 */
#ifndef PERFCONV_PIPELINE_DEFERRED_H
#define PERFCONV_PIPELINE_DEFERRED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perfconv/base/idmap.h"
#include "perfconv/base/mem.h"

struct deferred_sample {
	size_t sample;
	size_t before; /* another that waits for the same, or DEFERRED_NONE */
};

#define DEFERRED_NONE SIZE_MAX

/* Zero-initialised is empty. */
struct deferred {
	struct idmap keys; /* (tid, cookie) */
	VEC(size_t) last;  /* by key: the latest that waits, or DEFERRED_NONE */
	VEC(struct deferred_sample) list;
	uint64_t waiting;
};

void deferred__release(struct deferred *d);

/** deferred__wait - @sample is an index of the caller's. */
void deferred__wait(struct deferred *d, uint32_t tid, uint64_t cookie, size_t sample);

/**
 * deferred__take - one that waits for @cookie in @tid
 * Return: true with @sample set; it waits no more.  False if none is left.
 */
bool deferred__take(struct deferred *d, uint32_t tid, uint64_t cookie, size_t *sample);

#endif
