/* SPDX-License-Identifier: GPL-2.0 */
/*
 * callchain - walk a callchain as the kernel captured it: addresses, leaf
 * first, with markers that tell whose addresses follow.
 */
#ifndef PERFCONV_UNWIND_CALLCHAIN_H
#define PERFCONV_UNWIND_CALLCHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum callchain_space {
	CALLCHAIN_USER,
	CALLCHAIN_KERNEL,
	CALLCHAIN_OTHER, /* hypervisor, guest: not ours to name */
};

struct callchain_entry {
	uint64_t ip;
	enum callchain_space space;
	bool return_address; /* not the first of its space: look it up at ip - 1 */
};

/* Walks @ips[0, n), borrowed. */
struct callchain {
	const uint64_t *ips;
	size_t n, at;
	enum callchain_space space;
	bool first;	 /* of its space */
	bool deferred;	 /* the user's part comes later, in a record of its own */
	uint64_t cookie; /* which names it */
};

/** callchain__init - @misc: the record's, for chains without a marker. */
void callchain__init(struct callchain *c, const uint64_t *ips, size_t n, uint16_t misc);

/** callchain__next - Return: false at the end. */
bool callchain__next(struct callchain *c, struct callchain_entry *out);

#endif
