/* SPDX-License-Identifier: GPL-2.0 */
/*
 * noise - how far before and after of a row may lie apart by chance alone.
 *
 *     blocks of a run     bootstrap.h: drawn again, before and after, all rows alike
 *     samples             a function's share of its thread's CPU time is counted
 *     machine             speed.h: what other functions say of it is taken out, draw by
 *                         draw, so that it is no noise either
 *     run to run          what one run cannot show: assumed, see NOISE_RUN_TO_RUN
 *
 * docs/diff.md explains it to a reader of results.
 */
#ifndef PERFCONV_ANALYZE_NOISE_H
#define PERFCONV_ANALYZE_NOISE_H

#include <stdbool.h>
#include <stdint.h>

#include "perfconv/analyze/bootstrap.h"
#include "perfconv/analyze/speed.h"
#include "perfconv/analyze/tally.h"

/* Between runs of one program times vary by more than their blocks show: standard
 * deviations, as shares. */
#define NOISE_RUN_TO_RUN 0.02	  /* a function's CPU time, against that of the others */
#define NOISE_WAIT_RUN_TO_RUN 0.2 /* a wait */

struct noise_side {
	struct bootstrap bootstrap;
	VEC(struct bootstrap_block) blocks;
	uint32_t *index; /* by block of the tally */
	double seconds, period_s;
	double runs;
	bool exact; /* CPU times are known from switches; else from samples */
};

struct noise {
	const struct tally *tally;
	struct noise_side sides[TALLY_SIDES];
	bool same_speed;
	VEC(struct speed_sign) signs;
	double *sign_draws; /* [sign][draw]: ln(after / before) */
	double *weights;    /* [sign], scratch */
	double *draws[TALLY_SIDES];
	VEC(struct bootstrap_part) parts;
};

/* Shares of a core. */
struct noise_change {
	double before, after;
	double expected; /* before at the speed of after */
	double interval; /* half of the 95 % interval of after - expected; 0: not known */
	double p;	 /* that chance alone makes such a change; 1: not known */
};

/**
 * noise__init - get ready to judge rows of @t; released by noise__release()
 *
 * @least: share of a core from which on a function is a witness of the speed
 * @same_speed: the machine is known to be equally fast in all runs
 */
void noise__init(struct noise *n, const struct tally *t, double least, bool same_speed);
void noise__release(struct noise *n);

/** noise__is_known - whether both sides have blocks to tell noise from. */
bool noise__is_known(const struct noise *n);

/** noise__share - a row's share of a core. */
double noise__share(const struct noise *n, enum tally_side side, uint32_t row);

/** noise__change - of a row. */
struct noise_change noise__change(struct noise *n, uint32_t row);

/** noise__speed - the factor that all functions together tell. */
double noise__speed(struct noise *n);

#endif
