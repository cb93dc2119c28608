// SPDX-License-Identifier: GPL-2.0
/*
 * Open addressing with linear probing over a table of ids; the keys lie in
 * arrays by id.  The table doubles at half full.
 */
#include "perfconv/base/idmap.h"

#include <stdlib.h>
#include <string.h>

#include "perfconv/base/mem.h"

#define FIRST_SLOTS 64u

static uint64_t mix(uint64_t h)
{
	h ^= h >> 33;
	h *= 0xff51afd7ed558ccdull;
	h ^= h >> 33;
	h *= 0xc4ceb9fe1a85ec53ull;
	return h ^ (h >> 33);
}

static uint64_t hash_pair(uint64_t a, uint64_t b)
{
	return mix(a + 0x9e3779b97f4a7c15ull * mix(b));
}

static uint64_t hash_string(const char *s)
{
	uint64_t h = 0xcbf29ce484222325ull;

	for (; *s; s++)
		h = (h ^ (uint8_t)*s) * 0x100000001b3ull;
	return mix(h);
}

static uint32_t *new_slots(size_t n)
{
	uint32_t *slots = mem__alloc(n, sizeof(*slots));

	memset(slots, 0xff, n * sizeof(*slots));
	return slots;
}

static void put(uint32_t *slots, size_t nslots, uint64_t hash, uint32_t id)
{
	size_t i = hash & (nslots - 1);

	while (slots[i] != IDMAP_NONE)
		i = (i + 1) & (nslots - 1);
	slots[i] = id;
}

static void idmap__rehash(struct idmap *m)
{
	size_t nslots = m->nslots ? m->nslots * 2 : FIRST_SLOTS;
	uint32_t *slots = new_slots(nslots);

	for (size_t id = 0; id < m->n; id++)
		put(slots, nslots, hash_pair(m->keys[id].a, m->keys[id].b), (uint32_t)id);
	free(m->slots);
	m->slots = slots;
	m->nslots = nslots;
}

uint32_t idmap__find(const struct idmap *m, uint64_t a, uint64_t b)
{
	size_t i;

	if (!m->nslots)
		return IDMAP_NONE;
	for (i = hash_pair(a, b) & (m->nslots - 1); m->slots[i] != IDMAP_NONE;
	     i = (i + 1) & (m->nslots - 1)) {
		const struct idmap_key *k = &m->keys[m->slots[i]];

		if (k->a == a && k->b == b)
			return m->slots[i];
	}
	return IDMAP_NONE;
}

uint32_t idmap__intern(struct idmap *m, uint64_t a, uint64_t b)
{
	uint32_t id = idmap__find(m, a, b);

	if (id != IDMAP_NONE)
		return id;
	if ((m->n + 1) * 2 > m->nslots)
		idmap__rehash(m);
	if (m->n == m->cap)
		m->keys = mem__grow(m->keys, &m->cap, m->n + 1, sizeof(*m->keys));
	id = (uint32_t)m->n++;
	m->keys[id] = (struct idmap_key){ a, b };
	put(m->slots, m->nslots, hash_pair(a, b), id);
	return id;
}

void idmap__release(struct idmap *m)
{
	free(m->keys);
	free(m->slots);
	memset(m, 0, sizeof(*m));
}

static void strtab__rehash(struct strtab *t)
{
	size_t nslots = t->nslots ? t->nslots * 2 : FIRST_SLOTS;
	uint32_t *slots = new_slots(nslots);

	for (size_t id = 0; id < t->n; id++)
		put(slots, nslots, hash_string(t->strings[id]), (uint32_t)id);
	free(t->slots);
	t->slots = slots;
	t->nslots = nslots;
}

static uint32_t find_hashed(const struct strtab *t, const char *s, uint64_t hash)
{
	if (!t->nslots)
		return IDMAP_NONE;
	for (size_t i = hash & (t->nslots - 1); t->slots[i] != IDMAP_NONE;
	     i = (i + 1) & (t->nslots - 1))
		if (!strcmp(t->strings[t->slots[i]], s))
			return t->slots[i];
	return IDMAP_NONE;
}

uint32_t strtab__find(const struct strtab *t, const char *s)
{
	return find_hashed(t, s, hash_string(s));
}

uint32_t strtab__intern(struct strtab *t, const char *s)
{
	uint64_t hash = hash_string(s);
	uint32_t id = find_hashed(t, s, hash);

	if (id != IDMAP_NONE)
		return id;
	if ((t->n + 1) * 2 > t->nslots)
		strtab__rehash(t);
	if (t->n == t->cap)
		t->strings = mem__grow(t->strings, &t->cap, t->n + 1, sizeof(*t->strings));
	id = (uint32_t)t->n++;
	t->strings[id] = mem__strdup(s);
	put(t->slots, t->nslots, hash, id);
	return id;
}

const char *strtab__get(const struct strtab *t, uint32_t id)
{
	return t->strings[id];
}

void strtab__release(struct strtab *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->strings[i]);
	free(t->strings);
	free(t->slots);
	memset(t, 0, sizeof(*t));
}
