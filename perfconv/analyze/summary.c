// SPDX-License-Identifier: GPL-2.0
#include "perfconv/analyze/summary.h"

#include <stdlib.h>
#include <string.h>

/* Sums per frame while threads are walked one after the other. */
struct counting {
	struct summary_frame *frames; /* by frame id */
	uint64_t *here;		      /* self weight in the thread at hand */
	uint64_t *most;		      /* highest of those so far */
	uint32_t *seen;		      /* number of the last slice counted in total */
	uint32_t slice;
};

static void count_slice(struct counting *c, const struct resolved *r,
			const struct profile_slice *slice)
{
	c->slice++;
	c->frames[resolved__leaf(r, slice->stack)].self += slice->weight;
	c->here[resolved__leaf(r, slice->stack)] += slice->weight;
	for (uint32_t s = slice->stack; s != RESOLVE_NO_STACK; s = resolved__parent(r, s)) {
		uint32_t frame = resolved__leaf(r, s);

		if (c->seen[frame] != c->slice) /* recursion counts once */
			c->frames[frame].total += slice->weight;
		c->seen[frame] = c->slice;
	}
}

static void count_thread(struct counting *c, const struct profile *p, uint32_t index)
{
	const struct profile_thread *t = &p->threads.data[index];
	size_t n = p->resolved->frames.n;

	memset(c->here, 0, n * sizeof(*c->here));
	for (size_t i = 0; i < t->slices.n; i++)
		if (t->slices.data[i].stack != RESOLVE_NO_STACK)
			count_slice(c, p->resolved, &t->slices.data[i]);
	for (size_t f = 0; f < n; f++)
		if (c->here[f] > c->most[f]) {
			c->most[f] = c->here[f];
			c->frames[f].thread = index;
		}
}

static int by_self(const void *a, const void *b)
{
	const struct summary_frame *x = a, *y = b;

	if (x->self != y->self)
		return x->self > y->self ? -1 : 1;
	return x->frame < y->frame ? -1 : x->frame > y->frame;
}

static int by_weight(const void *a, const void *b, void *profile)
{
	const struct profile *p = profile;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	uint64_t wx = p->threads.data[x].weight, wy = p->threads.data[y].weight;

	if (wx != wy)
		return wx > wy ? -1 : 1;
	return x < y ? -1 : x > y;
}

static void count_frames(struct summary *s, const struct profile *p)
{
	size_t n = p->resolved->frames.n;
	struct counting c = {
		.frames = mem__alloc(n, sizeof(*c.frames)),
		.here = mem__alloc(n, sizeof(*c.here)),
		.most = mem__alloc(n, sizeof(*c.most)),
		.seen = mem__alloc(n, sizeof(*c.seen)),
	};

	for (uint32_t i = 0; i < p->threads.n; i++)
		count_thread(&c, p, i);
	for (uint32_t f = 0; f < n; f++) {
		c.frames[f].frame = f;
		if (c.frames[f].self)
			vec__push(&s->frames, c.frames[f]);
	}
	if (s->frames.n)
		qsort(s->frames.data, s->frames.n, sizeof(*s->frames.data), by_self);
	free(c.frames);
	free(c.here);
	free(c.most);
	free(c.seen);
}

void summary__init(struct summary *s, const struct profile *p)
{
	memset(s, 0, sizeof(*s));
	for (uint32_t i = 0; i < p->threads.n; i++)
		if (p->threads.data[i].weight)
			vec__push(&s->threads, i);
	if (s->threads.n)
		qsort_r(s->threads.data, s->threads.n, sizeof(*s->threads.data), by_weight,
			(void *)p);
	count_frames(s, p);
}

void summary__release(struct summary *s)
{
	vec__release(&s->threads);
	vec__release(&s->frames);
}
