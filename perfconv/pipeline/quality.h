/* SPDX-License-Identifier: GPL-2.0 */
/* quality - how far a capture's stacks and names can be relied on, in counts. */
#ifndef PERFCONV_PIPELINE_QUALITY_H
#define PERFCONV_PIPELINE_QUALITY_H

#include <stdint.h>

#include "perfconv/pipeline/capture.h"
#include "perfconv/pipeline/chains.h"

/*
 * Which samples are counted: those of events with stack dumps that have user
 * registers; in a capture without dumps those of events that measure time and
 * have callchains.  Never those of sched:sched_switch and of calibration events,
 * doubled ones never.
 */
struct quality {
	uint64_t complete;  /* reach the start of the program or thread */
	uint64_t truncated; /* the dump ended before the stack did */
	uint64_t lost;	    /* no rule to go on, or the chain ends on its way */
	uint64_t stitched;  /* those of complete that were completed from others */
	struct chains_verdict chains;
	uint64_t places;	    /* unique addresses in the stacks */
	uint64_t unresolved_places; /* those that nobody names */
};

/** quality__count - over the whole capture; may open files that it names. */
struct quality quality__count(const struct capture *c);

/** quality__is_part - the small copies at switches are parts of stacks, and known to be. */
bool quality__is_part(const struct perfdata_event *e);

#endif
