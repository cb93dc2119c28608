// SPDX-License-Identifier: GPL-2.0
#include "perfconv/pipeline/quality.h"

#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/unwind/outermost.h"

bool quality__is_part(const struct perfdata_event *e)
{
	return e->sample_type & PERF_SAMPLE_STACK_USER && !strcmp(e->name, "sched:sched_switch");
}

static bool has_dumps(const struct perfdata_event *e)
{
	return e->sample_type & PERF_SAMPLE_STACK_USER && !quality__is_part(e);
}

static bool measures_time(const struct perfdata_event *e)
{
	if (e->type == PERF_TYPE_SOFTWARE)
		return e->config == PERF_COUNT_SW_CPU_CLOCK ||
		       e->config == PERF_COUNT_SW_TASK_CLOCK;
	return e->type == PERF_TYPE_HARDWARE &&
	       (e->config == PERF_COUNT_HW_CPU_CYCLES || e->config == PERF_COUNT_HW_REF_CPU_CYCLES);
}

static bool count_dumps(struct quality *q, const struct capture *c)
{
	bool any = false;

	for (size_t i = 0; i < perfdata__events(c->data); i++)
		any = any || has_dumps(perfdata__event(c->data, i));
	for (size_t i = 0; i < c->counts.n; i++) {
		const struct capture_count *count = &c->counts.data[i];
		size_t event = c->count_keys.keys[i].b;

		if (!has_dumps(perfdata__event(c->data, event)) ||
		    perfdata__is_calibration(c->data, event))
			continue;
		q->complete += count->endings[STACK_COMPLETE];
		q->stitched += count->stitched;
		q->truncated += count->endings[STACK_TRUNCATED];
		q->lost += count->endings[STACK_LOST];
	}
	return any;
}

/*
 * The names of what the outermost frame's CFI does not tell of.  Frame pointers end
 * below what the C library, which keeps none, runs before main and a thread's function.
 */
static bool is_start_by_name(const char *name)
{
	static const char *const names[] = {
		"_start",
		"_dl_start_user",
		"clone",
		"__clone",
		"clone3",
		"__clone3",
		"thread_start",
		"__thread_start",
		"start_thread",
		"__libc_start_call_main",
		"__libc_start_main",
	};

	for (size_t i = 0; name && i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

/* By location id: 1 if a chain that has it outermost is whole; 0 if not; 2: not yet asked. */
static bool location_is_start(const struct capture *c, struct outermost *o, uint8_t *known,
			      uint32_t location)
{
	struct store_location l = store__get_location(&c->store, location);

	if (known[location] == 2) {
		l.place.address -= l.return_address;
		known[location] = outermost__is(o, l.place) ||
				  is_start_by_name(symbols__find(c->symbols, l.place));
	}
	return known[location];
}

static bool chain_is_whole(const struct capture *c, struct outermost *o, uint8_t *known,
			   const uint32_t *roots, const struct store_sample *s)
{
	uint32_t location;

	if (s->stack == STORE_NO_STACK)
		return false;
	location = roots[s->stack];
	if (store__get_location(&c->store, location).place.dso == DSO_ID_KERNEL)
		return !machine__process_of(&c->machine, s->thread)->maps.n;
	return location_is_start(c, o, known, location);
}

/* The outermost location of every stack; a stack's parent has a lower id. */
static uint32_t *find_roots(const struct store *s)
{
	uint32_t *roots = mem__alloc(s->stacks.n, sizeof(*roots));

	for (uint32_t i = 0; i < s->stacks.n; i++) {
		uint32_t parent = store__parent(s, i);

		roots[i] = parent == STORE_NO_STACK ? store__leaf(s, i) : roots[parent];
	}
	return roots;
}

static void count_chains(struct quality *q, const struct capture *c)
{
	uint8_t *known = mem__alloc(c->store.locations.n, 1);
	uint32_t *roots = find_roots(&c->store);
	struct outermost o;

	memset(known, 2, c->store.locations.n);
	outermost__init(&o, &c->machine.dsos, (struct images *)&c->images);
	for (size_t i = 0; i < c->store.samples.n; i++) {
		const struct store_sample *s = &c->store.samples.data[i];
		const struct perfdata_event *e = perfdata__event(c->data, s->event);

		if (!measures_time(e) || !(e->sample_type & PERF_SAMPLE_CALLCHAIN))
			continue;
		if (chain_is_whole(c, &o, known, roots, s))
			q->complete++;
		else
			q->lost++;
	}
	outermost__release(&o);
	free(roots);
	free(known);
}

static void count_places(struct quality *q, const struct capture *c)
{
	q->places = c->store.locations.n;
	for (uint32_t i = 0; i < c->store.locations.n; i++) {
		struct store_location l = store__get_location(&c->store, i);
		struct python_frame py;

		l.place.address -= l.return_address;
		q->unresolved_places += !python__frame(c->python, l.place, &py) &&
					!symbols__find(c->symbols, l.place);
	}
}

struct quality quality__count(const struct capture *c)
{
	struct quality q = { 0 };

	if (!count_dumps(&q, c))
		count_chains(&q, c);
	q.chains = chains__judge(c);
	count_places(&q, c);
	return q;
}
