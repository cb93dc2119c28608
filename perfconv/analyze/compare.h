/* SPDX-License-Identifier: GPL-2.0 */
/*
 * compare - which rows of a tally changed from before to after, beyond what chance
 * explains (noise.h) and by enough to matter.  docs/diff.md explains it.
 *
 * Hundreds of functions are tested at once, so that some look surprising by chance
 * alone.  Benjamini's and Hochberg's procedure keeps the share of such among those
 * told below COMPARE_FALSE_RATE; rows too small to matter are not tested.
 */
#ifndef PERFCONV_ANALYZE_COMPARE_H
#define PERFCONV_ANALYZE_COMPARE_H

#include <stdbool.h>
#include <stdint.h>

#include "perfconv/analyze/tally.h"
#include "perfconv/base/mem.h"

#define COMPARE_FALSE_RATE 0.05 /* of all changes told, at most so many are none */
#define COMPARE_LISTED 0.0001	/* of a core: rows below that are left out */

/* Threads that wait for a CPU for longer than this share of their CPU time hold others
 * up while they do: on such a machine waits say little of the program. */
#define COMPARE_BUSY 0.1

struct compare_options {
	double threshold; /* a change of less than this share of the time before is none */
	double least;	  /* nor is one of less than this share of a core */
	bool same_speed;  /* the machine is known to be equally fast in all runs */
};

enum compare_verdict {
	COMPARE_SAME, /* nothing beyond noise and thresholds */
	COMPARE_MORE, /* more time than before */
	COMPARE_LESS,
	COMPARE_UNJUDGED, /* too little was recorded to know the noise */
};

struct comparison {
	uint32_t row;	      /* in the tally */
	double before, after; /* shares of a core */
	double expected;      /* before at the speed of after; the change is after - expected */
	double noise;	      /* half of the 95 % interval of the change; 0: not known */
	double p;	      /* that chance alone makes such a change; 1 where it is not judged */
	enum compare_verdict verdict;
	bool judged;	 /* its kind is: totals are not */
	bool regression; /* it takes more of what nobody wants */
};

struct compare {
	VEC(struct comparison) rows; /* by the size of the change, largest first */
	uint32_t *by_row;	     /* of the tally: index, or TALLY_NOTHING */
	double speed;		     /* CPU time that the same work takes, after / before */
	bool known;		     /* both sides are long enough to know their noise */
	double machine[TALLY_SIDES]; /* waits for a CPU, for each second on one */
};

/** compare__init - released by compare__release(); both sides need a run of some length. */
void compare__init(struct compare *c, const struct tally *t, const struct compare_options *options);
void compare__release(struct compare *c);

/** compare__is_busy - whether the machine had so much else to do that waits are not judged. */
bool compare__is_busy(const struct compare *c);

/** compare__regressions, compare__changes - how many rows are. */
size_t compare__regressions(const struct compare *c);
size_t compare__changes(const struct compare *c);

/** compare__of_row - the comparison of a tally's row, or NULL. */
const struct comparison *compare__of_row(const struct compare *c, uint32_t row);

#endif
