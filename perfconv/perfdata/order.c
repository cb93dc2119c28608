// SPDX-License-Identifier: GPL-2.0
#include "perfconv/perfdata/order.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/base/mem.h"
#include "perfconv/perfdata/runs.h"
#include "perfconv/perfdata/windows.h"

#define CHUNK_BYTES ((size_t)1 << 20)
#define SPARE_CHUNKS 8u /* about a round's: new memory costs more than what is copied into it */

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

struct order {
	struct runs waiting;
	struct chunk *filling, *spares[SPARE_CHUNKS];
	size_t spares_n;
	struct held *given;	   /* returned last; released at the next call */
	struct order_record front; /* what was returned last */
	size_t held_bytes;
	int fd; /* -1: no record can be read again */
	struct windows *windows;
	uint64_t limit; /* records up to this time are ready */
	bool all_ready;
	uint64_t round_max, previous_max; /* highest times of this round and the one before */
	uint64_t last_given;
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

/* Some that are used up are kept for the next need. */
static void chunk__put(struct order *o, struct chunk *c)
{
	if (!c || c->live || c->filling)
		return;
	if (o->spares_n < SPARE_CHUNKS && c->cap == CHUNK_BYTES)
		o->spares[o->spares_n++] = c;
	else
		free(c);
}

static size_t padded_bytes(size_t n)
{
	return (sizeof(struct held) + n + 7) & ~(size_t)7;
}

static void drop(struct order *o, struct held *h)
{
	h->chunk->live--;
	chunk__put(o, h->chunk);
}

static void drop_given(struct order *o)
{
	if (!o->given)
		return;
	o->held_bytes -= padded_bytes(o->given->n);
	drop(o, o->given);
	o->given = NULL;
}

void order__free(struct order *o)
{
	if (!o)
		return;
	drop_given(o);
	while (runs__first(&o->waiting)) {
		struct runs_entry e = runs__pop(&o->waiting);

		if (!e.in_file)
			drop(o, e.held);
	}
	if (o->filling) {
		o->filling->filling = false;
		chunk__put(o, o->filling);
	}
	while (o->spares_n)
		free(o->spares[--o->spares_n]);
	runs__release(&o->waiting);
	windows__free(o->windows);
	free(o);
}

static struct chunk *room_for(struct order *o, size_t n)
{
	struct chunk *c = o->filling;
	size_t cap = n > CHUNK_BYTES ? n : CHUNK_BYTES;

	if (c && c->cap - c->used >= n)
		return c;
	if (c) {
		c->filling = false;
		chunk__put(o, c);
	}
	if (cap == CHUNK_BYTES && o->spares_n)
		c = o->spares[--o->spares_n];
	else
		c = mem__alloc(1, sizeof(*c) + cap);
	c->cap = cap;
	c->used = 0;
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

static void add(struct order *o, struct runs_entry e)
{
	if (e.time_ns && e.time_ns < o->last_given)
		o->unordered++;
	if (e.time_ns > o->round_max)
		o->round_max = e.time_ns;
	runs__add(&o->waiting, e);
}

void order__queue(struct order *o, uint64_t time_ns, uint64_t offset, const void *bytes, size_t n)
{
	add(o, (struct runs_entry){ .time_ns = time_ns, .held = hold(o, offset, bytes, n) });
}

void order__queue_at(struct order *o, uint64_t time_ns, uint64_t offset, const void *bytes,
		     size_t n)
{
	if (o->fd < 0 || o->held_bytes + n <= ORDER_HELD_BYTES)
		order__queue(o, time_ns, offset, bytes, n);
	else
		add(o,
		    (struct runs_entry){
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

static struct runs_entry take_first(struct order *o)
{
	struct runs_entry e = runs__pop(&o->waiting);

	if (e.time_ns > o->last_given)
		o->last_given = e.time_ns;
	return e;
}

/* Set front to the entry's record.  Return: false if it cannot be had. */
static bool give(struct order *o, const struct runs_entry *e)
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
		o->front.n = o->given->n;
		o->front.offset = o->given->offset;
		o->front.bytes = (const uint8_t *)(o->given + 1);
	}
	return o->front.bytes;
}

static bool is_due(const struct order *o)
{
	const struct runs_entry *e = runs__first(&o->waiting);

	return e &&
	       (o->all_ready || e->time_ns <= o->limit || o->held_bytes > ORDER_MAX_HELD_BYTES);
}

const struct order_record *order__next(struct order *o)
{
	drop_given(o);
	while (is_due(o)) {
		struct runs_entry e = take_first(o);

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
