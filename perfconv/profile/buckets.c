// SPDX-License-Identifier: GPL-2.0
#include "perfconv/profile/buckets.h"

#include <stdlib.h>
#include <string.h>

#include "perfconv/profile/builder.h"

#define SHORTEST_NS 1000u

/* What a stack has in the bucket at hand. */
struct share {
	uint64_t bucket; /* number of the bucket this is of */
	uint32_t at;	 /* in merging.list */
};

struct merging {
	const struct profile *profile;
	uint64_t width;
	struct share *shares; /* by stack + 1: the first is the gap's */
	uint32_t *depths;     /* likewise */
	uint64_t bucket;      /* counted over all threads and runs, so that shares need no reset */
	VEC(struct profile_slice) list; /* of the bucket at hand, by first use */
	struct profile_thread *out;	/* NULL: only count */
	uint64_t slices, frames;	/* counted */
	struct profile_slice last;	/* counted last */
};

static void put(struct merging *m, struct profile_slice slice)
{
	if (m->out)
		profile_thread__add(m->out, slice);
	if (m->last.weight && m->last.stack == slice.stack && m->last.off == slice.off)
		return;
	m->last = slice;
	m->slices++;
	m->frames += m->depths[(uint32_t)(slice.stack + 1)];
}

static void end_bucket(struct merging *m)
{
	for (size_t i = 0; i < m->list.n; i++)
		put(m, m->list.data[i]);
	m->list.n = 0;
	m->bucket++;
}

static void add(struct merging *m, struct profile_slice slice)
{
	struct share *share = &m->shares[(uint32_t)(slice.stack + 1)];

	if (share->bucket == m->bucket) {
		m->list.data[share->at].weight += slice.weight;
		return;
	}
	*share = (struct share){ m->bucket, (uint32_t)m->list.n };
	vec__push(&m->list, slice);
}

/* A slice is cut where a bucket ends; whole buckets in its midst go by at once. */
static void merge_thread(struct merging *m, const struct profile_thread *t)
{
	uint64_t left = m->width;

	m->last = (struct profile_slice){ 0 };
	for (size_t i = 0; i < t->slices.n; i++) {
		struct profile_slice piece = t->slices.data[i];
		uint64_t rest = piece.weight;

		while (rest >= left) {
			piece.weight = left;
			add(m, piece);
			end_bucket(m);
			rest -= left;
			left = m->width;
			if (rest < m->width)
				continue;
			piece.weight = rest - rest % m->width;
			put(m, piece);
			rest %= m->width;
		}
		piece.weight = rest;
		if (rest) {
			add(m, piece);
			left -= rest;
		}
	}
	end_bucket(m);
}

/* Threads that switch seldom stay as they are: they cost little. */
static bool is_small(const struct profile *p, const struct profile_thread *t, uint64_t max_slices)
{
	return t->slices.n <= max_slices / (4 * p->threads.n);
}

static bool fits(struct merging *m, uint64_t max_slices)
{
	const struct profile *p = m->profile;

	m->slices = m->frames = 0;
	for (size_t i = 0; i < p->threads.n; i++) {
		const struct profile_thread *t = &p->threads.data[i];

		if (m->width && !is_small(p, t, max_slices)) {
			merge_thread(m, t);
			continue;
		}
		m->last = (struct profile_slice){ 0 };
		for (size_t k = 0; k < t->slices.n; k++)
			put(m, t->slices.data[k]);
	}
	return m->slices <= max_slices && m->frames <= BUCKETS_MAX_FRAMES;
}

/* 1, 2, 5, 10 ... of the shortest; a person is told the width. */
static uint64_t next_width(uint64_t width)
{
	uint64_t power = SHORTEST_NS;

	if (!width)
		return SHORTEST_NS;
	if (width > UINT64_MAX / 10)
		return UINT64_MAX;
	while (power * 10 <= width)
		power *= 10;
	return width == 2 * power ? 5 * power : 2 * width;
}

static void replace_slices(struct merging *m, struct profile_thread *t)
{
	struct profile_thread out = { 0 };

	m->out = &out;
	merge_thread(m, t);
	m->out = NULL;
	vec__release(&t->slices);
	t->slices.data = out.slices.data;
	t->slices.n = out.slices.n;
	t->slices.cap = out.slices.cap;
}

static void find_depths(struct merging *m)
{
	const struct resolved *r = m->profile->resolved;

	for (uint32_t s = 0; s < r->stacks.n; s++) /* a parent's id is lower */
		m->depths[s + 1] = m->depths[(uint32_t)(resolved__parent(r, s) + 1)] + 1;
}

void buckets__merge(struct profile *p, uint64_t max_slices)
{
	struct merging m = { .profile = p, .bucket = 1 };

	m.shares = mem__alloc(p->resolved->stacks.n + 1, sizeof(*m.shares));
	m.depths = mem__alloc(p->resolved->stacks.n + 1, sizeof(*m.depths));
	find_depths(&m);
	while (!fits(&m, max_slices) && m.width <= p->duration && m.width < UINT64_MAX)
		m.width = next_width(m.width);
	for (size_t i = 0; m.width && i < p->threads.n; i++) {
		struct profile_thread *t = &p->threads.data[i];

		p->merged += t->slices.n;
		if (!is_small(p, t, max_slices))
			replace_slices(&m, t);
		p->merged -= t->slices.n;
	}
	p->bucket_ns = m.width;
	vec__release(&m.list);
	free(m.shares);
	free(m.depths);
}
