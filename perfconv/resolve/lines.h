/* SPDX-License-Identifier: GPL-2.0 */
/*
 * lines - the current line of each Python frame that a stack copy showed.
 *
 *     observation   +0x4f1 runs poll(); r15: 118, [CFA-272]: 24      (store/positions.h)
 *     learned       at +0x4f1 the position is in r15                 (learner.h)
 *     line          of the instruction in front of 118, by poll()'s line table
 *
 * No line is better than a wrong one: where slots disagree, or too little was seen of
 * a place, the frame has none.  docs/lines.md says when it is believed.
 */
#ifndef PERFCONV_RESOLVE_LINES_H
#define PERFCONV_RESOLVE_LINES_H

#include <stdint.h>

#include "perfconv/machine/images.h"
#include "perfconv/machine/machine.h"
#include "perfconv/resolve/python.h"
#include "perfconv/store/store.h"

/* How a frame got its line, or why it has none. */
enum line_basis {
	LINE_SURE,	  /* a return address whose slot is learned */
	LINE_LEAF,	  /* the interpreter itself ran: from its register */
	LINE_INTERRUPTED, /* between two instructions, for a signal or the GIL */
	LINE_AGREED,	  /* too little was seen, but all that it may be is one line */
	LINE_NONE,
	LINE_BASES,
};

/* Frames of Python functions whose bytecode is known, over all samples with dumps. */
struct lines_counts {
	uint64_t samples;	  /* with such frames */
	uint64_t leaves, callers; /* frames where the interpreter itself ran; all others */
	uint64_t given_leaves, given_callers; /* of these, with a line */
	uint64_t by_basis[LINE_BASES];
	uint64_t dropped; /* samples for whose positions there was no room in memory */
};

struct lines;

/** lines__new - learn from all that @store has; everything is borrowed. */
struct lines *lines__new(const struct store *store, const struct machine *machine,
			 struct images *images, struct python *python);
void lines__free(struct lines *l);

/** lines__of - the current line of an observation; 0: not known.  @l: NULL knows none. */
uint32_t lines__of(const struct lines *l, uint32_t observation);

/** lines__basis - of the same. */
enum line_basis lines__basis(const struct lines *l, uint32_t observation);

/** lines__counts - how many frames have a line. */
struct lines_counts lines__counts(const struct lines *l);

#endif
