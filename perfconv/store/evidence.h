/* SPDX-License-Identifier: GPL-2.0 */
/*
 * evidence - what a frame held when its stack was dumped: its preserved registers
 * and the lowest words of its frame.  Two calls of a function that look the same by
 * place and CFA may differ here.
 *
 * Kept for each activation of a complete stack (summed up: which slots never
 * differed) and for the outermost frame of each cut stack (as it was).  Memory has
 * a budget; what it drops is counted, and is then not there to be relied on.
 */
#ifndef PERFCONV_STORE_EVIDENCE_H
#define PERFCONV_STORE_EVIDENCE_H

#include <stddef.h>
#include <stdint.h>

#include "perfconv/base/idmap.h"
#include "perfconv/base/mem.h"

#define EVIDENCE_SLOTS 16u
#define EVIDENCE_WORDS 6u /* words of the frame, behind the registers */
#define EVIDENCE_BUDGET_BYTES (64u << 20)
#define EVIDENCE_NONE UINT32_MAX

struct evidence {
	uint16_t known; /* bit n: slot n is known */
	uint64_t slot[EVIDENCE_SLOTS];
};

/* All that was seen of one activation. */
struct sightings {
	uint32_t seen;	   /* dumps that showed it */
	uint16_t constant; /* bit n: slot n was known and equal in all of them */
	uint64_t slot[EVIDENCE_SLOTS];
};

/* A sample whose stack was cut by its dump's end. */
struct evidence_cut {
	uint32_t sample; /* index in the store; ascending */
	uint32_t held;	 /* index of what its outermost frame held, or EVIDENCE_NONE */
};

/* Zero-initialised is empty. */
struct evidence_table {
	VEC(uint32_t) sightings_of; /* by activation: index + 1; 0, or not there: none */
	VEC(struct sightings) sightings;
	struct idmap held_keys; /* two hashes of what was held */
	VEC(struct evidence) held;
	VEC(struct evidence_cut) cuts;
	size_t budget_bytes; /* 0: EVIDENCE_BUDGET_BYTES */
	uint64_t dropped;    /* that found no room */
};

void evidence_table__release(struct evidence_table *t);

/** evidence_table__saw - @activation, of a complete stack, held @e. */
void evidence_table__saw(struct evidence_table *t, uint32_t activation, const struct evidence *e);

/** evidence_table__sightings - borrowed until the next one is added; NULL: none kept. */
const struct sightings *evidence_table__sightings(const struct evidence_table *t,
						  uint32_t activation);

/** evidence_table__cut - the stack of @sample was cut at a frame that held @e. */
void evidence_table__cut(struct evidence_table *t, uint32_t sample, const struct evidence *e);

#endif
