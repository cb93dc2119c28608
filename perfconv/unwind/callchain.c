// SPDX-License-Identifier: GPL-2.0
#include "perfconv/unwind/callchain.h"

#include <linux/perf_event.h>

#define CONTEXT_USER_DEFERRED ((uint64_t)-640) /* newer than some headers */

static enum callchain_space space_of_misc(uint16_t misc)
{
	switch (misc & PERF_RECORD_MISC_CPUMODE_MASK) {
	case PERF_RECORD_MISC_KERNEL:
		return CALLCHAIN_KERNEL;
	case PERF_RECORD_MISC_USER:
		return CALLCHAIN_USER;
	default:
		return CALLCHAIN_OTHER;
	}
}

void callchain__init(struct callchain *c, const uint64_t *ips, size_t n, uint16_t misc)
{
	c->ips = ips;
	c->n = n;
	c->at = 0;
	c->space = space_of_misc(misc);
	c->first = true;
	c->deferred = false;
	c->cookie = 0;
}

static enum callchain_space space_of_marker(uint64_t marker)
{
	switch (marker) {
	case PERF_CONTEXT_KERNEL:
		return CALLCHAIN_KERNEL;
	case PERF_CONTEXT_USER:
		return CALLCHAIN_USER;
	default:
		return CALLCHAIN_OTHER;
	}
}

bool callchain__next(struct callchain *c, struct callchain_entry *out)
{
	while (c->at < c->n) {
		uint64_t ip = c->ips[c->at++];

		if (ip == CONTEXT_USER_DEFERRED && c->at < c->n) {
			c->deferred = true;
			c->cookie = c->ips[c->at++];
			continue;
		}
		if (ip >= (uint64_t)PERF_CONTEXT_MAX) {
			c->space = space_of_marker(ip);
			c->first = true;
			continue;
		}
		*out = (struct callchain_entry){ ip, c->space, !c->first };
		c->first = false;
		return true;
	}
	return false;
}
