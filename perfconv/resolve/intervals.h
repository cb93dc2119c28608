/* SPDX-License-Identifier: GPL-2.0 */
/*
 * intervals - a thread's life as runs of states, from its switches, one at a time:
 *
 *     rows            out            wakeup  in         preempted    in
 *     states  running |   waiting    |runnable| running |  runnable  | running ...
 *
 * Invariant: the intervals of a thread follow each other without overlap or hole
 * and cover the capture; none is empty.
 *
 * What is not told is not guessed: before the first row the state follows from
 * that row; before birth and after death the thread is absent; records that were
 * lost make it unknown until its next row.
 */
#ifndef PERFCONV_RESOLVE_INTERVALS_H
#define PERFCONV_RESOLVE_INTERVALS_H

#include <stdbool.h>
#include <stdint.h>

#include "perfconv/base/mem.h"
#include "perfconv/machine/machine.h"
#include "perfconv/store/store.h"
#include "perfconv/store/switches.h"

enum thread_state {
	THREAD_UNKNOWN,	 /* records are missing */
	THREAD_ABSENT,	 /* not yet born, or dead */
	THREAD_RUNNING,	 /* on a CPU */
	THREAD_WAITING,	 /* off its CPU until something comes */
	THREAD_RUNNABLE, /* off its CPU because others run */
};

struct interval {
	uint64_t start_ns, end_ns; /* [start, end) on the capture's clock */
	enum thread_state state;
	bool preempted; /* runnable since it left the CPU */
	bool unseen;	/* it is off the CPU since before the first record of it */
	uint32_t place; /* where it left the CPU, or SWITCH_NO_PLACE */
	/* Of the whole time off the CPU that this is a part of; not set while it runs. */
	uint64_t out_ns, back_ns;
};

/* While the rows of one thread are walked. */
struct intervals_walk {
	uint64_t start_ns, end_ns; /* what is asked for */
	const struct thread *thread;
	const struct store_switch *row; /* not yet applied; NULL: none is left */
	const uint32_t *samples;	/* of the thread, by time */
	size_t samples_n;
	struct interval now; /* begun; its end is not yet known */
	size_t loss;	     /* the first loss that has not been applied */
	uint64_t lost_until; /* rows before that say nothing */
	bool finished;
};

/* Samples of every thread, found without searching, and the thread at hand. */
struct intervals {
	const struct switches *switches;
	const struct store *store;
	const struct machine *machine;
	bool has_ins;		/* the capture tells when threads come back */
	uint32_t *samples;	/* indices of the samples of on-CPU time, by thread, then time */
	uint32_t *first_sample; /* by thread; one more at the end */
	VEC(struct switch_loss) losses; /* of the switches, by start */
	struct intervals_walk walk;
	VEC(struct interval) ready; /* ended; some of them given out */
	size_t given;		    /* of those */
	size_t joined;		    /* of those, whose time off the CPU is known */
};

/** intervals__init - @on_cpu: the event whose samples stand for on-CPU time; all is borrowed. */
void intervals__init(struct intervals *v, const struct switches *switches,
		     const struct store *store, const struct machine *machine, uint32_t on_cpu);
void intervals__release(struct intervals *v);

/** intervals__begin - the life of @thread in [@start_ns, @end_ns), for intervals__next(). */
void intervals__begin(struct intervals *v, uint32_t thread, uint64_t start_ns, uint64_t end_ns);

/** intervals__next - the next interval, until the next call; NULL: that was the last. */
const struct interval *intervals__next(struct intervals *v);

/** intervals__after - what follows the one given last, as long as that; NULL: nothing. */
const struct interval *intervals__after(const struct intervals *v);

/** intervals__samples - how many a thread has. */
static inline size_t intervals__samples(const struct intervals *v, uint32_t thread)
{
	return v->first_sample[thread + 1] - v->first_sample[thread];
}

/** interval__is_off - is the thread off its CPU, waiting or runnable? */
static inline bool interval__is_off(const struct interval *i)
{
	return i->state == THREAD_WAITING || i->state == THREAD_RUNNABLE;
}

#endif
