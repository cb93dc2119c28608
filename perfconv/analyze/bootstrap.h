/* SPDX-License-Identifier: GPL-2.0 */
/*
 * bootstrap - how much a sum over blocks of time would vary if the run were repeated
 * under the same conditions: the blocks of each run are drawn again, with repetition,
 * many times over.
 *
 *     blocks of a run     a b c d      sum / length
 *     drawn again         b b d a      another sum / length
 *                         d c a a      ...           their spread is the error
 *
 * The draws come from a generator of our own with a fixed seed: the same input gives
 * the same numbers.
 */
#ifndef PERFCONV_ANALYZE_BOOTSTRAP_H
#define PERFCONV_ANALYZE_BOOTSTRAP_H

#include <stddef.h>
#include <stdint.h>

#include "perfconv/base/mem.h"

#define BOOTSTRAP_DRAWS 1000u

/* A block's length, and the run it may only be drawn in place of others of. */
struct bootstrap_block {
	uint32_t run;
	double ns;
};

struct bootstrap {
	size_t blocks;
	uint16_t *times; /* [draw][block]: how often it was drawn */
	double *lengths; /* [draw]: ns of all that was drawn */
	double length;	 /* ns of all blocks */
	double freedom;	 /* blocks minus runs; 0: there is nothing to draw from */
};

/* What one block holds. */
struct bootstrap_part {
	uint32_t block; /* index */
	double ns;
};

/** bootstrap__init - over @n blocks, those of a run side by side. */
void bootstrap__init(struct bootstrap *b, const struct bootstrap_block *blocks, size_t n);
void bootstrap__release(struct bootstrap *b);

/** bootstrap__draw - the sum of parts divided by the length, in each of BOOTSTRAP_DRAWS
 *  draws, into @out. */
void bootstrap__draw(const struct bootstrap *b, const struct bootstrap_part *parts, size_t n,
		     double *out);

/**
 * bootstrap__variance - of BOOTSTRAP_DRAWS numbers around their mean
 * @correction: bootstrap__correction() of what was drawn from
 */
double bootstrap__variance(const double *draws, double correction);

/** bootstrap__correction - draws from a sample vary less than samples do: by how much;
 *  0 where freedom is 0, and nothing is known. */
double bootstrap__correction(const struct bootstrap *b);

#endif
