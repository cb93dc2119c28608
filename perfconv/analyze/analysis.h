/* SPDX-License-Identifier: GPL-2.0 */
/*
 * analysis - looks at each thread's time as it is laid out, and tells what it found.
 *
 *     wall, profile --stretches--> analysis --at the end--> struct report
 *                                    | totals by stack: busy, messages, natives, gil
 *                                    | as time passes:  loop, tasks, periodic, locks, phases
 *
 * One pass, memory by what is different (stacks, functions that wait, locks), never
 * by how often it happens.
 */
#ifndef PERFCONV_ANALYZE_ANALYSIS_H
#define PERFCONV_ANALYZE_ANALYSIS_H

#include <stdbool.h>
#include <stdint.h>

#include "perfconv/analyze/report.h"
#include "perfconv/analyze/rules.h"
#include "perfconv/machine/machine.h"
#include "perfconv/profile/profile.h"
#include "perfconv/profile/watcher.h"
#include "perfconv/resolve/lines.h"
#include "perfconv/resolve/python.h"
#include "perfconv/sidefile/threads_file.h"

struct analysis_sources {
	const struct resolved *resolved;
	const struct machine *machine;
	const struct python *python;
	struct lines_counts lines;
	const struct threads_file *threads; /* NULL: none */
	const struct rules *rules;
	const char *scenario; /* "" if not known */
	uint64_t begin_ns;    /* of the capture */
	bool to_end;	      /* what is looked at ends with the capture */
	bool monotonic;	      /* the capture's times are those of the side files */
};

struct analysis;

/** analysis__new - all borrowed, also after this call. */
struct analysis *analysis__new(const struct analysis_sources *sources);
void analysis__free(struct analysis *a);

/** analysis__watcher - to be told of all threads; borrowed. */
const struct watcher *analysis__watcher(const struct analysis *a);

/**
 * analysis__finish - fill in a report, initialised before
 * @p: the profile of what was watched; threads that are not in it are left out
 * @lost: records that were lost while recording
 */
void analysis__finish(struct analysis *a, const struct profile *p, uint64_t lost,
		      struct report *report);

#endif
