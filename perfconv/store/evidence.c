// SPDX-License-Identifier: GPL-2.0
#include "perfconv/store/evidence.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void evidence_table__release(struct evidence_table *t)
{
	vec__release(&t->sightings_of);
	vec__release(&t->sightings);
	idmap__release(&t->held_keys);
	vec__release(&t->held);
	vec__release(&t->cuts);
}

static bool has_room(const struct evidence_table *t)
{
	size_t used = t->sightings.n * sizeof(struct sightings) +
		      t->held.n * (sizeof(struct evidence) + sizeof(struct idmap_key));

	return used < (t->budget_bytes ? t->budget_bytes : EVIDENCE_BUDGET_BYTES);
}

static void sum_up(struct sightings *s, const struct evidence *e)
{
	if (!s->seen) {
		memcpy(s->slot, e->slot, sizeof(s->slot));
		s->constant = e->known;
	}
	for (size_t i = 0; i < EVIDENCE_SLOTS; i++)
		if (!(e->known >> i & 1) || s->slot[i] != e->slot[i])
			s->constant &= (uint16_t) ~(1u << i);
	s->seen += s->seen < UINT32_MAX;
}

void evidence_table__saw(struct evidence_table *t, uint32_t activation, const struct evidence *e)
{
	while (t->sightings_of.n <= activation)
		vec__push(&t->sightings_of, 0);
	if (!t->sightings_of.data[activation] && !has_room(t)) {
		t->dropped++;
		return;
	}
	if (!t->sightings_of.data[activation]) {
		(void)vec__add(&t->sightings);
		t->sightings_of.data[activation] = (uint32_t)t->sightings.n;
	}
	sum_up(&t->sightings.data[t->sightings_of.data[activation] - 1], e);
}

const struct sightings *evidence_table__sightings(const struct evidence_table *t,
						  uint32_t activation)
{
	if (activation >= t->sightings_of.n || !t->sightings_of.data[activation])
		return NULL;
	return &t->sightings.data[t->sightings_of.data[activation] - 1];
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * 0x9fb21c651e98df25u;
	return hash ^ hash >> 32;
}

static bool is_equal(const struct evidence *a, const struct evidence *b)
{
	return a->known == b->known && !memcmp(a->slot, b->slot, sizeof(a->slot));
}

/* Two hashes name it; should they be equal by chance, it is dropped. */
static uint32_t intern(struct evidence_table *t, const struct evidence *e)
{
	uint64_t a = mix(1, e->known), b = mix(2, e->known);
	uint32_t id;

	for (size_t i = 0; i < EVIDENCE_SLOTS; i++) {
		a = mix(a, e->slot[i]);
		b = mix(b, ~e->slot[i]);
	}
	id = idmap__find(&t->held_keys, a, b);
	if (id != IDMAP_NONE)
		return is_equal(&t->held.data[id], e) ? id : EVIDENCE_NONE;
	if (!has_room(t))
		return EVIDENCE_NONE;
	id = idmap__intern(&t->held_keys, a, b);
	vec__push(&t->held, *e);
	return id;
}

void evidence_table__cut(struct evidence_table *t, uint32_t sample, const struct evidence *e)
{
	struct evidence_cut cut = { .sample = sample, .held = intern(t, e) };

	t->dropped += cut.held == EVIDENCE_NONE;
	vec__push(&t->cuts, cut);
}
