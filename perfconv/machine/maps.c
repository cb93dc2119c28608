// SPDX-License-Identifier: GPL-2.0
#include "perfconv/machine/maps.h"

#include <stdlib.h>
#include <string.h>

/* Index of the first mapping that ends after @address. */
static size_t first_ending_after(const struct maps *m, uint64_t address)
{
	size_t low = 0, high = m->list.n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (m->list.data[mid].end > address)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

static struct map cut_front(struct map old, uint64_t start)
{
	old.offset += start - old.start;
	old.start = start;
	return old;
}

/* Replace list[at, at + gone) by the @n mappings of @with. */
static void splice(struct maps *m, size_t at, size_t gone, const struct map *with, size_t n)
{
	vec__reserve(&m->list, m->list.n + n);
	memmove(m->list.data + at + n, m->list.data + at + gone,
		(m->list.n - at - gone) * sizeof(*with));
	memcpy(m->list.data + at, with, n * sizeof(*with));
	m->list.n += n - gone;
}

void maps__insert(struct maps *m, const struct map *map)
{
	size_t at = first_ending_after(m, map->start), last = at, n = 0;
	struct map with[3];

	if (map->start >= map->end)
		return;
	while (last < m->list.n && m->list.data[last].start < map->end)
		last++;
	if (last > at && m->list.data[at].start < map->start) {
		with[n] = m->list.data[at];
		with[n++].end = map->start;
	}
	with[n++] = *map;
	if (last > at && m->list.data[last - 1].end > map->end)
		with[n++] = cut_front(m->list.data[last - 1], map->end);
	splice(m, at, last - at, with, n);
	m->generation++;
}

const struct map *maps__find(const struct maps *m, uint64_t address)
{
	size_t at = first_ending_after(m, address);

	if (at == m->list.n || m->list.data[at].start > address)
		return NULL;
	return &m->list.data[at];
}

void maps__copy(struct maps *to, const struct maps *from)
{
	vec__reserve(&to->list, from->list.n);
	if (from->list.n)
		memcpy(to->list.data, from->list.data, from->list.n * sizeof(*from->list.data));
	to->list.n = from->list.n;
	to->generation++;
}

void maps__clear(struct maps *m)
{
	m->list.n = 0;
	m->generation++;
}

void maps__release(struct maps *m)
{
	vec__release(&m->list);
}
