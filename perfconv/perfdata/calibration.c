// SPDX-License-Identifier: GPL-2.0
/*
 * A calibration event runs beside the event that measures: seldom, with large
 * stack dumps, so that stacks which did not fit the small ones can be completed.
 */
#include <linux/perf_event.h>
#include <string.h>

#include "perfconv/perfdata/perfdata.h"

#define NAME "calib"

static bool is_named(const struct perfdata_event *e)
{
	size_t n = sizeof(NAME) - 1;

	return !strncmp(e->name, NAME, n) && (!e->name[n] || strchr(":/", e->name[n]));
}

static bool samples_less_often(const struct perfdata_event *e, const struct perfdata_event *other)
{
	return e->freq == other->freq && (e->freq ? e->period_or_freq < other->period_or_freq
						  : e->period_or_freq > other->period_or_freq);
}

bool perfdata__is_calibration(const struct perfdata *p, size_t event)
{
	const struct perfdata_event *e = perfdata__event(p, event);

	if (!(e->sample_type & PERF_SAMPLE_STACK_USER))
		return false;
	for (size_t i = 0; i < perfdata__events(p); i++) {
		const struct perfdata_event *other = perfdata__event(p, i);

		if (i == event || other->type != e->type || other->config != e->config)
			continue;
		if (is_named(e) ||
		    (other->stack_user_bytes && other->stack_user_bytes < e->stack_user_bytes &&
		     samples_less_often(e, other)))
			return true;
	}
	return false;
}
