/* SPDX-License-Identifier: GPL-2.0 */
/*
 * learner - in which slot does the evaluator keep its next instruction?
 *
 * A place is a return address in the evaluator.  The code there serves one opcode, so
 * the instruction in front of the right slot's value has that opcode in every frame.
 * What other slots hold is left over from earlier instructions, and varies:
 *
 *     return address       [CFA-272]   [CFA-312]   r15
 *     f(x) in a()          CALL        CALL        LOAD_ATTR
 *     g() in b()           CALL        COMPARE_OP  CALL
 *     self.h() in c()      CALL        -           CALL
 *
 * How many frames it takes is a matter of how common the opcode is: leftovers are of
 * calls more often than not.
 *
 * At some places the evaluator is between two instructions, looking for signals and
 * for threads that want the GIL. Many opcodes lead there; but the right slot's values
 * are all positions where it does that.
 */
#ifndef PERFCONV_RESOLVE_LEARNER_H
#define PERFCONV_RESOLVE_LEARNER_H

#include <stdbool.h>
#include <stdint.h>

#include "perfconv/base/idmap.h"
#include "perfconv/base/mem.h"
#include "perfconv/store/positions.h"

/* A Python frame as it was seen.  Equal frames of equal code count once. */
struct learner_frame {
	uint32_t place;	 /* location id of the return address */
	uint32_t object; /* the evaluator's dso: one build */
	uint32_t code;	 /* a number per different bytecode */
	uint32_t n;
	const position_candidate *candidates;
	const uint8_t *opcodes; /* in front of each; BYTECODE_NONE: none that can call */
	const bool *between;	/* of each: may the evaluator look for signals there? */
};

#define LEARNER_OPCODES 3u /* that are told apart in a slot; a sure one has one */

/* How a slot's values looked at a place. */
struct learner_slot {
	uint32_t place, slot;
	uint32_t frames; /* that had it */
	uint32_t sites;	 /* different values, in different code */
	uint8_t opcodes[LEARNER_OPCODES];
	uint32_t counts[LEARNER_OPCODES]; /* sites of each */
	uint32_t between;		  /* sites that may be between instructions */
	uint32_t next;			  /* of the place, or IDMAP_NONE */
	uint8_t opcode;			  /* sure: what stands in front of the slot's values */
	bool sure;
	bool is_between; /* sure: its values are between instructions */
};

struct learner_place {
	uint32_t object;
	uint32_t frames;
	uint32_t slots; /* the first, or IDMAP_NONE */
	uint32_t sure;	/* how many slots are */
	bool seen;
};

struct learner {
	struct idmap frames, sites, slot_keys;
	VEC(struct learner_slot) slots;
	VEC(struct learner_place) places; /* by location id; may be shorter */
	struct idmap opcode_keys;	  /* (object, opcode or all): how common it is */
	VEC(uint32_t) opcode_sites;
	struct idmap home_keys; /* (object, slot): how often it alone is sure */
	VEC(uint32_t) homes;
};

void learner__release(struct learner *l);

/** learner__see - all frames, before learner__decide() */
void learner__see(struct learner *l, const struct learner_frame *f);

/** learner__decide - once all was seen. */
void learner__decide(struct learner *l);

/** learner__sure - how many slots hold the next instruction at @place. */
uint32_t learner__sure(const struct learner *l, uint32_t place);

/* What a slot's value at a place is. */
enum learner_trust {
	LEARNER_DOUBTS,
	LEARNER_BEHIND, /* the current instruction is the one in front of it */
	LEARNER_BETWEEN,
};

/**
 * learner__trusts - is the next instruction in candidate @i of @f?
 * Only its place, candidate, opcode and whether it is between instructions are looked at.
 */
enum learner_trust learner__trusts(const struct learner *l, const struct learner_frame *f,
				   uint32_t i);

/** learner__is_home - is @slot the only one at some places in @object? */
bool learner__is_home(const struct learner *l, uint32_t object, uint32_t slot);

#endif
