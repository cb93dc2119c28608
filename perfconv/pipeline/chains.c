// SPDX-License-Identifier: GPL-2.0
/*
 * Equal stacks of one thread are looked at once, with how often they came.  They are
 * gathered per process and sorted by thread and outermost location, so that the
 * commonest one of a thread is a run.
 */
#include "perfconv/pipeline/chains.h"

#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_SAMPLES 20u  /* fewer say nothing */
#define SHALLOW 3u	   /* frames of a median chain without frame pointers */
#define LEAST_UNMAPPED 10u /* percent: so many ends in no code are no accident */

struct chain {
	uint32_t process, thread;
	uint32_t root; /* location id of its outermost frame */
	uint32_t depth;
	uint64_t samples;
	bool unmapped;
};

struct chains {
	struct idmap stacks;   /* (thread, stack) */
	VEC(uint64_t) samples; /* of each of those */
	VEC(struct chain) list;
};

static bool is_callchain(const struct perfdata_event *e)
{
	return e->sample_type & PERF_SAMPLE_CALLCHAIN;
}

/* The user's part of a stack, outside of the kernel's. */
static bool measure(const struct capture *c, uint32_t thread, uint32_t stack, struct chain *out)
{
	*out = (struct chain){ .process = c->machine.threads.data[thread].process,
			       .thread = thread };
	for (; stack != STORE_NO_STACK; stack = store__parent(&c->store, stack)) {
		uint32_t location = store__leaf(&c->store, stack);
		uint32_t dso = store__get_location(&c->store, location).place.dso;

		if (dso == DSO_ID_KERNEL)
			continue;
		out->root = location;
		out->unmapped = dso == DSO_ID_UNKNOWN;
		out->depth++;
	}
	return out->depth;
}

static int by_root(const void *a, const void *b)
{
	const struct chain *x = a, *y = b;

	if (x->process != y->process)
		return x->process < y->process ? -1 : 1;
	if (x->thread != y->thread)
		return x->thread < y->thread ? -1 : 1;
	return (x->root > y->root) - (x->root < y->root);
}

static int by_depth(const void *a, const void *b)
{
	const struct chain *x = a, *y = b;

	return (x->depth > y->depth) - (x->depth < y->depth);
}

/* Chains of one thread, sorted by root: how many samples end at the commonest call. */
static uint64_t count_reaching(const struct store *store, const struct chain *list, size_t n)
{
	uint64_t most = 0;

	for (size_t i = 0, end; i < n; i = end) {
		uint64_t samples = 0;

		for (end = i; end < n && list[end].root == list[i].root; end++)
			samples += list[end].samples;
		if (store__get_location(store, list[i].root).return_address && !list[i].unmapped &&
		    samples > most)
			most = samples;
	}
	return most;
}

static uint32_t median_depth(struct chain *list, size_t n, uint64_t samples)
{
	uint64_t before = 0;
	size_t i = 0;

	qsort(list, n, sizeof(*list), by_depth);
	for (; i + 1 < n && before + list[i].samples <= samples / 2; i++)
		before += list[i].samples;
	return list[i].depth;
}

static struct chains_process judge_process(const struct store *store, struct chain *list, size_t n)
{
	struct chains_process p = { .process = list->process };

	for (size_t i = 0, end; i < n; i = end) {
		for (end = i; end < n && list[end].thread == list[i].thread; end++) {
			p.samples += list[end].samples;
			p.unmapped += list[end].unmapped ? list[end].samples : 0;
		}
		p.reaching += count_reaching(store, list + i, end - i);
	}
	p.median_depth = median_depth(list, n, p.samples);
	return p;
}

static bool lacks_frame_pointers(const struct chains_process *p)
{
	return p->samples >= LEAST_SAMPLES && 2 * p->reaching < p->samples &&
	       (p->median_depth <= SHALLOW || 100 * p->unmapped >= LEAST_UNMAPPED * p->samples);
}

static struct chains_verdict judge(const struct store *store, struct chains *chains)
{
	struct chains_verdict v = { 0 };
	struct chain *list = chains->list.data;

	for (size_t i = 0, end; i < chains->list.n; i = end) {
		struct chains_process p;

		for (end = i; end < chains->list.n && list[end].process == list[i].process; end++)
			;
		p = judge_process(store, list + i, end - i);
		if (!lacks_frame_pointers(&p))
			continue;
		v.processes++;
		if (p.samples > v.worst.samples)
			v.worst = p;
	}
	return v;
}

static bool any_dumps(const struct perfdata *data)
{
	for (size_t i = 0; i < perfdata__events(data); i++)
		if (perfdata__event(data, i)->sample_type & PERF_SAMPLE_STACK_USER)
			return true;
	return false;
}

static void count(struct chains *chains, const struct store_sample *s)
{
	uint32_t id = idmap__intern(&chains->stacks, s->thread, s->stack);

	if (id == chains->samples.n)
		vec__push(&chains->samples, 0);
	chains->samples.data[id]++;
}

struct chains_verdict chains__judge(const struct capture *c)
{
	struct chains chains = { 0 };
	struct chains_verdict v = { 0 };

	if (any_dumps(c->data))
		return v;
	for (size_t i = 0; i < c->store.samples.n; i++) {
		const struct store_sample *s = &c->store.samples.data[i];

		if (is_callchain(perfdata__event(c->data, s->event)))
			count(&chains, s);
	}
	for (size_t i = 0; i < chains.stacks.n; i++) {
		const struct idmap_key *k = &chains.stacks.keys[i];
		struct chain chain;

		if (!measure(c, (uint32_t)k->a, (uint32_t)k->b, &chain))
			continue;
		chain.samples = chains.samples.data[i];
		vec__push(&chains.list, chain);
	}
	if (chains.list.n)
		qsort(chains.list.data, chains.list.n, sizeof(*chains.list.data), by_root);
	v = judge(&c->store, &chains);
	idmap__release(&chains.stacks);
	vec__release(&chains.samples);
	vec__release(&chains.list);
	return v;
}
