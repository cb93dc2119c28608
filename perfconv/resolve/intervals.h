/* SPDX-License-Identifier: GPL-2.0 */
/*
 * intervals - a thread's life as runs of states, from its switches:
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

/* Rows and samples of every thread, found without searching. */
struct intervals {
	const struct switches *switches;
	const struct store *store;
	const struct machine *machine;
	uint64_t start_ns, end_ns; /* of the capture */
	bool has_ins;		   /* the capture tells when threads come back */
	uint32_t *rows;		   /* indices of all rows, by thread, then time */
	uint32_t *first_row;	   /* by thread; one more at the end */
	uint32_t *samples;	   /* indices of the samples of on-CPU time, likewise */
	uint32_t *first_sample;
	VEC(struct switch_loss) losses; /* of the switches, by start */
	VEC(struct interval) list;	/* of the thread asked for last */
};

/**
 * intervals__init - @on_cpu: the event whose samples stand for on-CPU time
 * @start_ns, @end_ns: of the capture.  All else is borrowed.
 */
void intervals__init(struct intervals *v, const struct switches *switches,
		     const struct store *store, const struct machine *machine, uint32_t on_cpu,
		     uint64_t start_ns, uint64_t end_ns);
void intervals__release(struct intervals *v);

/** intervals__of - fill v->list with the life of @thread. */
void intervals__of(struct intervals *v, uint32_t thread);

/** intervals__rows, intervals__samples - how many of a thread there are. */
static inline size_t intervals__rows(const struct intervals *v, uint32_t thread)
{
	return v->first_row[thread + 1] - v->first_row[thread];
}

static inline size_t intervals__samples(const struct intervals *v, uint32_t thread)
{
	return v->first_sample[thread + 1] - v->first_sample[thread];
}

#endif
