// SPDX-License-Identifier: GPL-2.0
#include "perfconv/resolve/spots.h"

#include <stdlib.h>
#include <string.h>

#include "perfconv/store/activation.h"

static uint32_t function_of(struct spots *s, uint32_t location)
{
	while (s->function_of.n <= location)
		vec__push(&s->function_of, SPOTS_NONE);
	if (s->function_of.data[location] == SPOTS_NONE) {
		struct store_location l = store__get_location(s->store, location);

		l.place.address -= l.return_address;
		s->function_of.data[location] = idmap__intern(
			&s->function_keys, l.place.dso, functions__start(&s->functions, l.place));
	}
	return s->function_of.data[location];
}

/* Return: false if its CFA is not known: it lies anywhere. */
static bool find_key(struct spots *s, uint32_t thread, uint32_t activation, uint64_t *anchor)
{
	uint64_t cfa = activation__cfa(s->store, activation);
	uint32_t function = function_of(s, activation__location(s->store, activation));

	*anchor = idmap__intern(&s->anchors, function, cfa);
	*anchor |= (uint64_t)thread << 32;
	return cfa != 0;
}

static uint32_t findnew_continuation(struct spots *s, uint32_t spot, uint32_t caller)
{
	uint32_t at = s->continuations_of.data[spot];
	struct continuation *new;

	for (; at != SPOTS_NONE; at = s->continuations.data[at].next)
		if (s->continuations.data[at].caller == caller)
			return at;
	new = vec__add(&s->continuations);
	new->caller = caller;
	new->views = SPOTS_NONE;
	new->next = s->continuations_of.data[spot];
	s->continuations_of.data[spot] = (uint32_t)s->continuations.n - 1;
	return s->continuations_of.data[spot];
}

static void add_view(struct spots *s, uint32_t thread, uint32_t activation)
{
	struct spot_view v = { activation, SPOTS_NONE, SPOTS_NONE };
	uint64_t key;

	if (find_key(s, thread, activation, &key)) {
		uint32_t caller = activation__parent(s->store, activation);
		uint32_t spot = idmap__intern(&s->keys, key, 0);

		if (spot == s->continuations_of.n)
			vec__push(&s->continuations_of, SPOTS_NONE);
		v.continuation = findnew_continuation(s, spot, caller);
		v.next = s->continuations.data[v.continuation].views;
		s->continuations.data[v.continuation].views = (uint32_t)s->views.n;
	}
	vec__push(&s->views, v);
}

/* One more at @time_ns; they need not come in order. */
static void see(uint32_t *seen, uint64_t *first_ns, uint64_t *last_ns, uint64_t time_ns)
{
	if (!*seen || time_ns < *first_ns)
		*first_ns = time_ns;
	if (!*seen || time_ns > *last_ns)
		*last_ns = time_ns;
	(*seen)++;
}

static void add_sample(struct spots *s, const struct store_sample *sample)
{
	uint32_t a = sample->activation;
	struct spots_thread *t;

	while (s->threads.n <= sample->thread)
		(void)vec__add(&s->threads);
	t = &s->threads.data[sample->thread];
	see(&t->complete, &t->first_ns, &t->last_ns, sample->time_ns);
	for (; activation__parent(s->store, a) != STORE_NO_ACTIVATION;
	     a = activation__parent(s->store, a)) {
		uint32_t view = idmap__intern(&s->view_keys, sample->thread, a);

		if (view == s->views.n)
			add_view(s, sample->thread, a);
		if (s->views.data[view].continuation != SPOTS_NONE) {
			struct continuation *c =
				&s->continuations.data[s->views.data[view].continuation];

			if (c->seen && sample->time_ns > c->last_ns + c->gap_ns)
				c->gap_ns = sample->time_ns - c->last_ns;
			see(&c->seen, &c->first_ns, &c->last_ns, sample->time_ns);
		}
	}
}

/* A caller that a cut stack shows and no complete one does. */
static void find_rival(struct spots *s, uint32_t thread, uint32_t activation)
{
	uint32_t caller = activation__parent(s->store, activation);
	uint32_t first = spots__continuations(s, thread, activation), at;

	for (at = first; at != SPOTS_NONE; at = s->continuations.data[at].next) {
		uint32_t known = s->continuations.data[at].caller;

		if (activation__location(s->store, known) ==
			    activation__location(s->store, caller) &&
		    activation__cfa(s->store, known) == activation__cfa(s->store, caller))
			return;
	}
	if (first != SPOTS_NONE)
		s->continuations.data[first].rival = true;
}

static void add_cut_sample(struct spots *s, const struct store_sample *sample)
{
	uint32_t a = sample->activation;

	for (; a != STORE_NO_ACTIVATION && activation__parent(s->store, a) != STORE_NO_ACTIVATION;
	     a = activation__parent(s->store, a)) {
		size_t known = s->cut_keys.n;

		if (idmap__intern(&s->cut_keys, sample->thread, a) < known)
			return; /* and so were its callers */
		find_rival(s, sample->thread, a);
	}
}

void spots__init(struct spots *s, const struct store *store, const struct dsos *dsos,
		 struct images *images)
{
	memset(s, 0, sizeof(*s));
	s->store = store;
	functions__init(&s->functions, dsos, images);
	for (size_t i = 0; i < store->samples.n; i++) {
		const struct store_sample *sample = &store->samples.data[i];

		if (sample->ending == STACK_COMPLETE && sample->activation != STORE_NO_ACTIVATION)
			add_sample(s, sample);
	}
	for (size_t i = 0; i < store->samples.n; i++)
		if (store->samples.data[i].ending == STACK_TRUNCATED)
			add_cut_sample(s, &store->samples.data[i]);
}

void spots__release(struct spots *s)
{
	functions__release(&s->functions);
	vec__release(&s->function_of);
	idmap__release(&s->function_keys);
	idmap__release(&s->anchors);
	idmap__release(&s->keys);
	vec__release(&s->continuations_of);
	vec__release(&s->continuations);
	idmap__release(&s->view_keys);
	vec__release(&s->views);
	vec__release(&s->threads);
	idmap__release(&s->cut_keys);
}

uint32_t spots__continuations(struct spots *s, uint32_t thread, uint32_t activation)
{
	uint64_t key;
	uint32_t spot;

	if (!find_key(s, thread, activation, &key))
		return SPOTS_NONE;
	spot = idmap__find(&s->keys, key, 0);
	return spot == IDMAP_NONE ? SPOTS_NONE : s->continuations_of.data[spot];
}

uint32_t spots__sightings(struct spots *s, uint32_t thread, uint32_t activation)
{
	uint32_t at = spots__continuations(s, thread, activation);

	while (at != SPOTS_NONE &&
	       s->continuations.data[at].caller != activation__parent(s->store, activation))
		at = s->continuations.data[at].next;
	return at;
}

bool spots__is_trunk(struct spots *s, uint32_t thread, uint32_t activation)
{
	uint32_t first = spots__continuations(s, thread, activation);
	const struct continuation *c = first == SPOTS_NONE ? NULL : &s->continuations.data[first];

	if (activation__parent(s->store, activation) == STORE_NO_ACTIVATION)
		return true;
	return c && c->next == SPOTS_NONE && c->seen == s->threads.data[thread].complete;
}
