// SPDX-License-Identifier: GPL-2.0
#include "perfconv/perfdata/order.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/base/mem.h"
#include "perfconv/perfdata/windows.h"

#define CHUNK_BYTES ((size_t)1 << 20)
#define SHRINK_FROM 4096u /* entries; below it is not worth the while */
#define NUMBER_BITS 47
#define NUMBER_MASK ((1ull << NUMBER_BITS) - 1)

struct chunk {
	size_t used, cap;
	size_t live;  /* records not yet given out */
	bool filling; /* the one that order__queue() writes into */
	uint8_t bytes[] __attribute__((aligned(8)));
};

/* In a chunk, in front of the record's bytes. */
struct held {
	struct chunk *chunk;
	uint64_t offset; /* in the file */
	size_t n;
};

/* There may be one for every record of a capture, so it is small. */
struct entry {
	uint64_t time_ns;
	union {
		struct held *held;
		uint64_t offset; /* in_file */
	};
	uint64_t number : NUMBER_BITS; /* as queued: the order of equal times */
	uint64_t in_file : 1;
	uint64_t n : 16; /* in_file */
};

/* A binary heap of entries by (time, number). */
struct order {
	VEC(struct entry) heap;
	struct chunk *filling;
	struct held *given;	   /* returned last; released at the next call */
	struct order_record front; /* what was returned last */
	size_t held_bytes;
	int fd; /* -1: no record can be read again */
	struct windows *windows;
	uint64_t limit; /* records up to this time are ready */
	bool all_ready;
	uint64_t round_max, previous_max; /* highest times of this round and the one before */
	uint64_t last_given;
	uint64_t queued;
	uint64_t unordered, unreadable;
};

struct order *order__new(void)
{
	struct order *o = mem__alloc(1, sizeof(struct order));

	o->fd = -1;
	return o;
}

void order__set_file(struct order *o, int fd)
{
	o->fd = fd;
}

static void chunk__put(struct chunk *c)
{
	if (c && !c->live && !c->filling)
		free(c);
}

static size_t padded_bytes(size_t n)
{
	return (sizeof(struct held) + n + 7) & ~(size_t)7;
}

static void drop(struct held *h)
{
	h->chunk->live--;
	chunk__put(h->chunk);
}

static void drop_given(struct order *o)
{
	if (!o->given)
		return;
	o->held_bytes -= padded_bytes(o->given->n);
	drop(o->given);
	o->given = NULL;
}

void order__free(struct order *o)
{
	if (!o)
		return;
	drop_given(o);
	for (size_t i = 0; i < o->heap.n; i++)
		if (!o->heap.data[i].in_file)
			drop(o->heap.data[i].held);
	if (o->filling) {
		o->filling->filling = false;
		chunk__put(o->filling);
	}
	vec__release(&o->heap);
	windows__free(o->windows);
	free(o);
}

static bool before(const struct entry *a, const struct entry *b)
{
	if (a->time_ns != b->time_ns)
		return a->time_ns < b->time_ns;
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

static struct held *hold(struct order *o, uint64_t offset, const void *bytes, size_t n)
{
	size_t padded = padded_bytes(n);
	struct chunk *c = room_for(o, padded);
	struct held *h = (struct held *)(c->bytes + c->used);

	h->chunk = c;
	h->offset = offset;
	h->n = n;
	memcpy(h + 1, bytes, n);
	c->used += padded;
	c->live++;
	o->held_bytes += padded;
	return h;
}

static void add(struct order *o, struct entry e)
{
	e.number = o->queued++ & NUMBER_MASK;
	if (e.time_ns && e.time_ns < o->last_given)
		o->unordered++;
	if (e.time_ns > o->round_max)
		o->round_max = e.time_ns;
	vec__push(&o->heap, e);
	sift_up(o->heap.data, o->heap.n - 1);
}

void order__queue(struct order *o, uint64_t time_ns, uint64_t offset, const void *bytes, size_t n)
{
	add(o, (struct entry){ .time_ns = time_ns, .held = hold(o, offset, bytes, n) });
}

void order__queue_at(struct order *o, uint64_t time_ns, uint64_t offset, const void *bytes,
		     size_t n)
{
	if (o->fd < 0 || o->held_bytes + n <= ORDER_HELD_BYTES)
		order__queue(o, time_ns, offset, bytes, n);
	else
		add(o,
		    (struct entry){
			    .time_ns = time_ns, .offset = offset, .in_file = 1, .n = (uint16_t)n });
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

/* Once nothing comes any more, what the heap no longer needs is for later stages. */
static void give_back(struct order *o)
{
	void *smaller;

	if (!o->all_ready || o->heap.cap < SHRINK_FROM || o->heap.n > o->heap.cap - o->heap.cap / 8)
		return;
	smaller = realloc(o->heap.data, (o->heap.n + 1) * sizeof(*o->heap.data));
	if (!smaller)
		return;
	o->heap.data = smaller;
	o->heap.cap = o->heap.n + 1;
}

static struct entry pop(struct order *o)
{
	struct entry e = o->heap.data[0];

	o->heap.data[0] = o->heap.data[--o->heap.n];
	sift_down(o->heap.data, o->heap.n);
	give_back(o);
	if (e.time_ns > o->last_given)
		o->last_given = e.time_ns;
	return e;
}

/* Set front to the entry's record.  Return: false if it cannot be had. */
static bool give(struct order *o, const struct entry *e)
{
	o->front.time_ns = e->time_ns;
	if (e->in_file) {
		if (!o->windows)
			o->windows = windows__new(o->fd);
		o->front.n = e->n;
		o->front.offset = e->offset;
		o->front.bytes = windows__read(o->windows, e->offset, e->n);
	} else {
		o->given = e->held;
		o->front.n = e->held->n;
		o->front.offset = e->held->offset;
		o->front.bytes = (const uint8_t *)(e->held + 1);
	}
	return o->front.bytes;
}

static bool is_due(const struct order *o)
{
	return o->heap.n && (o->all_ready || o->heap.data[0].time_ns <= o->limit ||
			     o->held_bytes > ORDER_MAX_HELD_BYTES);
}

const struct order_record *order__next(struct order *o)
{
	drop_given(o);
	while (is_due(o)) {
		struct entry e = pop(o);

		if (give(o, &e))
			return &o->front;
		o->unreadable++;
	}
	return NULL;
}

uint64_t order__unreadable(const struct order *o)
{
	return o->unreadable;
}

uint64_t order__unordered(const struct order *o)
{
	return o->unordered;
}
