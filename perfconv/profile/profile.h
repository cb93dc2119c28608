/* SPDX-License-Identifier: GPL-2.0 */
/*
 * profile - a timeline per thread, over the whole capture, in integer
 * nanoseconds (or in the event's own unit where it does not measure time).
 *
 * A clock sample at time t with period p stands for the on-CPU time before it:
 *
 *     samples        t1          t2                     t3
 *     timeline  ...|--p1--|gap|--p2--|......gap......|--p3--|...
 *
 * Slices never overlap; a slice that would begin before the one in front ended
 * is moved behind it, so that weights are never lost.
 */
#ifndef PERFCONV_PROFILE_PROFILE_H
#define PERFCONV_PROFILE_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "perfconv/base/mem.h"
#include "perfconv/perfdata/perfdata.h"
#include "perfconv/profile/hits.h"
#include "perfconv/profile/watcher.h"
#include "perfconv/resolve/reasons.h"
#include "perfconv/resolve/resolve.h"
#include "perfconv/resolve/waits.h"
#include "perfconv/store/store.h"

struct profile_slice {
	uint64_t weight;
	uint32_t stack; /* resolved stack, or RESOLVE_NO_STACK: a gap */
	bool off;	/* the thread was off its CPU */
};

/* Of a profile that knows every switch: where the time that is no weight went, ns. */
struct profile_times {
	uint64_t off;		      /* waiting or runnable */
	uint64_t unknown;	      /* records are missing */
	uint64_t absent;	      /* before its birth, after its death */
	uint64_t unsampled;	      /* on a CPU, and no stack tells where */
	uint64_t reasons[REASONS];    /* adds up to off */
	uint64_t stacks[WAIT_STACKS]; /* so does this: how waits got their stacks */
	uint64_t switching;	      /* on a CPU, while the kernel brings it back */
	/* Between the snapshots at start and end: what the kernel counted, and we. */
	bool has_schedstat;
	uint64_t schedstat_run, schedstat_queue, schedstat_on_cpu;
};

/* A part of the capture, absolute times: [from, to). */
struct profile_window {
	uint64_t from_ns, to_ns;
};

struct profile_thread {
	char *name;	  /* as shown: unique within the profile */
	const char *full; /* Python's name of it, else the kernel's; "" if nobody named it */
	const char *comm;
	uint32_t id; /* the machine's */
	uint32_t pid, tid;
	bool python;	 /* the side file names it */
	bool hidden;	 /* it will be filtered out, and needs no slices */
	uint64_t weight; /* sum over slices that are neither gaps nor off the CPU */
	uint64_t samples;
	uint64_t endings[STACK_ENDINGS];
	uint64_t stitched; /* of those that are complete */
	uint64_t end;	   /* of the last slice, from the profile's start */
	struct profile_times times;
	VEC(struct profile_slice) slices;
	uint64_t pieces; /* slices there were before any were merged, see buckets.h */
};

/* What keeps a profile in the making small, see buckets__add(). */
struct profile_holding {
	uint64_t max_slices; /* that will be shown; 0: all there are */
	uint64_t slices;     /* of all threads, now */
	uint64_t most;	     /* more are not held; 0: not yet known */
	uint64_t width;	     /* of the buckets that held slices are merged in; 0: none */
};

struct profile {
	const struct resolved *resolved; /* borrowed */
	uint32_t event;			 /* whose samples these are */
	bool timed;			 /* weights are nanoseconds on the capture's clock */
	uint64_t start_ns, duration;	 /* of the capture; duration in the weights' unit */
	uint64_t weight, samples;
	uint64_t endings[STACK_ENDINGS];
	uint64_t stitched;		    /* of those that are complete */
	bool has_dumps;			    /* the event carries stack copies */
	bool exact;			    /* every switch is known: times are filled in */
	bool waits;			    /* and time off the CPU has slices of its own */
	uint64_t contradicted;		    /* waits__contradicted() */
	bool ends_guessed;		    /* no event tells when threads come back */
	VEC(struct profile_thread) threads; /* by (pid, main first, start, tid) */
	VEC(struct profile_slice) total;    /* sums over all threads, see total.h */
	uint64_t bucket_ns; /* slices of one stack within such a time are one; 0: as they were */
	uint64_t merged;    /* slices that became parts of others so */
	struct profile_holding holding;
	bool counts_hits; /* slices do not tell how many samples they are of; these do: */
	struct hits hits;
};

struct profile_filter;

struct profile_sources {
	const struct perfdata_event *event; /* whose samples are shown */
	uint32_t event_index;
	const struct store *store;
	const struct machine *machine;
	const struct python *python;
	struct resolver *resolver;
	struct profile_window window;	     /* only what lies in it is counted */
	const struct profile_filter *filter; /* names of threads to show; NULL: all */
	uint64_t max_slices;		     /* what buckets__merge() will be given; 0: all */
	bool hits;			     /* count samples per stack */
};

/** profile__measures_time - whether an event's samples are taken by time on a CPU. */
bool profile__measures_time(const struct perfdata_event *event);

/** profile__event - the event to show when nobody says which: one that measures time. */
uint32_t profile__event(const struct perfdata *data, const struct store *store);

/**
 * profile__new - timelines of the samples of an event
 *
 * All is borrowed; the profile refers to strings and stacks of the resolver, the
 * store and the machine.
 */
struct profile *profile__new(const struct profile_sources *sources);
void profile__free(struct profile *p);

/** profile__show - tell @watcher all slices of a timed profile whose waits are not known. */
void profile__show(const struct profile *p, const struct watcher *watcher);

/** profile__process_name - of @t's process: what the kernel calls its main thread. */
const char *profile__process_name(const struct profile *p, const struct profile_thread *t);

/** profile_thread__release - what a thread of a profile owns. */
void profile_thread__release(struct profile_thread *t);

#endif
