/* SPDX-License-Identifier: GPL-2.0 */
/*
 * store - what is kept of a capture: samples of 32 bytes and the address stacks
 * they point to, each kept once.  Memory grows with samples and unique stacks,
 * never with stack dumps.
 *
 * A stack is a node of a tree: (its caller's stack, a location).  Beside it, a
 * stack that was unwound has its activations (activation.h).
 */
#ifndef PERFCONV_STORE_STORE_H
#define PERFCONV_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perfconv/base/idmap.h"
#include "perfconv/base/mem.h"
#include "perfconv/machine/machine.h"
#include "perfconv/store/evidence.h"
#include "perfconv/store/positions.h"
#include "perfconv/unwind/unwind.h"

#define STORE_NO_STACK UINT32_MAX
#define STORE_NO_ACTIVATION UINT32_MAX

struct store_location {
	struct place place;
	bool return_address; /* look it up at address - 1 */
};

struct store_sample {
	uint64_t time_ns;
	uint64_t weight; /* the sample's period */
	uint32_t thread; /* machine's id */
	uint32_t stack;	 /* STORE_NO_STACK: empty */
	uint16_t event;
	uint8_t ending;	     /* enum stack_ending */
	bool stitched;	     /* completed from other stacks; then its own part is in stitches */
	uint32_t activation; /* of the innermost user frame, or STORE_NO_ACTIVATION */
};

/* How much of a stitched stack its own dump showed. */
struct store_stitch {
	uint32_t sample; /* index; ascending */
	uint32_t frames; /* innermost user frames that are its own */
};

/* Zero-initialised is empty. */
struct store {
	struct idmap locations;	  /* (dso and flag, address) */
	struct idmap stacks;	  /* (parent + 1, location) */
	struct idmap activations; /* (parent + 1 and location, cfa); see activation.h */
	VEC(struct store_sample) samples;
	VEC(struct store_stitch) stitches;
	struct evidence_table evidence;
	struct positions positions;
};

void store__release(struct store *s);

/** store__location - the id of a location, new if not known. */
uint32_t store__location(struct store *s, struct place place, bool return_address);

/** store__get_location - the location of an id. */
struct store_location store__get_location(const struct store *s, uint32_t id);

/** store__push - the stack that has @location called by @parent (or STORE_NO_STACK). */
uint32_t store__push(struct store *s, uint32_t parent, uint32_t location);

/** store__parent - a stack without its leaf, or STORE_NO_STACK. */
uint32_t store__parent(const struct store *s, uint32_t stack);

/** store__leaf - id of the location at a stack's leaf. */
uint32_t store__leaf(const struct store *s, uint32_t stack);

#endif
