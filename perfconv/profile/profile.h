/* SPDX-License-Identifier: GPL-2.0 */
/*
 * profile - a timeline per thread, over the whole capture, in integer
 * nanoseconds (or in the event's own unit where it does not measure time).
 *
 * A clock sample at time t with period p stands for the on-CPU time before it:
 *
 *     samples        t1          t2                     t3
 *     timeline  ...|--p1--|gap|--p2--|......gap......|--p3--|...
 *
 * Slices never overlap; a slice that would begin before the one in front ended
 * is moved behind it, so that weights are never lost.
 */
#ifndef PERFCONV_PROFILE_PROFILE_H
#define PERFCONV_PROFILE_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "perfconv/base/mem.h"
#include "perfconv/perfdata/perfdata.h"
#include "perfconv/resolve/resolve.h"
#include "perfconv/store/store.h"

struct profile_slice {
	uint64_t weight;
	uint32_t stack; /* resolved stack, or RESOLVE_NO_STACK: a gap */
};

struct profile_thread {
	char *name; /* as shown: unique within the profile */
	const char *comm;
	uint32_t pid, tid;
	bool python;	 /* the side file names it */
	uint64_t weight; /* sum over slices that are no gap */
	uint64_t samples;
	uint64_t endings[STACK_ENDINGS];
	uint64_t end; /* of the last slice, from the profile's start */
	VEC(struct profile_slice) slices;
};

struct profile {
	const struct resolved *resolved; /* borrowed */
	uint32_t event;			 /* whose samples these are */
	bool timed;			 /* weights are nanoseconds on the capture's clock */
	uint64_t start_ns, duration;	 /* of the capture; duration in the weights' unit */
	uint64_t weight, samples;
	uint64_t endings[STACK_ENDINGS];
	bool has_dumps;			    /* the event carries stack copies */
	VEC(struct profile_thread) threads; /* by (pid, main first, start, tid) */
};

/** profile__event - the event to show when nobody says which: one that measures time. */
uint32_t profile__event(const struct perfdata *data, const struct store *store);

/**
 * profile__new - timelines of the samples of @event
 *
 * The resolver, the store and the machine are borrowed; the profile refers to
 * strings and stacks of theirs.
 */
struct profile *profile__new(const struct perfdata_event *event, uint32_t event_index,
			     const struct store *store, const struct machine *machine,
			     const struct python *python, struct resolver *resolver);
void profile__free(struct profile *p);

#endif
