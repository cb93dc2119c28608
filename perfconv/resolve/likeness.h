/* SPDX-License-Identifier: GPL-2.0 */
/*
 * likeness - which dumped switches of a thread show the stack of an undumped one.
 *
 * Two switches are alike when the thread, ip, sp and all registers that functions
 * preserve are equal.  A register says nothing of the callers, and is left out, if
 * its value hardly ever repeats at that ip and sp (a deadline), or if dumps there
 * that show one stack have three different values in it (a timeout, a counter):
 *
 *     sleep of 1 ms     rbx deadline   rbp r12 r13 r14  r15 next_instr of one call
 *     again             rbx other      equal            equal: alike
 *     sleep of 200 ms   rbx other      equal            r15 differs: not alike
 *
 * Still, where registers hold nothing of the callers, two calls may look alike.
 * So as soon as one dump of a kind shows another stack than the rest, the kind
 * tells nothing: a caller of two that is seen seldom may stand between any two
 * dumps of the other.
 */
#ifndef PERFCONV_RESOLVE_LIKENESS_H
#define PERFCONV_RESOLVE_LIKENESS_H

#include <stdbool.h>
#include <stdint.h>

#include "perfconv/base/idmap.h"
#include "perfconv/base/mem.h"
#include "perfconv/resolve/lines.h"
#include "perfconv/resolve/resolve.h"
#include "perfconv/store/store.h"
#include "perfconv/store/switches.h"

#define LIKENESS_NONE UINT32_MAX
#define LIKENESS_MAX_REGISTERS 16u

/* Switches of one thread at one ip and sp. */
struct likeness_group {
	uint32_t switches;
	uint32_t values[LIKENESS_MAX_REGISTERS]; /* different ones in each register */
	uint32_t ignored;			 /* bit n: register n says nothing */
};

/* A dump by its thread and time. */
struct likeness_own {
	uint32_t thread, sample;
	uint64_t time_ns;
};

struct likeness_dump {
	uint32_t key;
	uint64_t time_ns;
	uint32_t sample;
	uint32_t shown; /* its user stack, resolved */
};

struct likeness {
	const struct store *store;
	const struct switches *switches;
	struct resolver *resolver;
	struct idmap groups; /* (thread and ip, sp) */
	VEC(struct likeness_group) group_list;
	struct idmap values;		 /* (group and register, digest) */
	struct idmap keys;		 /* (digests that count, group and the rest of them) */
	VEC(bool) doubted;		 /* by key: different stacks are known to look so */
	struct idmap refs;		 /* (thread, place) */
	VEC(uint32_t) group_of;		 /* by ref */
	VEC(uint32_t) key_of;		 /* by ref */
	VEC(struct likeness_dump) dumps; /* by key, then time; whole ones, if a key has any */
	VEC(struct likeness_own) owns;	 /* by thread, then time */
	struct idmap matches;		 /* (key, the inner part of a user stack) */
	VEC(uint32_t) match;		 /* by id in matches: a sample, or LIKENESS_NONE */
	VEC(uint32_t) agreed;		 /* by key: positions, POSITIONS_NONE, or NOT_YET */
};

/** likeness__init - look at all switches and dumps; all are borrowed. */
void likeness__init(struct likeness *l, const struct store *store, const struct switches *switches,
		    struct resolver *resolver);
void likeness__release(struct likeness *l);

/**
 * likeness__find - the sample that shows the stack of a switch
 *
 * @place: of the switch, at @out_ns; the thread was back at @back_ns
 *
 * The switch's own dump, if it is whole.  Else one that is alike, if all that are
 * alike, and agree with the own one as far as that goes, show one stack: the nearest
 * in time.  Else the own one, cut.
 * Return: the sample's index, or LIKENESS_NONE.
 */
uint32_t likeness__find(struct likeness *l, uint32_t thread, uint32_t place, uint64_t out_ns,
			uint64_t back_ns);

/**
 * likeness__positions - where its Python functions were, as far as that is certain
 *
 * Of the switch's own dump, all that it shows. Equal registers do not tell from which
 * lines outer functions called: of others only what all that are alike agree on.
 * @lines: of what was observed; observations without candidates are added to @store
 * Return: a node of the store's positions, or POSITIONS_NONE.
 */
uint32_t likeness__positions(struct likeness *l, struct store *store, const struct lines *lines,
			     uint32_t thread, uint32_t place, uint64_t out_ns, uint64_t back_ns);

/** likeness__refute - a switch of @thread at @place is known to have another stack. */
void likeness__refute(struct likeness *l, uint32_t thread, uint32_t place);

/** likeness__user_stack - @stack without the kernel's frames; may be STORE_NO_STACK. */
uint32_t likeness__user_stack(const struct store *store, uint32_t stack);

#endif
