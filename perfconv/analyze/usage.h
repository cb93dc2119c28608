/* SPDX-License-Identifier: GPL-2.0 */
/*
 * usage - CPU and memory of the recorded processes over time, summed up.
 *
 * The recorder looks at them about once a second; a report keeps the looks, and
 * all that show it say the same of them.
 */
#ifndef PERFCONV_ANALYZE_USAGE_H
#define PERFCONV_ANALYZE_USAGE_H

#include <stdbool.h>

#include "perfconv/analyze/report.h"

#define USAGE_PARTS 10u		       /* of the time that was looked at */
#define USAGE_LAST_LOOK_NS 2000000000u /* so long after the last sample the last look may be */

struct usage_figures {
	double first, mean, most, last;
};

struct usage_summary {
	struct usage_figures cpu_percent; /* of one core; the mean weighs each look by its length */
	struct usage_figures memory_mb;
	double seconds; /* from the first look to the last */
	double growth_mb_a_minute;
	size_t parts;			  /* that part_percent has: no more than there are looks */
	double part_percent[USAGE_PARTS]; /* mean CPU of each part of the looks */
};

/** usage__sum - of a report that has looks; Return: false if it has less than two. */
bool usage__sum(const struct report *r, struct usage_summary *out);

#endif
