// SPDX-License-Identifier: GPL-2.0
#include "perfconv/profile/buckets.h"

#include <stdlib.h>
#include <string.h>

#include "perfconv/profile/builder.h"

#define SHORTEST_NS 1000u
#define WIDEST_NS (UINT64_MAX / 100) /* that is made ten times as wide */

/*
 * In units of what will be shown: more slices are not held, and fewer than the second
 * number make no bucket wider.  Five buckets that become one lose at most four fifths
 * of their slices, so no width that would have been enough is passed over.
 */
#define HOLD_MOST 5u
#define HOLD_ENOUGH 4u

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
	if (m->out) {
		profile_thread__add(m->out, slice);
		return;
	}
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
static void merge_thread(struct merging *m, const struct profile_thread *t, size_t slices)
{
	uint64_t left = m->width;

	m->last = (struct profile_slice){ 0 };
	for (size_t i = 0; i < slices; i++) {
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
	return t->pieces <= max_slices / (4 * p->threads.n);
}

static bool fits(struct merging *m, uint64_t max_slices)
{
	const struct profile *p = m->profile;

	m->slices = m->frames = 0;
	for (size_t i = 0; i < p->threads.n; i++) {
		const struct profile_thread *t = &p->threads.data[i];

		if (m->width && !is_small(p, t, max_slices)) {
			merge_thread(m, t, t->slices.n);
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

/* By merged ones, but for the last @kept. */
static void replace_slices(struct merging *m, struct profile_thread *t, size_t kept)
{
	struct profile_thread out = { 0 };
	size_t merged = t->slices.n - kept;

	m->out = &out;
	merge_thread(m, t, merged);
	m->out = NULL;
	for (size_t i = merged; i < t->slices.n; i++)
		vec__push(&out.slices, t->slices.data[i]);
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
	struct merging m = { .profile = p, .bucket = 1, .width = p->holding.width };

	m.shares = mem__alloc(p->resolved->stacks.n + 1, sizeof(*m.shares));
	m.depths = mem__alloc(p->resolved->stacks.n + 1, sizeof(*m.depths));
	find_depths(&m);
	while (!fits(&m, max_slices) && m.width <= p->duration && m.width < UINT64_MAX)
		m.width = next_width(m.width);
	for (size_t i = 0; m.width && i < p->threads.n; i++) {
		struct profile_thread *t = &p->threads.data[i];

		p->merged += t->pieces;
		if (!is_small(p, t, max_slices))
			replace_slices(&m, t, 0);
		p->merged -= t->slices.n;
	}
	p->bucket_ns = m.width;
	vec__release(&m.list);
	free(m.shares);
	free(m.depths);
}

/* The last slice of each thread stays as it is, for it may go on. */
static void hold(struct profile *p)
{
	struct profile_holding *h = &p->holding;
	struct merging m = { .profile = p, .bucket = 1 };

	m.shares = mem__alloc(p->resolved->stacks.n + 1, sizeof(*m.shares));
	m.width = h->width ? h->width : SHORTEST_NS;
	for (;;) {
		h->slices = 0;
		for (size_t i = 0; i < p->threads.n; i++) {
			struct profile_thread *t = &p->threads.data[i];

			if (t->slices.n && !is_small(p, t, h->max_slices))
				replace_slices(&m, t, 1);
			h->slices += t->slices.n;
		}
		h->width = m.width;
		if (h->slices <= HOLD_ENOUGH * h->max_slices || m.width > WIDEST_NS)
			break;
		m.width *= 10;
	}
	vec__release(&m.list);
	free(m.shares);
	/* There may be more different stacks than that. */
	if (h->slices > HOLD_ENOUGH * h->max_slices)
		h->most = 2 * h->slices;
}

void buckets__add(struct profile *p, struct profile_thread *t, struct profile_slice slice)
{
	struct profile_holding *h = &p->holding;
	size_t before = t->slices.n;

	if (t->hidden) {
		t->end += slice.weight;
		return;
	}
	profile_thread__add(t, slice);
	h->slices += t->slices.n - before;
	if (!h->max_slices || h->max_slices > UINT64_MAX / HOLD_MOST)
		return;
	if (!h->most)
		h->most = HOLD_MOST * h->max_slices;
	if (h->slices > h->most)
		hold(p);
}
