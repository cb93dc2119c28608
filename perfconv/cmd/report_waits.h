/* SPDX-License-Identifier: GPL-2.0 */
/* report_waits - the summary of a profile that knows all time: CPU, waits and their reasons. */
#ifndef PERFCONV_CMD_REPORT_WAITS_H
#define PERFCONV_CMD_REPORT_WAITS_H

#include <stdbool.h>
#include <stddef.h>

#include "perfconv/pipeline/capture.h"

/** report_waits__warnings - what kept the timelines from being exact, and the remedy. */
void report_waits__warnings(const struct capture *c);

/** report_waits__quality - one line: how waits got their stacks. */
void report_waits__quality(const struct profile *p);

/** report_waits__format - "poll 97.6 %  lock 1.1 %" of a thread, its largest reasons. */
void report_waits__format(const struct profile *p, const struct profile_thread *t, char *out,
			  size_t size);

#endif
