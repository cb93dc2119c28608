// SPDX-License-Identifier: GPL-2.0
#include "perfconv/resolve/intervals.h"

#include <stdlib.h>
#include <string.h>

/* While the rows of one thread are walked. */
struct walk {
	struct intervals *v;
	const struct thread *thread;
	const uint32_t *samples; /* of the thread, by time */
	size_t samples_n;
	struct interval now; /* begun; its end is not yet known */
	size_t loss;	     /* the first loss that has not been applied */
	uint64_t lost_until; /* rows before that say nothing */
};

/* Both tables of one kind: for each thread where its part of @indices begins, and the
 * numbers of all items, by thread, else in their order. */
static void sort_by_thread(const uint32_t *thread_of, size_t n, size_t threads, uint32_t *first,
			   uint32_t *indices)
{
	uint32_t *next = mem__alloc(threads + 1, sizeof(*next));

	for (size_t i = 0; i < n; i++)
		if (thread_of[i] != UINT32_MAX)
			first[thread_of[i] + 1]++;
	for (size_t t = 0; t < threads; t++)
		first[t + 1] += first[t];
	memcpy(next, first, (threads + 1) * sizeof(*next));
	for (size_t i = 0; i < n; i++)
		if (thread_of[i] != UINT32_MAX)
			indices[next[thread_of[i]]++] = (uint32_t)i;
	free(next);
}

static void sort_rows(struct intervals *v)
{
	size_t n = v->switches->rows.n, threads = v->machine->threads.n;
	uint32_t *thread_of = mem__alloc(n, sizeof(*thread_of));

	for (size_t i = 0; i < n; i++)
		thread_of[i] = v->switches->rows.data[i].thread;
	v->rows = mem__alloc(n, sizeof(*v->rows));
	v->first_row = mem__alloc(threads + 1, sizeof(*v->first_row));
	sort_by_thread(thread_of, n, threads, v->first_row, v->rows);
	free(thread_of);
}

static void sort_samples(struct intervals *v, uint32_t on_cpu)
{
	size_t n = v->store->samples.n, threads = v->machine->threads.n;
	uint32_t *thread_of = mem__alloc(n, sizeof(*thread_of));

	for (size_t i = 0; i < n; i++) {
		const struct store_sample *s = &v->store->samples.data[i];

		thread_of[i] = s->event == on_cpu ? s->thread : UINT32_MAX;
	}
	v->samples = mem__alloc(n, sizeof(*v->samples));
	v->first_sample = mem__alloc(threads + 1, sizeof(*v->first_sample));
	sort_by_thread(thread_of, n, threads, v->first_sample, v->samples);
	free(thread_of);
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
		     const struct store *store, const struct machine *machine, uint32_t on_cpu,
		     uint64_t start_ns, uint64_t end_ns)
{
	memset(v, 0, sizeof(*v));
	v->switches = switches;
	v->store = store;
	v->machine = machine;
	v->start_ns = start_ns;
	v->end_ns = end_ns;
	v->has_ins = switches->ins > 0;
	sort_rows(v);
	sort_samples(v, on_cpu);
	sort_losses(v);
}

void intervals__release(struct intervals *v)
{
	free(v->rows);
	free(v->first_row);
	free(v->samples);
	free(v->first_sample);
	vec__release(&v->losses);
	vec__release(&v->list);
}

/* What has begun ends at @time_ns, and @state begins. */
static void go_on(struct walk *w, uint64_t time_ns, enum thread_state state)
{
	struct intervals *v = w->v;

	if (time_ns < v->start_ns)
		time_ns = v->start_ns;
	if (time_ns > v->end_ns)
		time_ns = v->end_ns;
	if (time_ns > w->now.start_ns) {
		w->now.end_ns = time_ns;
		vec__push(&v->list, w->now);
		w->now.start_ns = time_ns;
	}
	w->now.state = state;
	w->now.preempted = false;
	if (state != THREAD_WAITING && state != THREAD_RUNNABLE) {
		w->now.place = SWITCH_NO_PLACE;
		w->now.out_ns = 0;
		w->now.unseen = false;
	}
}

static bool is_off(const struct interval *i)
{
	return i->state == THREAD_WAITING || i->state == THREAD_RUNNABLE;
}

static void begin(struct walk *w, const struct store_switch *first)
{
	uint64_t born = w->thread->start_ns;
	enum thread_state state = THREAD_WAITING;

	w->now = (struct interval){ .start_ns = w->v->start_ns, .place = SWITCH_NO_PLACE };
	if (first && switch__kind(first) <= SWITCH_PREEMPTED)
		state = THREAD_RUNNING;
	else if (!first && w->samples_n)
		state = THREAD_RUNNING;
	if (born <= w->v->start_ns) {
		go_on(w, w->v->start_ns, state);
		w->now.unseen = state == THREAD_WAITING;
		return;
	}
	w->now.state = THREAD_ABSENT;
	/* Whoever lives is switched in at some time; who never was is not recorded. */
	go_on(w, born, first ? THREAD_RUNNABLE : w->samples_n ? state : THREAD_UNKNOWN);
}

/*
 * Nobody tells when threads come back: the first sample after a switch does, which
 * stands for the period before it.
 */
static void come_back_by_sample(struct walk *w, uint64_t until_ns)
{
	size_t low = 0, high = w->samples_n;
	const struct store_sample *s;
	uint64_t back_ns;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (w->v->store->samples.data[w->samples[mid]].time_ns > w->now.start_ns)
			high = mid;
		else
			low = mid + 1;
	}
	if (low == w->samples_n)
		return;
	s = &w->v->store->samples.data[w->samples[low]];
	if (s->time_ns > until_ns)
		return;
	back_ns = s->time_ns > s->weight ? s->time_ns - s->weight : 0;
	go_on(w, back_ns, THREAD_RUNNING);
}

static void apply_out(struct walk *w, const struct store_switch *row)
{
	bool dead = w->thread->end_ns && row->time_ns >= w->thread->end_ns;

	if (is_off(&w->now) && !w->v->has_ins)
		come_back_by_sample(w, row->time_ns);
	else if (is_off(&w->now))
		w->now.state = THREAD_UNKNOWN; /* it was back, and nobody said since when */
	if (dead) {
		go_on(w, row->time_ns, THREAD_ABSENT);
		return;
	}
	go_on(w, row->time_ns, switch__kind(row) == SWITCH_OUT ? THREAD_WAITING : THREAD_RUNNABLE);
	w->now.place = switch__place(row);
	w->now.out_ns = row->time_ns;
	w->now.unseen = false;
	w->now.preempted = switch__kind(row) == SWITCH_PREEMPTED;
}

static void apply_row(struct walk *w, const struct store_switch *row)
{
	switch (switch__kind(row)) {
	case SWITCH_IN:
		go_on(w, row->time_ns, THREAD_RUNNING);
		break;
	case SWITCH_WAKEUP:
		if (w->now.state == THREAD_WAITING)
			go_on(w, row->time_ns, THREAD_RUNNABLE);
		break;
	case SWITCH_OUT:
	case SWITCH_PREEMPTED:
	default:
		apply_out(w, row);
		break;
	}
}

/* Losses that began before @time_ns. */
static void apply_losses(struct walk *w, uint64_t time_ns)
{
	const struct intervals *v = w->v;

	for (; w->loss < v->losses.n && v->losses.data[w->loss].start_ns < time_ns; w->loss++) {
		const struct switch_loss *loss = &v->losses.data[w->loss];

		if (w->now.state != THREAD_ABSENT)
			go_on(w, loss->start_ns, THREAD_UNKNOWN);
		if (loss->end_ns > w->lost_until)
			w->lost_until = loss->end_ns;
	}
}

static void finish(struct walk *w)
{
	uint64_t end_ns = w->v->end_ns, dead_ns = w->thread->end_ns;

	if (is_off(&w->now) && !w->v->has_ins)
		come_back_by_sample(w, end_ns);
	if (dead_ns && w->now.state != THREAD_ABSENT) {
		apply_losses(w, dead_ns);
		go_on(w, dead_ns, THREAD_ABSENT);
	}
	apply_losses(w, end_ns);
	go_on(w, end_ns, THREAD_UNKNOWN);
}

/* A wait and the run queue after it are one time off the CPU: from one "out" to one "in". */
static void join_off_times(struct intervals *v)
{
	for (size_t i = 0; i < v->list.n;) {
		uint64_t start_ns = v->list.data[i].start_ns;
		size_t end = i + 1;

		while (is_off(&v->list.data[i]) && end < v->list.n &&
		       v->list.data[end].state == THREAD_RUNNABLE && !v->list.data[end].preempted)
			end++;
		for (size_t k = i; k < end; k++) {
			if (!v->list.data[k].out_ns)
				v->list.data[k].out_ns = start_ns;
			v->list.data[k].back_ns = v->list.data[end - 1].end_ns;
		}
		i = end;
	}
}

void intervals__of(struct intervals *v, uint32_t thread)
{
	size_t n = intervals__rows(v, thread);
	const uint32_t *rows = v->rows + v->first_row[thread];
	struct walk w = {
		.v = v,
		.thread = &v->machine->threads.data[thread],
		.samples = v->samples + v->first_sample[thread],
		.samples_n = intervals__samples(v, thread),
	};

	v->list.n = 0;
	begin(&w, n ? &v->switches->rows.data[rows[0]] : NULL);
	for (size_t i = 0; i < n; i++) {
		const struct store_switch *row = &v->switches->rows.data[rows[i]];

		apply_losses(&w, row->time_ns);
		if (row->time_ns >= w.lost_until)
			apply_row(&w, row);
	}
	finish(&w);
	join_off_times(v);
}
