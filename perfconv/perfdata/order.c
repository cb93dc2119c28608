// SPDX-License-Identifier: GPL-2.0
#include "perfconv/perfdata/order.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/base/mem.h"

#define CHUNK_BYTES ((size_t)1 << 20)

struct chunk {
	size_t used, cap;
	size_t live;  /* records not yet given out */
	bool filling; /* the one that order__queue() writes into */
	uint8_t bytes[];
};

struct entry {
	struct order_record rec;
	uint64_t number; /* as queued: the order of equal times */
	struct chunk *chunk;
};

/* A binary heap of entries by (time, offset). */
struct order {
	VEC(struct entry) heap;
	struct chunk *filling;
	struct entry given; /* returned last; its chunk is released at the next call */
	uint64_t limit;	    /* records up to this time are ready */
	bool all_ready;
	uint64_t round_max, previous_max; /* highest times of this round and the one before */
	uint64_t last_given;
	uint64_t queued;
	uint64_t unordered;
};

struct order *order__new(void)
{
	return mem__alloc(1, sizeof(struct order));
}

static void chunk__put(struct chunk *c)
{
	if (c && !c->live && !c->filling)
		free(c);
}

static void drop_given(struct order *o)
{
	struct chunk *c = o->given.chunk;

	o->given.chunk = NULL;
	if (c) {
		c->live--;
		chunk__put(c);
	}
}

void order__free(struct order *o)
{
	if (!o)
		return;
	drop_given(o);
	for (size_t i = 0; i < o->heap.n; i++) {
		struct chunk *c = o->heap.data[i].chunk;

		c->live--;
		chunk__put(c);
	}
	if (o->filling) {
		o->filling->filling = false;
		chunk__put(o->filling);
	}
	vec__release(&o->heap);
	free(o);
}

static bool before(const struct entry *a, const struct entry *b)
{
	if (a->rec.time_ns != b->rec.time_ns)
		return a->rec.time_ns < b->rec.time_ns;
	return a->number < b->number;
}

static void swap_entries(struct entry *a, struct entry *b)
{
	struct entry t = *a;

	*a = *b;
	*b = t;
}

static void sift_up(struct entry *e, size_t i)
{
	while (i && before(&e[i], &e[(i - 1) / 2])) {
		swap_entries(&e[i], &e[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
}

static void sift_down(struct entry *e, size_t n)
{
	size_t i = 0;

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= n)
			return;
		if (child + 1 < n && before(&e[child + 1], &e[child]))
			child++;
		if (!before(&e[child], &e[i]))
			return;
		swap_entries(&e[i], &e[child]);
		i = child;
	}
}

static struct chunk *room_for(struct order *o, size_t n)
{
	struct chunk *c = o->filling;
	size_t cap = n > CHUNK_BYTES ? n : CHUNK_BYTES;

	if (c && c->cap - c->used >= n)
		return c;
	if (c) {
		c->filling = false;
		chunk__put(c);
	}
	c = mem__alloc(1, sizeof(*c) + cap);
	c->cap = cap;
	c->filling = true;
	return o->filling = c;
}

void order__queue(struct order *o, uint64_t time_ns, uint64_t offset, const void *bytes, size_t n)
{
	size_t padded = (n + 7) & ~(size_t)7;
	struct chunk *c = room_for(o, padded);
	struct entry e = {
		.rec = { time_ns, offset, c->bytes + c->used, n },
		.number = o->queued++,
		.chunk = c,
	};

	memcpy(c->bytes + c->used, bytes, n);
	c->used += padded;
	c->live++;
	if (time_ns && time_ns < o->last_given)
		o->unordered++;
	if (time_ns > o->round_max)
		o->round_max = time_ns;
	vec__push(&o->heap, e);
	sift_up(o->heap.data, o->heap.n - 1);
}

void order__round(struct order *o)
{
	o->limit = o->previous_max;
	o->previous_max = o->round_max;
}

void order__flush(struct order *o)
{
	o->all_ready = true;
}

const struct order_record *order__next(struct order *o)
{
	drop_given(o);
	if (!o->heap.n || (!o->all_ready && o->heap.data[0].rec.time_ns > o->limit))
		return NULL;
	o->given = o->heap.data[0];
	o->heap.data[0] = o->heap.data[--o->heap.n];
	sift_down(o->heap.data, o->heap.n);
	if (o->given.rec.time_ns > o->last_given)
		o->last_given = o->given.rec.time_ns;
	return &o->given.rec;
}

uint64_t order__unordered(const struct order *o)
{
	return o->unordered;
}
