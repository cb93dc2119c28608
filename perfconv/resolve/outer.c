// SPDX-License-Identifier: GPL-2.0
#include "perfconv/resolve/outer.h"

#include <stdlib.h>
#include <string.h>

#include "perfconv/store/activation.h"

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

/* The innermost activation that is a caller of both, or one of them. */
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

static void add_sample(struct outer *o, const struct store_sample *s)
{
	struct outer_thread *t = &o->threads[s->thread];

	if (s->ending != STACK_COMPLETE || s->activation == STORE_NO_ACTIVATION)
		return;
	if (!t->samples++) {
		t->first_ns = s->time_ns;
		t->common = s->activation;
	}
	t->last_ns = s->time_ns;
	t->common = common(o, t->common, s->activation);
}

void outer__init(struct outer *o, struct store *store, const struct machine *machine)
{
	o->store = store;
	o->threads = mem__alloc(machine->threads.n, sizeof(*o->threads));
	find_depths(o);
	for (size_t i = 0; i < store->samples.n; i++)
		add_sample(o, &store->samples.data[i]);
}

void outer__release(struct outer *o)
{
	free(o->threads);
	free(o->depths);
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
	const struct outer_thread *t = &o->threads[thread];
	uint32_t activation = t->common;

	if (!t->samples || t->first_ns > from_ns || t->last_ns < to_ns)
		return STORE_NO_STACK; /* nothing on one side */
	while (activation != STORE_NO_ACTIVATION && activation__cfa(o->store, activation) <= sp)
		activation = activation__parent(o->store, activation);
	return as_stack(o, activation);
}
