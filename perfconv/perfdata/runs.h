/* SPDX-License-Identifier: GPL-2.0 */
/*
 * runs - entries by time, given back lowest first, equal times as they came.
 *
 * perf writes one CPU's buffer after the other, so what comes is sorted for a
 * long time, then falls back and is sorted again.  Such runs are kept as they
 * are and only their first entries are compared.  An entry goes behind the run
 * with the highest last time that does not exceed its own; so last times fall
 * from run to run, and there are about as many runs as there are CPUs:
 *
 *     comes     1 4 7 | 2 3 6 | 9 12 | 8 10 13
 *     run 0     1 4 7 9 12 13
 *     run 1     2 3 6 8 10
 */
#ifndef PERFCONV_PERFDATA_RUNS_H
#define PERFCONV_PERFDATA_RUNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perfconv/base/mem.h"

#define RUNS_MAX 1023u
#define RUNS_NUMBER_BITS 37

/* There may be one for every record of a capture, so it is small. */
struct runs_entry {
	uint64_t time_ns;
	union { /* the caller's, like in_file and n */
		void *held;
		uint64_t offset;
	};
	uint64_t number : RUNS_NUMBER_BITS; /* set when added: the order of equal times */
	uint64_t run : 10;		    /* set when added */
	uint64_t in_file : 1;
	uint64_t n : 16;
};

struct runs_block;

/* Sorted entries, a queue. */
struct run {
	uint64_t last_ns; /* of the entry added last, there still or not */
	bool in_heap;	  /* its first entry is; the others are here */
	struct runs_block *first, *last;
};

/* Zero-initialised is empty. */
struct runs {
	VEC(struct run) list;	     /* at most RUNS_MAX */
	VEC(struct runs_entry) heap; /* the first entry of each run, and what fits no run */
	size_t latest;		     /* run that took the last entry */
	struct runs_block *spare;    /* one that was used up */
	uint64_t added;
};

/** runs__release - what entries point to is the caller's. */
void runs__release(struct runs *r);

/** runs__add - take in a copy of @e. */
void runs__add(struct runs *r, struct runs_entry e);

/** runs__first - the entry with the lowest time, until the next add or pop; NULL: empty. */
const struct runs_entry *runs__first(const struct runs *r);

/** runs__pop - take out the first entry; there must be one. */
struct runs_entry runs__pop(struct runs *r);

#endif
