/* SPDX-License-Identifier: GPL-2.0 */
/*
 * positions - where each Python frame of a sample may have been in its bytecode.
 *
 * The evaluator keeps a pointer to its next instruction somewhere in its frame or in
 * a register.  Where, is learned from all samples together (resolve/lines.h), so
 * until then each value that lies in the bytecode of the function is kept:
 *
 *     stack        _bootstrap    run           poll            (trampolines)
 *     evaluators   +0x4f1        +0x4f1        +0x22c0         (locations)
 *     candidates   r15: 24       r15: 118      r14: 6, [CFA-80]: 6, [CFA-96]: 30
 *
 * A frame so described is an observation, and is kept once; a sample's frames are a
 * node of a tree, as stacks are.  Memory has a budget; what it drops is counted, and
 * such samples have no lines.
 */
#ifndef PERFCONV_STORE_POSITIONS_H
#define PERFCONV_STORE_POSITIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perfconv/base/idmap.h"
#include "perfconv/base/mem.h"

#define POSITIONS_BUDGET_BYTES (64u << 20)
#define POSITIONS_NONE UINT32_MAX
#define POSITIONS_MAX_CANDIDATES 32u /* of a frame */
#define POSITIONS_MAX_OFFSET (1u << 20)

/* Slots: a register by its DWARF number, or the n-th word below the CFA. */
#define POSITIONS_FIRST_WORD 64u
#define POSITIONS_SLOTS 512u

/* In a slot stood an address @offset bytes into the function's bytecode: slot << 21 | offset. */
typedef uint32_t position_candidate;

static inline position_candidate position__candidate(uint32_t slot, uint32_t offset)
{
	return slot << 21 | offset;
}

static inline uint32_t position__slot(position_candidate c)
{
	return c >> 21;
}

static inline uint32_t position__offset(position_candidate c)
{
	return c & ((1u << 21) - 1);
}

struct observation {
	uint32_t evaluator;  /* location id: where the evaluator was */
	uint32_t trampoline; /* location id: whose function it ran */
	bool innermost;	     /* the evaluator's registers are the sample's own */
	uint32_t seen;	     /* how often */
	uint32_t n;
	const position_candidate *candidates; /* ascending; until the next one is added */
};

struct positions_sample {
	uint32_t sample; /* index in the store; ascending */
	uint32_t frames; /* node: of its Python frames, as far as its dump showed them */
};

/* Zero-initialised is empty. */
struct positions {
	struct idmap keys;   /* two hashes of what was observed */
	VEC(uint32_t) words; /* of all observations */
	VEC(uint32_t) at;    /* by observation: its first word */
	struct idmap nodes;  /* (caller's node + 1, observation) */
	VEC(struct positions_sample) samples;
	size_t budget_bytes; /* 0: POSITIONS_BUDGET_BYTES */
	uint64_t dropped;    /* samples for which there was no room */
};

void positions__release(struct positions *p);

/**
 * positions__push - the node of a Python frame called by those of @caller
 * @caller: POSITIONS_NONE: it is the outermost
 * @o: its candidates are copied; "seen" is ignored
 * Return: POSITIONS_NONE if there is no room.
 */
uint32_t positions__push(struct positions *p, uint32_t caller, const struct observation *o);

/** positions__set - the Python frames of @sample, later than all that were set. */
void positions__set(struct positions *p, uint32_t sample, uint32_t frames);

/** positions__of - the node of a sample's innermost Python frame, or POSITIONS_NONE. */
uint32_t positions__of(const struct positions *p, uint32_t sample);

/** positions__caller, positions__observation - a node taken apart. */
uint32_t positions__caller(const struct positions *p, uint32_t node);
uint32_t positions__observation(const struct positions *p, uint32_t node);

/** positions__observed - how many different observations there are: their ids are below. */
uint32_t positions__observed(const struct positions *p);

/** positions__get - the observation of an id. */
struct observation positions__get(const struct positions *p, uint32_t id);

#endif
