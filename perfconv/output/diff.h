/* SPDX-License-Identifier: GPL-2.0 */
/* diff - what changed between the runs of two sides, for programs and for speedscope. */
#ifndef PERFCONV_OUTPUT_DIFF_H
#define PERFCONV_OUTPUT_DIFF_H

#include <stddef.h>

#include "perfconv/analyze/compare.h"
#include "perfconv/analyze/tally.h"
#include "perfconv/base/sink.h"

#define DIFF_SCHEMA 1u /* of docs/diff.schema.json */

/* All borrowed. */
struct diff {
	const struct tally *tally;
	const struct compare *compare;
	const struct compare_options *options;
	struct {
		const char *const *paths;
		size_t n;
	} sides[TALLY_SIDES];
};

/** diff__group, diff__function - names as shown; "" for TALLY_NOTHING. */
const char *diff__group(const struct diff *d, uint32_t group);
const char *diff__function(const struct diff *d, uint32_t function);

/** diff_json__write - one object, docs/diff.schema.json. */
void diff_json__write(struct sink *sink, const struct diff *d);

/**
 * diff_speedscope__write - a file for speedscope, each profile in time for each second
 * that was recorded, on CPUs, the thread as root:
 *
 *     before, after     all of it
 *     slower, faster    what compare calls a change, and no more than it changed
 */
void diff_speedscope__write(struct sink *sink, const struct diff *d);

#endif
