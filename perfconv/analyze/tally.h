/* SPDX-License-Identifier: GPL-2.0 */
/*
 * tally - where the time of several runs of one program went, block by block, in
 * rows that mean the same in each run.
 *
 *     run 1   |  block  |  block  |  block  |      before
 *     run 2   |  block  |  block  |  block  |      after
 *                  \         |         /
 *     row     reader_*: parse() on a CPU    ns, ns, ns ...
 *
 * Threads and functions have other numbers in each run, so they are known by name:
 * threads that differ only in the digits of their names are one group, for which
 * worker of a pool gets which job is chance; a function is its name and the part of
 * its file's path that does not depend on where the program is installed.
 *
 * Time belongs to a function as in summary.h.  What the machine did to a thread, not
 * the program, is no function's: [preempted], [run queue], and of its on-CPU time
 * [switching].
 */
#ifndef PERFCONV_ANALYZE_TALLY_H
#define PERFCONV_ANALYZE_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#include "perfconv/base/idmap.h"
#include "perfconv/base/mem.h"
#include "perfconv/profile/profile.h"

#define TALLY_BLOCK_NS 1000000000u
#define TALLY_MAX_BLOCKS 3600u /* of a run; they are longer in one that is */
#define TALLY_NOTHING UINT32_MAX

enum tally_side { TALLY_BEFORE, TALLY_AFTER, TALLY_SIDES };

enum tally_kind {
	TALLY_THREAD,	   /* a group on CPUs */
	TALLY_OWN,	   /* a function of a group on CPUs, with the native code it called */
	TALLY_TOTAL,	   /* the same with all that it called */
	TALLY_THREAD_WAIT, /* a group waiting, by reason */
	TALLY_WAIT,	   /* a function of a group waiting, by reason */
};

struct tally_group {
	uint32_t pattern;	       /* string ids: the name with * for digits; */
	uint32_t name;		       /* the name itself if there is but one, else the pattern */
	uint32_t threads[TALLY_SIDES]; /* in the run with most of them */
};

struct tally_function {
	uint32_t name, place; /* string ids; place: shortened file, or object, or "" */
	uint32_t line;	      /* of its first appearance in the last run; 0: not known */
	enum frame_kind kind;
};

struct tally_row {
	enum tally_kind kind;
	uint32_t group, function; /* TALLY_NOTHING where the kind has none */
	enum reason reason;
	uint32_t first_cell, cells; /* after tally__finish() */
};

struct tally_cell {
	uint32_t row, block;
	double ns;
};

struct tally_block {
	enum tally_side side;
	uint32_t run;
	double ns; /* its length */
};

struct tally_run {
	const struct profile *profile; /* borrowed */
	enum tally_side side;
	double seconds;
	uint64_t period_ns; /* 0: not known */
	uint32_t first_block, blocks;
	uint32_t *groups;    /* by thread of the profile */
	uint32_t *functions; /* by frame, TALLY_NOTHING for a note */
};

struct tally {
	struct strtab strings;
	struct idmap group_keys, function_keys, row_keys, cell_keys;
	VEC(struct tally_group) groups;
	VEC(struct tally_function) functions;
	VEC(struct tally_row) rows;
	VEC(struct tally_cell) cells; /* after tally__finish() by row, then block */
	VEC(struct tally_block) blocks;
	VEC(struct tally_run) runs;
};

/** tally__add - one more run, of which @profile is a timeline in ns; zeroed @t is empty. */
void tally__add(struct tally *t, enum tally_side side, const struct profile *profile,
		uint64_t period_ns);

/** tally__finish - after the last run. */
void tally__finish(struct tally *t);
void tally__release(struct tally *t);

/** tally__owner - the frame that on-CPU time or a wait of @stack belongs to, as in
 *  summary.h; TALLY_NOTHING if it is nobody's. */
uint32_t tally__owner(const struct resolved *r, uint32_t stack);

/** tally__find - a row, or TALLY_NOTHING. */
uint32_t tally__find(const struct tally *t, enum tally_kind kind, uint32_t group, uint32_t function,
		     enum reason reason);

/** tally__seconds - how long all runs of a side took together. */
double tally__seconds(const struct tally *t, enum tally_side side);

/** tally__is_machine - a wait that is the machine's doing, not the program's. */
bool tally__is_machine(enum reason reason);

#endif
