/* SPDX-License-Identifier: GPL-2.0 */
/*
 * speed - how much more CPU time the same work took after than before.
 *
 * A CPU's clock, its caches and, in a virtual machine, its other guests make a second
 * of CPU time worth more or less: on shared machines by tens of per cent from one run
 * to the next, and for threads on one CPU more than for those on another.  That moves
 * all functions of a thread alike; what changed in a program moves few.  So the factor
 * is what most functions agree on: a weighted mean of their ratios in which those far
 * from the middle count for less (Huber's), drawn towards 1 where they say little.
 *
 *     ln(after / before)    ----x--x-x|x-x--x------------------X-------
 *                                     factor                   changed
 */
#ifndef PERFCONV_ANALYZE_SPEED_H
#define PERFCONV_ANALYZE_SPEED_H

#include <stddef.h>
#include <stdint.h>

/* How much ln(factor) varies from run to run, as standard deviations. */
#define SPEED_SPREAD 0.2	 /* of all threads together */
#define SPEED_THREAD_SPREAD 0.05 /* of a group of threads from the others */

/* How one function of a group moved. */
struct speed_sign {
	uint32_t group, function; /* as in the tally */
	double ratio;		  /* ln(after / before) */
	double variance;	  /* of that, by chance */
};

/* Whom the factor is for. */
struct speed_asked {
	uint32_t group;	       /* its own signs are worth more; UINT32_MAX: none is */
	uint32_t not_group;    /* no witnesses: signs of this group, */
	uint32_t not_function; /* of this function; UINT32_MAX: none */
	double runs;	       /* a side */
};

/**
 * speed__of - ln(factor) by the signs that are witnesses
 *
 * @weights: set for each sign; the result is the sum of weights times ratios.  What they
 * lack to 1 is doubt that the signs left.
 * @variance: set to what is not known of the factor by the spreads above
 */
double speed__of(const struct speed_sign *signs, size_t n, const struct speed_asked *asked,
		 double *weights, double *variance);

#endif
