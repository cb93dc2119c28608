/* SPDX-License-Identifier: GPL-2.0 */
/*
 * chains - do a capture's callchains look as if the program kept frame pointers?
 *
 * The kernel follows frame pointers blindly.  In code that has none the register
 * holds anything: chains end after one or two frames, in addresses that are no
 * code, each time somewhere else.  In code that has them nearly all chains of a
 * thread end at the same call: that of its first function.
 */
#ifndef PERFCONV_PIPELINE_CHAINS_H
#define PERFCONV_PIPELINE_CHAINS_H

#include <stdint.h>

#include "perfconv/pipeline/capture.h"

/* What to record instead. */
#define CHAINS_REMEDY "--call-graph dwarf,65528 in place of -g"

/* Of one process' callchains that have a user's part. */
struct chains_process {
	uint32_t process;      /* machine's id */
	uint32_t median_depth; /* user frames */
	uint64_t samples;
	uint64_t reaching; /* end where most of their thread's do, at a call */
	uint64_t unmapped; /* end at an address that is no code */
};

/* What all processes together show. */
struct chains_verdict {
	uint64_t processes;	     /* without frame pointers */
	struct chains_process worst; /* of those the one with most samples */
};

/**
 * chains__judge - over captures without stack dumps; others need no frame pointers
 * Return: processes 0 where frame pointers hold, or nobody can tell.
 */
struct chains_verdict chains__judge(const struct capture *c);

#endif
