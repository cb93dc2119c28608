// SPDX-License-Identifier: GPL-2.0
#include "perfconv/profile/profile.h"

#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/profile/buckets.h"
#include "perfconv/profile/builder.h"
#include "perfconv/profile/filter.h"

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

bool profile__measures_time(const struct perfdata_event *event)
{
	return preference(event) > 1;
}

static int preference_of(const struct perfdata *data, uint32_t event)
{
	return perfdata__is_calibration(data, event) ? 0 : preference(perfdata__event(data, event));
}

uint32_t profile__event(const struct perfdata *data, const struct store *store)
{
	size_t n = perfdata__events(data);
	uint64_t *counts = mem__alloc(n, sizeof(*counts));
	uint32_t best = 0;

	for (size_t i = 0; i < store->samples.n; i++)
		counts[store->samples.data[i].event]++;
	for (uint32_t i = 1; i < n; i++) {
		int mine = preference_of(data, i), other = preference_of(data, best);

		if (counts[i] && (!counts[best] || mine > other))
			best = i;
	}
	free(counts);
	return best;
}

static void add_slice(struct profile *p, struct profile_thread *t, uint32_t stack, uint64_t weight)
{
	buckets__add(p, t, (struct profile_slice){ .weight = weight, .stack = stack });
}

/* How much of a sample lies in the window; in time where it measures time. */
static uint64_t weight_within(const struct profile *p, const struct store_sample *s,
			      struct profile_window window)
{
	uint64_t weight = s->weight ? s->weight : 1;
	uint64_t begin = s->time_ns > weight ? s->time_ns - weight : 0, end = s->time_ns;

	if (!window.from_ns && window.to_ns == UINT64_MAX)
		return weight;
	if (!p->timed)
		return end >= window.from_ns && end < window.to_ns ? weight : 0;
	if (begin < window.from_ns)
		begin = window.from_ns;
	if (end > window.to_ns)
		end = window.to_ns;
	return begin < end ? end - begin : 0;
}

static void add_sample(struct profile *p, struct profile_thread *t, const struct store_sample *s,
		       uint32_t stack, uint64_t end_ns, uint64_t weight)
{
	if (p->timed) {
		uint64_t at = end_ns - p->start_ns;
		uint64_t begin = at > weight ? at - weight : 0;

		if (begin > t->end)
			add_slice(p, t, RESOLVE_NO_STACK, begin - t->end);
	}
	add_slice(p, t, stack, weight);
	t->weight += weight;
	t->samples++;
	t->endings[s->ending]++;
	t->stitched += s->stitched;
	p->weight += weight;
	p->samples++;
	p->endings[s->ending]++;
	p->stitched += s->stitched;
}

/* The first sample's own slice reaches back before it. */
static void find_start(struct profile *p, const struct profile_sources *from)
{
	uint64_t start = UINT64_MAX;

	for (size_t i = 0; i < from->store->samples.n; i++) {
		const struct store_sample *s = &from->store->samples.data[i];
		uint64_t begin = s->time_ns > s->weight ? s->time_ns - s->weight : 0;

		if (s->event == p->event && begin < start)
			start = begin;
	}
	if (start < from->window.from_ns)
		start = from->window.from_ns;
	p->start_ns = start == UINT64_MAX ? 0 : start;
}

/* What @s adds to the profile; 0: nothing. */
static uint64_t weight_of(const struct profile *p, const struct profile_sources *from,
			  const struct store_sample *s)
{
	return s->event == p->event ? weight_within(p, s, from->window) : 0;
}

/* All of them first: their names tell which are shown. */
static void add_threads(struct profile *p, struct builder *b, const struct profile_sources *from)
{
	for (size_t i = 0; i < from->store->samples.n; i++) {
		const struct store_sample *s = &from->store->samples.data[i];

		if (weight_of(p, from, s))
			(void)builder__thread(b, s->thread);
	}
	builder__add_python_threads(b);
	builder__arrange(b);
	for (size_t i = 0; i < p->threads.n; i++)
		p->threads.data[i].hidden =
			!profile_filter__passes(from->filter, p, &p->threads.data[i]);
}

static void add_samples(struct profile *p, struct builder *b, const struct profile_sources *from)
{
	for (size_t i = 0; i < from->store->samples.n; i++) {
		const struct store_sample *s = &from->store->samples.data[i];
		uint64_t end_ns = s->time_ns, weight = weight_of(p, from, s);
		struct profile_thread *t;
		uint32_t stack;

		if (end_ns > from->window.to_ns)
			end_ns = from->window.to_ns;
		if (!weight)
			continue;
		t = builder__thread(b, s->thread);
		stack = resolver__show(from->resolver, resolver__sample(from->resolver, s),
				       t->hidden ? 0 : weight);
		add_sample(p, t, s, stack, end_ns, weight);
		if (p->counts_hits)
			hits__add(&p->hits, s->thread, stack);
	}
}

/* With clocks all timelines reach to one end; the longest may stand a little past it. */
static void finish_timelines(struct profile *p)
{
	for (size_t i = 0; i < p->threads.n; i++)
		if (p->threads.data[i].end > p->duration)
			p->duration = p->threads.data[i].end;
	for (size_t i = 0; p->timed && i < p->threads.n; i++)
		add_slice(p, &p->threads.data[i], RESOLVE_NO_STACK,
			  p->duration - p->threads.data[i].end);
}

struct profile *profile__new(const struct profile_sources *sources)
{
	const struct perfdata_event *event = sources->event;
	struct profile *p = mem__alloc(1, sizeof(*p));
	struct builder b = { .profile = p, .machine = sources->machine, .python = sources->python };

	p->resolved = resolver__resolved(sources->resolver);
	p->event = sources->event_index;
	p->timed = is_clock(event) && (event->sample_type & PERF_SAMPLE_TIME);
	p->has_dumps = event->sample_type & PERF_SAMPLE_STACK_USER;
	p->holding.max_slices = sources->max_slices;
	p->counts_hits = sources->hits;
	find_start(p, sources);
	add_threads(p, &b, sources);
	add_samples(p, &b, sources);
	finish_timelines(p);
	builder__release(&b);
	profile__filter(p, sources->filter);
	return p;
}

void profile__show(const struct profile *p, const struct watcher *watcher)
{
	for (size_t i = 0; i < p->threads.n; i++) {
		const struct profile_thread *t = &p->threads.data[i];
		struct stretch s = { .end_ns = p->start_ns };

		watcher->thread(watcher->target, t->id);
		for (size_t k = 0; k < t->slices.n; k++) {
			bool gap = t->slices.data[k].stack == RESOLVE_NO_STACK;

			s.begin_ns = s.end_ns;
			s.end_ns += t->slices.data[k].weight;
			s.stack = t->slices.data[k].stack;
			s.state = gap ? THREAD_UNKNOWN : THREAD_RUNNING;
			watcher->stretch(watcher->target, &s);
		}
	}
}

const char *profile__process_name(const struct profile *p, const struct profile_thread *t)
{
	for (size_t i = 0; i < p->threads.n; i++)
		if (p->threads.data[i].pid == t->pid && p->threads.data[i].tid == t->pid)
			return p->threads.data[i].comm;
	return t->comm;
}

void profile_thread__release(struct profile_thread *t)
{
	free(t->name);
	vec__release(&t->slices);
}

void profile__free(struct profile *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->threads.n; i++)
		profile_thread__release(&p->threads.data[i]);
	vec__release(&p->threads);
	vec__release(&p->total);
	hits__release(&p->hits);
	free(p);
}
