// SPDX-License-Identifier: GPL-2.0
#include "perfconv/resolve/intervals.h"

#include <stdlib.h>
#include <string.h>

#define GIVEN_KEPT 64u /* so many are dropped from the front at once */

/* For each thread where its part of v->samples begins, and the numbers of all samples, by
 * thread, else in their order. */
static void sort_samples(struct intervals *v, uint32_t on_cpu)
{
	const struct store_sample *all = v->store->samples.data;
	size_t n = v->store->samples.n, threads = v->machine->threads.n, wanted = 0;
	uint32_t *next = mem__alloc(threads + 1, sizeof(*next));

	v->first_sample = mem__alloc(threads + 1, sizeof(*v->first_sample));
	for (size_t i = 0; i < n; i++)
		if (all[i].event == on_cpu) {
			v->first_sample[all[i].thread + 1]++;
			wanted++;
		}
	for (size_t t = 0; t < threads; t++)
		v->first_sample[t + 1] += v->first_sample[t];
	memcpy(next, v->first_sample, (threads + 1) * sizeof(*next));
	v->samples = mem__alloc(wanted, sizeof(*v->samples));
	for (size_t i = 0; i < n; i++)
		if (all[i].event == on_cpu)
			v->samples[next[all[i].thread]++] = (uint32_t)i;
	free(next);
}

static int by_start(const void *a, const void *b)
{
	const struct switch_loss *x = a, *y = b;

	if (x->start_ns != y->start_ns)
		return x->start_ns < y->start_ns ? -1 : 1;
	return x->end_ns < y->end_ns ? -1 : x->end_ns > y->end_ns;
}

/* They came in order of their ends, and each CPU's begins where its buffer was full. */
static void sort_losses(struct intervals *v)
{
	for (size_t i = 0; i < v->switches->losses.n; i++)
		vec__push(&v->losses, v->switches->losses.data[i]);
	if (v->losses.n)
		qsort(v->losses.data, v->losses.n, sizeof(*v->losses.data), by_start);
}

void intervals__init(struct intervals *v, const struct switches *switches,
		     const struct store *store, const struct machine *machine, uint32_t on_cpu)
{
	memset(v, 0, sizeof(*v));
	v->switches = switches;
	v->store = store;
	v->machine = machine;
	v->has_ins = switches->ins > 0;
	sort_samples(v, on_cpu);
	sort_losses(v);
}

void intervals__release(struct intervals *v)
{
	free(v->samples);
	free(v->first_sample);
	vec__release(&v->losses);
	vec__release(&v->ready);
}

/* What has begun ends at @time_ns, and @state begins. */
static void go_on(struct intervals *v, uint64_t time_ns, enum thread_state state)
{
	struct intervals_walk *w = &v->walk;

	if (time_ns < w->start_ns)
		time_ns = w->start_ns;
	if (time_ns > w->end_ns)
		time_ns = w->end_ns;
	if (time_ns > w->now.start_ns) {
		w->now.end_ns = time_ns;
		vec__push(&v->ready, w->now);
		w->now.start_ns = time_ns;
	}
	w->now.state = state;
	w->now.preempted = false;
	if (!interval__is_off(&w->now)) {
		w->now.place = SWITCH_NO_PLACE;
		w->now.out_ns = 0;
		w->now.unseen = false;
	}
}

static void begin(struct intervals *v)
{
	struct intervals_walk *w = &v->walk;
	uint64_t born = w->thread->start_ns;
	enum thread_state state = THREAD_WAITING;

	w->now = (struct interval){ .start_ns = w->start_ns, .place = SWITCH_NO_PLACE };
	if (w->row && switch__kind(w->row) <= SWITCH_PREEMPTED)
		state = THREAD_RUNNING;
	else if (!w->row && w->samples_n)
		state = THREAD_RUNNING;
	if (born <= w->start_ns) {
		go_on(v, w->start_ns, state);
		w->now.unseen = state == THREAD_WAITING;
		return;
	}
	w->now.state = THREAD_ABSENT;
	/* Whoever lives is switched in at some time; who never was is not recorded. */
	go_on(v, born, w->row ? THREAD_RUNNABLE : w->samples_n ? state : THREAD_UNKNOWN);
}

/*
 * Nobody tells when threads come back: the first sample after a switch does, which
 * stands for the period before it.
 */
static void come_back_by_sample(struct intervals *v, uint64_t until_ns)
{
	const struct intervals_walk *w = &v->walk;
	size_t low = 0, high = w->samples_n;
	const struct store_sample *s;
	uint64_t back_ns;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (v->store->samples.data[w->samples[mid]].time_ns > w->now.start_ns)
			high = mid;
		else
			low = mid + 1;
	}
	if (low == w->samples_n)
		return;
	s = &v->store->samples.data[w->samples[low]];
	if (s->time_ns > until_ns)
		return;
	back_ns = s->time_ns > s->weight ? s->time_ns - s->weight : 0;
	go_on(v, back_ns, THREAD_RUNNING);
}

static void apply_out(struct intervals *v, const struct store_switch *row)
{
	struct intervals_walk *w = &v->walk;
	bool dead = w->thread->end_ns && row->time_ns >= w->thread->end_ns;

	if (interval__is_off(&w->now) && !v->has_ins)
		come_back_by_sample(v, row->time_ns);
	else if (interval__is_off(&w->now))
		w->now.state = THREAD_UNKNOWN; /* it was back, and nobody said since when */
	if (dead) {
		go_on(v, row->time_ns, THREAD_ABSENT);
		return;
	}
	go_on(v, row->time_ns, switch__kind(row) == SWITCH_OUT ? THREAD_WAITING : THREAD_RUNNABLE);
	w->now.place = switch__place(row);
	w->now.out_ns = row->time_ns;
	w->now.unseen = false;
	w->now.preempted = switch__kind(row) == SWITCH_PREEMPTED;
}

static void apply_row(struct intervals *v, const struct store_switch *row)
{
	switch (switch__kind(row)) {
	case SWITCH_IN:
		go_on(v, row->time_ns, THREAD_RUNNING);
		break;
	case SWITCH_WAKEUP:
		if (v->walk.now.state == THREAD_WAITING)
			go_on(v, row->time_ns, THREAD_RUNNABLE);
		break;
	case SWITCH_OUT:
	case SWITCH_PREEMPTED:
	default:
		apply_out(v, row);
		break;
	}
}

/* Losses that began before @time_ns. */
static void apply_losses(struct intervals *v, uint64_t time_ns)
{
	struct intervals_walk *w = &v->walk;

	for (; w->loss < v->losses.n && v->losses.data[w->loss].start_ns < time_ns; w->loss++) {
		const struct switch_loss *loss = &v->losses.data[w->loss];

		if (w->now.state != THREAD_ABSENT)
			go_on(v, loss->start_ns, THREAD_UNKNOWN);
		if (loss->end_ns > w->lost_until)
			w->lost_until = loss->end_ns;
	}
}

static void finish(struct intervals *v)
{
	struct intervals_walk *w = &v->walk;
	uint64_t end_ns = w->end_ns, dead_ns = w->thread->end_ns;

	w->finished = true;
	if (interval__is_off(&w->now) && !v->has_ins)
		come_back_by_sample(v, end_ns);
	if (dead_ns && w->now.state != THREAD_ABSENT) {
		apply_losses(v, dead_ns);
		go_on(v, dead_ns, THREAD_ABSENT);
	}
	apply_losses(v, end_ns);
	go_on(v, end_ns, THREAD_UNKNOWN);
}

static void step(struct intervals *v)
{
	const struct store_switch *row = v->walk.row;

	if (!row) {
		finish(v);
		return;
	}
	v->walk.row = switches__next(v->switches, row);
	apply_losses(v, row->time_ns);
	if (row->time_ns >= v->walk.lost_until)
		apply_row(v, row);
}

/* Is there an interval @i?  Walks until it has ended. */
static bool has(struct intervals *v, size_t i)
{
	while (i >= v->ready.n && !v->walk.finished)
		step(v);
	return i < v->ready.n;
}

/* A wait and the run queue after it are one time off the CPU: from one "out" to one "in". */
static void join_off_time(struct intervals *v)
{
	size_t i = v->joined, end = i + 1;
	uint64_t start_ns = v->ready.data[i].start_ns;

	while (interval__is_off(&v->ready.data[i]) && has(v, end) &&
	       v->ready.data[end].state == THREAD_RUNNABLE && !v->ready.data[end].preempted)
		end++;
	for (size_t k = i; k < end; k++) {
		if (!v->ready.data[k].out_ns)
			v->ready.data[k].out_ns = start_ns;
		v->ready.data[k].back_ns = v->ready.data[end - 1].end_ns;
	}
	v->joined = end;
}

static void drop_given(struct intervals *v)
{
	if (v->given < GIVEN_KEPT || 2 * v->given < v->ready.n)
		return;
	v->ready.n -= v->given;
	v->joined -= v->given;
	memmove(v->ready.data, v->ready.data + v->given, v->ready.n * sizeof(*v->ready.data));
	v->given = 0;
}

void intervals__begin(struct intervals *v, uint32_t thread, uint64_t start_ns, uint64_t end_ns)
{
	v->walk = (struct intervals_walk){
		.start_ns = start_ns,
		.end_ns = end_ns,
		.thread = &v->machine->threads.data[thread],
		.row = switches__first(v->switches, thread),
		.samples = v->samples + v->first_sample[thread],
		.samples_n = intervals__samples(v, thread),
	};
	v->ready.n = v->given = v->joined = 0;
	begin(v);
}

const struct interval *intervals__next(struct intervals *v)
{
	drop_given(v);
	if (!has(v, v->given))
		return NULL;
	/* This one, and what follows it. */
	while (v->joined < v->given + 2 && has(v, v->joined))
		join_off_time(v);
	return &v->ready.data[v->given++];
}

const struct interval *intervals__after(const struct intervals *v)
{
	return v->given < v->ready.n ? &v->ready.data[v->given] : NULL;
}
