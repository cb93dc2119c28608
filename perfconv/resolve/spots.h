/* SPDX-License-Identifier: GPL-2.0 */
/*
 * spots - what the complete stacks of each thread show, ordered for one question:
 * how does a stack go on outward from a function at a CFA?
 *
 *     anchor        a function and a CFA
 *     spot          an anchor in a thread
 *     continuation  of a spot: the caller's activation, with all frames to the root
 *     view          of a continuation: an activation that was seen at the spot; views
 *                   differ in where in the function it was
 */
#ifndef PERFCONV_RESOLVE_SPOTS_H
#define PERFCONV_RESOLVE_SPOTS_H

#include <stdbool.h>
#include <stdint.h>

#include "perfconv/base/idmap.h"
#include "perfconv/base/mem.h"
#include "perfconv/machine/images.h"
#include "perfconv/store/store.h"
#include "perfconv/unwind/functions.h"

#define SPOTS_NONE UINT32_MAX

struct spot_view {
	uint32_t activation;
	uint32_t continuation; /* SPOTS_NONE: its CFA is not known */
	uint32_t next;	       /* of the continuation, or SPOTS_NONE */
};

struct continuation {
	uint32_t caller; /* activation */
	uint32_t seen;	 /* complete stacks that show it */
	uint32_t views;	 /* the first */
	uint32_t next;	 /* of the spot, or SPOTS_NONE */
	bool rival;	 /* a cut stack shows another caller there */
	uint64_t first_ns, last_ns;
	uint64_t gap_ns; /* the longest time between one sighting and the next */
};

/* A thread's complete stacks. */
struct spots_thread {
	uint32_t complete;
	uint64_t first_ns, last_ns;
};

struct spots {
	const struct store *store;
	struct functions functions;
	VEC(uint32_t) function_of;	/* by location: a number per function, or SPOTS_NONE */
	struct idmap function_keys;	/* (dso, start) */
	struct idmap anchors;		/* (function, CFA) */
	struct idmap keys;		/* (thread, anchor): a spot */
	VEC(uint32_t) continuations_of; /* by spot: the first, or SPOTS_NONE */
	VEC(struct continuation) continuations;
	struct idmap view_keys; /* (thread, activation) */
	VEC(struct spot_view) views;
	struct idmap cut_keys;		  /* (thread, activation) of cut stacks */
	VEC(struct spots_thread) threads; /* by thread; may be shorter */
};

/** spots__init - look at all stacks; all is borrowed until the release. */
void spots__init(struct spots *s, const struct store *store, const struct dsos *dsos,
		 struct images *images);
void spots__release(struct spots *s);

/**
 * spots__continuations - how stacks of @thread go on from @activation's function and CFA
 * Return: index of the first continuation, or SPOTS_NONE.
 */
uint32_t spots__continuations(struct spots *s, uint32_t thread, uint32_t activation);

/**
 * spots__sightings - of complete stacks of @thread that show @activation's function at its
 * CFA with its callers
 * Return: index of that continuation, or SPOTS_NONE.
 */
uint32_t spots__sightings(struct spots *s, uint32_t thread, uint32_t activation);

/**
 * spots__is_trunk - do all complete stacks of @thread show that function, at that CFA,
 * with the very same callers?
 */
bool spots__is_trunk(struct spots *s, uint32_t thread, uint32_t activation);

#endif
