// SPDX-License-Identifier: GPL-2.0
#include "perfconv/analyze/summary.h"

#include <stdlib.h>
#include <string.h>

/* Sums per frame while threads are walked one after the other. */
struct counting {
	const struct resolved *resolved;
	struct summary_frame *frames; /* by frame id */
	uint64_t *here;		      /* own weight in the thread at hand */
	uint32_t *seen;		      /* number of the last slice counted in total */
	uint32_t slice;
};

static uint32_t owner_of(const struct resolved *r, uint32_t stack)
{
	for (uint32_t s = stack; s != RESOLVE_NO_STACK; s = resolved__parent(r, s))
		if (r->frames.data[resolved__leaf(r, s)].kind == FRAME_PYTHON)
			return resolved__leaf(r, s);
	return resolved__leaf(r, stack);
}

static void count_slice(struct counting *c, const struct profile_slice *slice)
{
	const struct resolved *r = c->resolved;
	uint32_t owner = owner_of(r, slice->stack);

	c->slice++;
	c->frames[owner].own += slice->weight;
	c->here[owner] += slice->weight;
	for (uint32_t s = slice->stack; s != RESOLVE_NO_STACK; s = resolved__parent(r, s)) {
		uint32_t frame = resolved__leaf(r, s);

		if (c->seen[frame] != c->slice) /* recursion counts once */
			c->frames[frame].total += slice->weight;
		c->seen[frame] = c->slice;
	}
}

static struct summary_thread count_thread(struct counting *c, const struct profile *p,
					  uint32_t index)
{
	const struct profile_thread *t = &p->threads.data[index];
	struct summary_thread out = { .thread = index };
	size_t n = c->resolved->frames.n;

	memset(c->here, 0, n * sizeof(*c->here));
	for (size_t i = 0; i < t->slices.n; i++)
		if (t->slices.data[i].stack != RESOLVE_NO_STACK && !t->slices.data[i].off)
			count_slice(c, &t->slices.data[i]);
	for (uint32_t f = 0; f < n; f++)
		if (c->here[f] > out.own) {
			out.own = c->here[f];
			out.frame = f;
		}
	return out;
}

static int by_own(const void *a, const void *b)
{
	const struct summary_frame *x = a, *y = b;

	if (x->own != y->own)
		return x->own > y->own ? -1 : 1;
	return x->frame < y->frame ? -1 : x->frame > y->frame;
}

static int by_weight(const void *a, const void *b, void *profile)
{
	const struct profile *p = profile;
	const struct summary_thread *x = a, *y = b;
	uint64_t wx = p->threads.data[x->thread].weight, wy = p->threads.data[y->thread].weight;

	if (wx != wy)
		return wx > wy ? -1 : 1;
	return x->thread < y->thread ? -1 : x->thread > y->thread;
}

void summary__init(struct summary *s, const struct profile *p)
{
	size_t n = p->resolved->frames.n;
	struct counting c = {
		.resolved = p->resolved,
		.frames = mem__alloc(n, sizeof(*c.frames)),
		.here = mem__alloc(n, sizeof(*c.here)),
		.seen = mem__alloc(n, sizeof(*c.seen)),
	};

	memset(s, 0, sizeof(*s));
	for (uint32_t i = 0; i < p->threads.n; i++)
		if (p->threads.data[i].weight)
			vec__push(&s->threads, count_thread(&c, p, i));
	for (uint32_t f = 0; f < n; f++) {
		c.frames[f].frame = f;
		if (c.frames[f].own)
			vec__push(&s->frames, c.frames[f]);
	}
	if (s->threads.n)
		qsort_r(s->threads.data, s->threads.n, sizeof(*s->threads.data), by_weight,
			(void *)p);
	if (s->frames.n)
		qsort(s->frames.data, s->frames.n, sizeof(*s->frames.data), by_own);
	free(c.frames);
	free(c.here);
	free(c.seen);
}

void summary__release(struct summary *s)
{
	vec__release(&s->threads);
	vec__release(&s->frames);
}
