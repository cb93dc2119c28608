// SPDX-License-Identifier: GPL-2.0
/*
 * What a range of samples shares is the lowest common ancestor of their
 * activations.  A table of the ranges of 1, 2, 4 ... samples answers any range by
 * two of them, since it does no harm if they overlap.
 */
#include "perfconv/resolve/outer.h"

#include <stdlib.h>
#include <string.h>

#include "perfconv/store/activation.h"

static bool is_whole(const struct store_sample *s)
{
	return s->ending == STACK_COMPLETE && s->activation != STORE_NO_ACTIVATION;
}

/* Samples come in time order; each thread's keep it. */
static void sort_samples(struct outer *o, size_t threads)
{
	const struct store *s = o->store;
	uint32_t *next;

	o->first = mem__alloc(threads + 1, sizeof(*o->first));
	for (size_t i = 0; i < s->samples.n; i++)
		if (is_whole(&s->samples.data[i]))
			o->first[s->samples.data[i].thread + 1]++;
	for (size_t t = 0; t < threads; t++)
		o->first[t + 1] += o->first[t];
	next = mem__alloc(threads + 1, sizeof(*next));
	memcpy(next, o->first, (threads + 1) * sizeof(*next));
	o->samples_n = o->first[threads];
	o->samples = mem__alloc(o->samples_n, sizeof(*o->samples));
	for (uint32_t i = 0; i < s->samples.n; i++)
		if (is_whole(&s->samples.data[i]))
			o->samples[next[s->samples.data[i].thread]++] = i;
	free(next);
}

/* A caller's id is lower than its callee's. */
static void find_depths(struct outer *o)
{
	size_t n = o->store->activations.n;

	o->depths = mem__alloc(n, sizeof(*o->depths));
	for (uint32_t a = 0; a < n; a++) {
		uint32_t parent = activation__parent(o->store, a);

		o->depths[a] = parent == STORE_NO_ACTIVATION ? 1 : o->depths[parent] + 1;
	}
}

static uint32_t common(const struct outer *o, uint32_t a, uint32_t b)
{
	while (a != b) {
		if (a == STORE_NO_ACTIVATION || b == STORE_NO_ACTIVATION)
			return STORE_NO_ACTIVATION;
		if (o->depths[a] >= o->depths[b])
			a = activation__parent(o->store, a);
		else
			b = activation__parent(o->store, b);
	}
	return a;
}

static void fill_table(struct outer *o)
{
	size_t n = o->samples_n;

	o->common[0] = mem__alloc(n, sizeof(**o->common));
	for (size_t i = 0; i < n; i++)
		o->common[0][i] = o->store->samples.data[o->samples[i]].activation;
	for (unsigned int k = 1; k < OUTER_LEVELS && (size_t)1 << k <= n; k++) {
		size_t half = (size_t)1 << (k - 1);

		o->common[k] = mem__alloc(n, sizeof(**o->common));
		for (size_t i = 0; i + 2 * half <= n; i++)
			o->common[k][i] =
				common(o, o->common[k - 1][i], o->common[k - 1][i + half]);
	}
}

void outer__init(struct outer *o, struct store *store, const struct machine *machine)
{
	memset(o, 0, sizeof(*o));
	o->store = store;
	sort_samples(o, machine->threads.n);
	find_depths(o);
	fill_table(o);
}

void outer__release(struct outer *o)
{
	free(o->samples);
	free(o->first);
	free(o->depths);
	for (size_t k = 0; k < OUTER_LEVELS; k++)
		free(o->common[k]);
}

/* The first sample in [@low, @high) at or after @time_ns, or @high. */
static size_t first_at(const struct outer *o, size_t low, size_t high, uint64_t time_ns)
{
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (o->store->samples.data[o->samples[mid]].time_ns < time_ns)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* What the samples [@low, @high), at least one, all share. */
static uint32_t common_of(const struct outer *o, size_t low, size_t high)
{
	unsigned int k = 63u - (unsigned int)__builtin_clzll(high - low);

	return common(o, o->common[k][low], o->common[k][high - ((size_t)1 << k)]);
}

static uint32_t as_stack(struct outer *o, uint32_t activation)
{
	uint32_t parent, stack = STORE_NO_STACK;

	if (activation == STORE_NO_ACTIVATION)
		return STORE_NO_STACK;
	parent = activation__parent(o->store, activation);
	if (parent != STORE_NO_ACTIVATION)
		stack = as_stack(o, parent);
	return store__push(o->store, stack, activation__location(o->store, activation));
}

uint32_t outer__find(struct outer *o, uint32_t thread, uint64_t from_ns, uint64_t to_ns,
		     uint64_t sp)
{
	size_t first = o->first[thread], end = o->first[thread + 1];
	size_t before = first_at(o, first, end, from_ns), after = first_at(o, before, end, to_ns);
	uint64_t low_ns = from_ns > OUTER_NEAR_NS ? from_ns - OUTER_NEAR_NS : 0;
	size_t low = first_at(o, first, end, low_ns);
	size_t high = first_at(o, after, end, to_ns + OUTER_NEAR_NS);
	uint32_t activation;

	if (before == first || after == end)
		return STORE_NO_STACK; /* nothing on one side */
	low = low < before ? low : before - 1;
	high = high > after ? high : after + 1;
	activation = common_of(o, low, high);
	while (activation != STORE_NO_ACTIVATION && activation__cfa(o->store, activation) <= sp)
		activation = activation__parent(o->store, activation);
	return as_stack(o, activation);
}
