// SPDX-License-Identifier: GPL-2.0
#include "perfconv/profile/profile.h"

#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>

/* A thread while it is built: the machine's id says whose it is. */
struct building {
	struct profile *profile;
	const struct machine *machine;
	const struct python *python;
	VEC(uint32_t) slot; /* machine thread id -> index into profile->threads, or NO_SLOT */
	VEC(uint32_t) ids;  /* the other way round */
};

#define NO_SLOT UINT32_MAX

static bool is_clock(const struct perfdata_event *e)
{
	return e->type == PERF_TYPE_SOFTWARE &&
	       (e->config == PERF_COUNT_SW_CPU_CLOCK || e->config == PERF_COUNT_SW_TASK_CLOCK);
}

static int preference(const struct perfdata_event *e)
{
	if (is_clock(e))
		return 3;
	if (e->type == PERF_TYPE_HARDWARE && e->config == PERF_COUNT_HW_CPU_CYCLES)
		return 2;
	return e->type == PERF_TYPE_SOFTWARE && e->config == PERF_COUNT_SW_DUMMY ? 0 : 1;
}

uint32_t profile__event(const struct perfdata *data, const struct store *store)
{
	size_t n = perfdata__events(data);
	uint64_t *counts = mem__alloc(n, sizeof(*counts));
	uint32_t best = 0;

	for (size_t i = 0; i < store->samples.n; i++)
		counts[store->samples.data[i].event]++;
	for (uint32_t i = 1; i < n; i++) {
		int mine = preference(perfdata__event(data, i));
		int other = preference(perfdata__event(data, best));

		if (counts[i] && (!counts[best] || mine > other))
			best = i;
	}
	free(counts);
	return best;
}

static struct profile_thread *thread_of(struct building *b, uint32_t id)
{
	const struct thread *t = &b->machine->threads.data[id];
	const char *name;
	struct profile_thread *out;

	while (b->slot.n <= id)
		vec__push(&b->slot, NO_SLOT);
	if (b->slot.data[id] != NO_SLOT)
		return &b->profile->threads.data[b->slot.data[id]];
	b->slot.data[id] = (uint32_t)b->profile->threads.n;
	vec__push(&b->ids, id);
	out = vec__add(&b->profile->threads);
	out->pid = b->machine->processes.data[t->process].pid;
	out->tid = t->tid;
	out->comm = machine__comm(b->machine, id);
	name = python__thread_name(b->python, id);
	out->python = name != NULL;
	out->name = name	    ? mem__strdup(name)
		    : *out->comm    ? mem__strdup(out->comm)
		    : out->tid == 0 ? mem__strdup("[idle]")
				    : mem__format("thread %u", out->tid);
	return out;
}

static void add_slice(struct profile_thread *t, uint32_t stack, uint64_t weight)
{
	struct profile_slice *last = t->slices.n ? &t->slices.data[t->slices.n - 1] : NULL;

	t->end += weight;
	if (!weight)
		return;
	if (last && last->stack == stack)
		last->weight += weight;
	else
		vec__push(&t->slices, ((struct profile_slice){ weight, stack }));
}

static void add_sample(struct profile *p, struct profile_thread *t, const struct store_sample *s,
		       uint32_t stack)
{
	uint64_t weight = s->weight ? s->weight : 1;

	if (p->timed) {
		uint64_t at = s->time_ns - p->start_ns;
		uint64_t begin = at > weight ? at - weight : 0;

		if (begin > t->end)
			add_slice(t, RESOLVE_NO_STACK, begin - t->end);
	}
	add_slice(t, stack, weight);
	t->weight += weight;
	t->samples++;
	t->endings[s->ending]++;
	p->weight += weight;
	p->samples++;
	p->endings[s->ending]++;
}

/* The first sample's own slice reaches back before it. */
static void find_start(struct profile *p, const struct store *store)
{
	uint64_t start = UINT64_MAX;

	for (size_t i = 0; i < store->samples.n; i++) {
		const struct store_sample *s = &store->samples.data[i];
		uint64_t begin = s->time_ns > s->weight ? s->time_ns - s->weight : 0;

		if (s->event == p->event && begin < start)
			start = begin;
	}
	p->start_ns = start == UINT64_MAX ? 0 : start;
}

/* Threads that Python names are shown also when they were never on a CPU. */
static void add_idle_python_threads(struct building *b)
{
	for (uint32_t id = 0; id < b->machine->threads.n; id++)
		if (python__thread_name(b->python, id))
			(void)thread_of(b, id);
}

/* With clocks all timelines reach to one end; the longest may stand a little past it. */
static void finish_timelines(struct profile *p)
{
	for (size_t i = 0; i < p->threads.n; i++)
		if (p->threads.data[i].end > p->duration)
			p->duration = p->threads.data[i].end;
	for (size_t i = 0; p->timed && i < p->threads.n; i++)
		add_slice(&p->threads.data[i], RESOLVE_NO_STACK,
			  p->duration - p->threads.data[i].end);
}

static void rename_thread(struct profile_thread *t, char *name)
{
	free(t->name);
	t->name = name;
}

/* What is still equal (a tid that came back with its name) is numbered. */
static void number_equal_names(struct profile *p)
{
	struct strtab taken = { 0 };

	for (size_t i = 0; i < p->threads.n; i++) {
		struct profile_thread *t = &p->threads.data[i];
		char *name = mem__strdup(t->name);
		size_t before = taken.n;

		strtab__intern(&taken, t->name);
		for (unsigned int k = 2; taken.n == before; k++) {
			rename_thread(t, mem__format("%s #%u", name, k));
			strtab__intern(&taken, t->name);
		}
		free(name);
	}
	strtab__release(&taken);
}

/* Several processes: say which; equal names: say the tid. */
static void make_names_unique(struct profile *p)
{
	struct profile_thread *t = p->threads.data;
	bool several = false;
	struct strtab strings = { 0 };
	uint32_t *counts = mem__alloc(p->threads.n, sizeof(*counts));

	for (size_t i = 0; i < p->threads.n; i++)
		several = several || t[i].pid != t[0].pid;
	for (size_t i = 0; several && i < p->threads.n; i++)
		rename_thread(&t[i], mem__format("%s (pid %u)", t[i].name, t[i].pid));
	for (size_t i = 0; i < p->threads.n; i++)
		counts[strtab__intern(&strings, t[i].name)]++;
	for (size_t i = 0; i < p->threads.n; i++)
		if (counts[strtab__intern(&strings, t[i].name)] > 1)
			rename_thread(&t[i], mem__format("%s (tid %u)", t[i].name, t[i].tid));
	number_equal_names(p);
	free(counts);
	strtab__release(&strings);
}

struct sort_key {
	uint32_t pid, tid;
	uint64_t start_ns;
	struct profile_thread thread;
};

static int by_process_and_start(const void *a, const void *b)
{
	const struct sort_key *x = a, *y = b;
	bool x_main = x->tid == x->pid, y_main = y->tid == y->pid;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	if (x_main != y_main)
		return x_main ? -1 : 1;
	if (x->start_ns != y->start_ns)
		return x->start_ns < y->start_ns ? -1 : 1;
	return x->tid < y->tid ? -1 : x->tid > y->tid;
}

static void sort_threads(struct building *b)
{
	struct profile *p = b->profile;
	struct sort_key *keys = mem__alloc(p->threads.n, sizeof(*keys));

	for (size_t i = 0; i < p->threads.n; i++) {
		const struct profile_thread *t = &p->threads.data[i];

		keys[i] = (struct sort_key){ t->pid, t->tid,
					     b->machine->threads.data[b->ids.data[i]].start_ns,
					     *t };
	}
	qsort(keys, p->threads.n, sizeof(*keys), by_process_and_start);
	for (size_t i = 0; i < p->threads.n; i++)
		p->threads.data[i] = keys[i].thread;
	free(keys);
}

struct profile *profile__new(const struct perfdata_event *event, uint32_t event_index,
			     const struct store *store, const struct machine *machine,
			     const struct python *python, struct resolver *resolver)
{
	struct profile *p = mem__alloc(1, sizeof(*p));
	struct building b = { .profile = p, .machine = machine, .python = python };

	p->resolved = resolver__resolved(resolver);
	p->event = event_index;
	p->timed = is_clock(event) && (event->sample_type & PERF_SAMPLE_TIME);
	p->has_dumps = event->sample_type & PERF_SAMPLE_STACK_USER;
	find_start(p, store);
	for (size_t i = 0; i < store->samples.n; i++) {
		const struct store_sample *s = &store->samples.data[i];
		bool cut = s->ending == STACK_TRUNCATED || s->ending == STACK_LOST;

		if (s->event == event_index)
			add_sample(p, thread_of(&b, s->thread), s,
				   resolver__stack(resolver, s->stack, cut));
	}
	add_idle_python_threads(&b);
	finish_timelines(p);
	sort_threads(&b);
	make_names_unique(p);
	vec__release(&b.slot);
	vec__release(&b.ids);
	return p;
}

void profile__free(struct profile *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->threads.n; i++) {
		free(p->threads.data[i].name);
		vec__release(&p->threads.data[i].slices);
	}
	vec__release(&p->threads);
	free(p);
}
