/* SPDX-License-Identifier: GPL-2.0 */
/*
 * switches - when each thread left a CPU, where, and when it came back: 16 bytes
 * for each of these moments.
 *
 * One switch may be seen by up to three events, each with its own time, for perf
 * itself takes some microseconds in between:
 *
 *     sched:sched_switch   dumped context-switches sample   SWITCH record    ...   SWITCH record
 *     out, with the place  out, with the stack              out                    in
 *     |<------------------------- one row, time of the first ------->|             |<- one row
 *
 * So an "out" of another source, while the thread is out, is the same switch.
 * Invariant: of one thread, the rows are in time order, and no two in a row are
 * "in"; two "out" in a row mean that nobody told when it came back.
 *
 * All threads' rows lie in one array, and each leads to the next of its thread, so
 * that a thread's life is read without an index beside it:
 *
 *     rows    out 7 | out 9 | in 7 | in 9 | out 7 ...
 *             `-------------^`--------------^
 *
 * Threads are the machine's ids.  Times are the capture's clock, ns.
 */
#ifndef PERFCONV_STORE_SWITCHES_H
#define PERFCONV_STORE_SWITCHES_H

#include <stdbool.h>
#include <stdint.h>

#include "perfconv/base/idmap.h"
#include "perfconv/base/mem.h"

/* Which event told of a switch. */
enum switch_source {
	SWITCH_BY_TRACEPOINT, /* sched:sched_switch */
	SWITCH_BY_DUMP,	      /* a context-switches sample */
	SWITCH_BY_RECORD,     /* SWITCH, SWITCH_CPU_WIDE */
};

enum switch_kind {
	SWITCH_OUT,	  /* it waits */
	SWITCH_PREEMPTED, /* it could go on, but another runs */
	SWITCH_IN,
	SWITCH_WAKEUP, /* what it waited for has come; it may run */
};

#define SWITCH_NO_PLACE UINT32_MAX
#define SWITCH_NO_REGS UINT32_MAX
#define SWITCH_MAX_PLACES (1u << 29) /* ids have three bits less than a word */

struct store_switch {
	uint64_t time_ns;
	uint32_t next;		 /* index of its thread's next row; 0: it is the last */
	uint32_t kind_and_place; /* kind in the low three bits */
};

/* Of a thread: indices + 1 of its rows; 0: it has none. */
struct switch_ends {
	uint32_t first, last;
};

/* Where a thread left the CPU.  Each combination is kept once. */
struct switch_place {
	uint32_t stack;	   /* store's: the user's ip, then the kernel's chain; may be none */
	uint32_t regs;	   /* id of the register key, or SWITCH_NO_REGS */
	uint64_t argument; /* first argument of its system call; 0 if preempted or not known */
};

/* A dumped sample that was taken at a switch. */
struct switch_dump {
	uint32_t sample; /* index into the store's samples */
	uint32_t regs;	 /* id of its register key, or SWITCH_NO_REGS */
};

/* Records are missing between these times; states are unknown from start on until
 * the thread's next row at or after the end. */
struct switch_loss {
	uint64_t start_ns, end_ns;
};

struct switch_state {	 /* of a thread, while the capture is read */
	uint64_t row;	 /* of its last out */
	uint8_t sources; /* bit per enum switch_source: who told of it */
	bool out, in;	 /* neither: not known */
	bool woken;	 /* since it is out */
	uint32_t losses; /* how many there were when this was noted */
};

/* Zero-initialised is empty. */
struct switches {
	VEC(struct store_switch) rows;
	VEC(struct switch_ends) ends; /* by thread; not there: it has no rows */
	VEC(struct switch_dump) dumps;
	VEC(struct switch_loss) losses;
	struct idmap regs;	/* the words of register keys */
	unsigned int registers; /* in each key */
	struct idmap places;	/* (stack and regs, argument) */
	VEC(struct switch_state) states;
	uint64_t merged;  /* switches told of once more by another event */
	uint64_t ins;	  /* rows that tell when a thread came back */
	uint64_t wakeups; /* rows of that kind */
};

void switches__release(struct switches *s);

/** switches__regs - the id of a register key, by its words. */
uint32_t switches__regs(struct switches *s, const uint64_t *words);

/** switches__get_regs - the words of a register key. */
void switches__get_regs(const struct switches *s, uint32_t regs, uint64_t *words);

/** switches__place - the id of a place; SWITCH_NO_PLACE if there are too many. */
uint32_t switches__place(struct switches *s, struct switch_place place);

/** switches__get_place - the place of an id. */
struct switch_place switches__get_place(const struct switches *s, uint32_t id);

/**
 * switches__out - @thread leaves its CPU
 *
 * @preempted: it could go on; what one source says holds for the switch
 * @place: or SWITCH_NO_PLACE; the first known one of a switch counts
 */
void switches__out(struct switches *s, uint64_t time_ns, uint32_t thread, enum switch_source source,
		   bool preempted, uint32_t place);

/** switches__in - @thread gets a CPU; told again, it is ignored. */
void switches__in(struct switches *s, uint64_t time_ns, uint32_t thread);

/** switches__wakeup - @thread may run; ignored unless it is out, and again until then. */
void switches__wakeup(struct switches *s, uint64_t time_ns, uint32_t thread);

/** switches__lost - whatever happened in [@start_ns, @end_ns] may be missing. */
void switches__lost(struct switches *s, uint64_t start_ns, uint64_t end_ns);

/** switches__first - the first row of @thread, or NULL; borrowed until the next is added. */
static inline const struct store_switch *switches__first(const struct switches *s, uint32_t thread)
{
	uint32_t first = thread < s->ends.n ? s->ends.data[thread].first : 0;

	return first ? &s->rows.data[first - 1] : NULL;
}

/** switches__next - the row of the same thread that follows @row, or NULL; likewise. */
static inline const struct store_switch *switches__next(const struct switches *s,
							const struct store_switch *row)
{
	return row->next ? &s->rows.data[row->next] : NULL;
}

/** switch__kind, switch__place - the two halves of a row. */
static inline enum switch_kind switch__kind(const struct store_switch *row)
{
	return (enum switch_kind)(row->kind_and_place & 7);
}

static inline uint32_t switch__place(const struct store_switch *row)
{
	uint32_t place = row->kind_and_place >> 3;

	return place == SWITCH_MAX_PLACES - 1 ? SWITCH_NO_PLACE : place;
}

#endif
