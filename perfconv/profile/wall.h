/* SPDX-License-Identifier: GPL-2.0 */
/*
 * wall - a profile of all of each thread's time, from its switches: on a CPU, off
 * it and why, not there, not known.
 *
 *     switches  ...| running |  waiting  | running |   waiting   | running ...
 *     samples          ^                      ^                        ^
 *     slices       |  s1     |  w1       |s1|  s2  |   w2        |  s3 ...
 *
 * On a CPU, a sample stands for the thread's on-CPU time since its sample before.
 * What comes after the last one belongs to the nearest sample of the same run,
 * else to the stack it was switched out with, else nobody knows: [running].
 *
 * The kernel takes some microseconds to bring a thread back, more under perf, and
 * counts them as the thread's; the SWITCH record comes only then.  Where snapshots
 * of /proc tell the kernel's count, what is missing is divided among the thread's
 * returns and shown as [switching] in the function that waited.
 *
 * Invariant: the slices of each thread add up to the window, and times of a
 * thread with its weight do too.
 */
#ifndef PERFCONV_PROFILE_WALL_H
#define PERFCONV_PROFILE_WALL_H

#include <stdbool.h>
#include <stdint.h>

#include "perfconv/profile/profile.h"
#include "perfconv/profile/watcher.h"
#include "perfconv/resolve/intervals.h"
#include "perfconv/resolve/waits.h"
#include "perfconv/sidefile/threads_file.h"

struct wall_sources {
	const struct perfdata_event *event; /* whose samples tell where on-CPU time went */
	uint32_t event_index;
	const struct store *store;
	const struct switches *switches;
	const struct machine *machine;
	const struct python *python;
	const struct threads_file *threads; /* NULL: none */
	struct resolver *resolver;
	struct waits *waits;
	struct profile_window capture;	     /* all of it */
	struct profile_window window;	     /* the part that is shown */
	bool monotonic;			     /* the capture's times are those of @threads */
	bool waits_shown;		     /* else time off the CPU is a gap */
	const struct watcher *watcher;	     /* NULL: nobody looks */
	const struct profile_filter *filter; /* as in struct profile_sources */
	uint64_t max_slices;		     /* likewise */
	bool hits;			     /* likewise */
};

/** wall__new - freed by profile__free(); all is borrowed, as in profile__new(). */
struct profile *wall__new(const struct wall_sources *sources);

#endif
