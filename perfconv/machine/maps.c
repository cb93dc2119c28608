// SPDX-License-Identifier: GPL-2.0
/*
 * The mappings lie in leaves of at most LEAF_MAPS:
 *
 *     leaves   |10 20 30|   |40 50|   |60 70 80|
 *
 * An insert moves what is behind it in its leaf, and now and then, when a leaf is full
 * and becomes two, the leaves behind that.  So it costs the same for a program of
 * twenty libraries as for one with a million generated functions at addresses of any order.
 *
 * Invariant: no leaf is empty.
 */
#include "perfconv/machine/maps.h"

#include <stdlib.h>
#include <string.h>

#define LEAF_MAPS 256u

/* Of the first mapping that ends after @address; behind the last leaf if there is none. */
static struct maps_position first_ending_after(const struct maps *m, uint64_t address)
{
	struct maps_position p = { 0 };
	size_t high = m->leaves.n;

	while (p.leaf < high) {
		size_t mid = p.leaf + (high - p.leaf) / 2;
		const struct maps_leaf *l = &m->leaves.data[mid];

		if (l->data[l->n - 1].end > address)
			high = mid;
		else
			p.leaf = mid + 1;
	}
	if (p.leaf < m->leaves.n)
		p.at = vec__upto(&m->leaves.data[p.leaf], end, address);
	return p;
}

static struct map cut_front(struct map old, uint64_t start)
{
	old.offset += start - old.start;
	old.start = start;
	return old;
}

/* Take out the leaves [at, at + n). */
static void remove_leaves(struct maps *m, size_t at, size_t n)
{
	size_t behind = m->leaves.n - at - n;
	struct maps_leaf *leaves;

	if (!n)
		return;
	leaves = m->leaves.data + at;
	for (size_t i = 0; i < n; i++)
		vec__release(&leaves[i]);
	memmove(leaves, leaves + n, behind * sizeof(*leaves));
	m->moved += behind;
	m->leaves.n -= n;
}

/* Take out the maps [at, at + n) of a leaf, which may become empty. */
static void remove_from_leaf(struct maps *m, struct maps_position p, size_t n)
{
	struct maps_leaf *l = &m->leaves.data[p.leaf];
	size_t behind = l->n - p.at - n;

	if (!n)
		return;
	memmove(l->data + p.at, l->data + p.at + n, behind * sizeof(*l->data));
	m->moved += behind;
	l->n -= n;
	m->n -= n;
}

static size_t count_before(const struct maps_leaf *l, size_t at, uint64_t end)
{
	size_t n = at;

	while (n < l->n && l->data[n].start < end)
		n++;
	return n - at;
}

/*
 * Take out what begins before @end, from @p on; the parts that stick out at both sides
 * go to @rest.  Return: how many of those.
 */
static size_t clear_range(struct maps *m, struct maps_position p, uint64_t start, uint64_t end,
			  struct map *rest)
{
	size_t emptied = 0, n = 0;

	for (size_t leaf = p.leaf; leaf < m->leaves.n; leaf++) {
		struct maps_position from = { leaf, leaf == p.leaf ? p.at : 0 };
		struct maps_leaf *l = &m->leaves.data[leaf];
		size_t gone = count_before(l, from.at, end);
		bool whole = from.at + gone == l->n;

		if (gone && l->data[from.at].start < start) {
			rest[n] = l->data[from.at];
			rest[n++].end = start;
		}
		if (gone && l->data[from.at + gone - 1].end > end)
			rest[n++] = cut_front(l->data[from.at + gone - 1], end);
		remove_from_leaf(m, from, gone);
		emptied += leaf != p.leaf && !l->n;
		if (!whole)
			break;
	}
	remove_leaves(m, p.leaf + 1, emptied);
	return n;
}

/* The upper half becomes a leaf of its own. */
static void split(struct maps *m, size_t leaf)
{
	struct maps_leaf upper = { 0 }, *l;
	size_t half = LEAF_MAPS / 2;

	vec__push(&m->leaves, upper);
	l = &m->leaves.data[leaf];
	memmove(l + 2, l + 1, (m->leaves.n - leaf - 2) * sizeof(*l));
	vec__reserve(&upper, l->n - half);
	memcpy(upper.data, l->data + half, (l->n - half) * sizeof(*l->data));
	m->moved += m->leaves.n - leaf - 2 + l->n - half;
	upper.n = l->n - half;
	l->n = half;
	l[1] = upper;
}

/* To where nothing overlaps it. */
static void put(struct maps *m, const struct map *map)
{
	struct maps_position p = first_ending_after(m, map->start);
	struct maps_leaf *l;

	if (p.leaf == m->leaves.n && p.leaf) {
		p.leaf--; /* behind all others */
		p.at = m->leaves.data[p.leaf].n;
	}
	if (!m->leaves.n)
		(void)vec__add(&m->leaves);
	if (m->leaves.data[p.leaf].n == LEAF_MAPS) {
		split(m, p.leaf);
		if (p.at > m->leaves.data[p.leaf].n)
			p = (struct maps_position){ p.leaf + 1, p.at - m->leaves.data[p.leaf].n };
	}
	l = &m->leaves.data[p.leaf];
	vec__reserve(l, l->n + 1);
	memmove(l->data + p.at + 1, l->data + p.at, (l->n - p.at) * sizeof(*map));
	m->moved += l->n - p.at;
	l->data[p.at] = *map;
	l->n++;
	m->n++;
}

void maps__insert(struct maps *m, const struct map *map)
{
	struct maps_position p = first_ending_after(m, map->start);
	struct map rest[2];
	size_t n = 0;

	if (map->start >= map->end)
		return;
	if (p.leaf < m->leaves.n) {
		n = clear_range(m, p, map->start, map->end, rest);
		if (!m->leaves.data[p.leaf].n)
			remove_leaves(m, p.leaf, 1);
	}
	for (size_t i = 0; i < n; i++)
		put(m, &rest[i]);
	put(m, map);
	m->generation++;
}

const struct map *maps__find(const struct maps *m, uint64_t address)
{
	struct maps_position p = first_ending_after(m, address);
	const struct map *map;

	if (p.leaf == m->leaves.n)
		return NULL;
	map = &m->leaves.data[p.leaf].data[p.at];
	return map->start <= address ? map : NULL;
}

void maps__copy(struct maps *to, const struct maps *from)
{
	maps__clear(to);
	for (size_t i = 0; i < from->leaves.n; i++) {
		const struct maps_leaf *l = &from->leaves.data[i];
		struct maps_leaf *copy = vec__add(&to->leaves);

		vec__reserve(copy, l->n);
		memcpy(copy->data, l->data, l->n * sizeof(*l->data));
		copy->n = l->n;
	}
	to->n = from->n;
}

void maps__clear(struct maps *m)
{
	remove_leaves(m, 0, m->leaves.n);
	m->n = 0;
	m->generation++;
}

void maps__release(struct maps *m)
{
	remove_leaves(m, 0, m->leaves.n);
	vec__release(&m->leaves);
	m->n = 0;
}
