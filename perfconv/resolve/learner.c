// SPDX-License-Identifier: GPL-2.0
#include "perfconv/resolve/learner.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/resolve/bytecode.h"

#define NEARLY_ALL 0.98
#define SURE_BITS 7.0  /* as unlikely as 1 in 128 that leftovers look so */
#define MOST_BITS 6.0  /* no opcode counts as rarer than 1 in 64 */
#define HOME_PLACES 2u /* that make a slot a home */
#define ANY_OPCODE 256u

void learner__release(struct learner *l)
{
	idmap__release(&l->frames);
	idmap__release(&l->sites);
	idmap__release(&l->slot_keys);
	vec__release(&l->slots);
	vec__release(&l->places);
	idmap__release(&l->opcode_keys);
	vec__release(&l->opcode_sites);
	idmap__release(&l->home_keys);
	vec__release(&l->homes);
}

static struct learner_place *place_of(struct learner *l, const struct learner_frame *f)
{
	struct learner_place *p;

	while (l->places.n <= f->place)
		(void)vec__add(&l->places);
	p = &l->places.data[f->place];
	if (!p->seen)
		*p = (struct learner_place){ f->object, 0, IDMAP_NONE, 0, true };
	return p;
}

static struct learner_slot *slot_of(struct learner *l, const struct learner_frame *f, uint32_t slot)
{
	uint32_t id = idmap__intern(&l->slot_keys, f->place, slot);
	struct learner_slot *s;

	if (id == l->slots.n) {
		s = vec__add(&l->slots);
		s->place = f->place;
		s->slot = slot;
		s->next = l->places.data[f->place].slots;
		l->places.data[f->place].slots = id;
	}
	return &l->slots.data[id];
}

static void count_site(struct learner *l, uint32_t object, uint32_t opcode)
{
	uint32_t id = idmap__intern(&l->opcode_keys, object, opcode);

	if (id == l->opcode_sites.n)
		vec__push(&l->opcode_sites, 0);
	l->opcode_sites.data[id]++;
}

static void see_opcode(struct learner_slot *s, uint8_t opcode)
{
	s->sites++;
	for (size_t i = 0; i < LEARNER_OPCODES; i++)
		if (!s->counts[i] || s->opcodes[i] == opcode) {
			s->opcodes[i] = opcode;
			s->counts[i]++;
			return;
		}
}

static void see_site(struct learner *l, const struct learner_frame *f, uint32_t i)
{
	uint32_t slot = position__slot(f->candidates[i]);
	uint64_t at = (uint64_t)f->code << 32 | position__offset(f->candidates[i]);
	struct learner_slot *s = slot_of(l, f, slot);
	size_t known = l->sites.n;

	s->frames++;
	(void)idmap__intern(&l->sites, (uint64_t)f->place << 32 | slot, at);
	if (l->sites.n == known)
		return;
	see_opcode(s, f->opcodes[i]);
	s->between += f->between[i];
	count_site(l, f->object, f->opcodes[i]);
	count_site(l, f->object, ANY_OPCODE);
}

/* Two hashes stand for the frame; should they be equal by chance, it is not counted. */
static bool is_new(struct learner *l, const struct learner_frame *f)
{
	uint64_t a = (uint64_t)f->place << 32 | f->code, b = ~a;
	size_t known = l->frames.n;

	for (uint32_t i = 0; i < f->n; i++) {
		a = (a ^ f->candidates[i]) * 0x9fb21c651e98df25u;
		b = (b ^ f->candidates[i]) * 0xd6e8feb86659fd93u;
		a ^= a >> 32;
		b ^= b >> 32;
	}
	(void)idmap__intern(&l->frames, a, b);
	return l->frames.n != known;
}

void learner__see(struct learner *l, const struct learner_frame *f)
{
	if (!is_new(l, f))
		return;
	place_of(l, f)->frames++;
	for (uint32_t i = 0; i < f->n; i++)
		see_site(l, f, i);
}

/* How little one site with @opcode is worth: minus the logarithm of its share. */
static double bits_of(const struct learner *l, uint32_t object, uint8_t opcode, double all)
{
	uint32_t id = idmap__find(&l->opcode_keys, object, opcode);
	double bits = id == IDMAP_NONE ? MOST_BITS : log2(all / l->opcode_sites.data[id]);

	return bits < MOST_BITS ? bits : MOST_BITS;
}

static double all_sites(const struct learner *l, uint32_t object)
{
	uint32_t id = idmap__find(&l->opcode_keys, object, ANY_OPCODE);

	return id == IDMAP_NONE ? 0 : l->opcode_sites.data[id];
}

static bool has_one_opcode(const struct learner *l, struct learner_slot *s, double all)
{
	const struct learner_place *p = &l->places.data[s->place];
	size_t most = 0;

	for (size_t i = 1; i < LEARNER_OPCODES; i++)
		if (s->counts[i] > s->counts[most])
			most = i;
	s->opcode = s->opcodes[most];
	return s->opcode != BYTECODE_NONE && s->counts[most] >= NEARLY_ALL * s->sites &&
	       s->counts[most] * bits_of(l, p->object, s->opcode, all) >= SURE_BITS;
}

static bool is_between(const struct learner *l, const struct learner_slot *s, double all)
{
	const struct learner_place *p = &l->places.data[s->place];
	double bits = 0;

	for (size_t i = 0; i < LEARNER_OPCODES; i++)
		if (s->counts[i])
			bits += s->counts[i] * bits_of(l, p->object, s->opcodes[i], all);
	return s->between >= NEARLY_ALL * s->sites && bits >= SURE_BITS;
}

/* Return: how many slots are sure. */
static uint32_t try_slots(struct learner *l, const struct learner_place *p, double all,
			  bool between, uint32_t *last)
{
	uint32_t sure = 0;

	for (uint32_t at = p->slots; at != IDMAP_NONE; at = l->slots.data[at].next) {
		struct learner_slot *s = &l->slots.data[at];

		s->is_between = between;
		s->sure = s->frames >= NEARLY_ALL * p->frames &&
			  (between ? is_between(l, s, all) : has_one_opcode(l, s, all));
		sure += s->sure;
		if (s->sure)
			*last = s->slot;
	}
	return sure;
}

/* What is in front of a loop is between instructions too, so that comes second. */
static void decide_place(struct learner *l, struct learner_place *p)
{
	double all = all_sites(l, p->object);
	uint32_t only = 0, id;

	p->sure = try_slots(l, p, all, false, &only);
	if (!p->sure)
		p->sure = try_slots(l, p, all, true, &only);
	if (p->sure != 1)
		return;
	id = idmap__intern(&l->home_keys, p->object, only);
	if (id == l->homes.n)
		vec__push(&l->homes, 0);
	l->homes.data[id]++;
}

void learner__decide(struct learner *l)
{
	for (size_t i = 0; i < l->places.n; i++)
		if (l->places.data[i].seen)
			decide_place(l, &l->places.data[i]);
}

static const struct learner_slot *find_slot(const struct learner *l, uint32_t place, uint32_t slot)
{
	uint32_t id = idmap__find(&l->slot_keys, place, slot);

	return id == IDMAP_NONE ? NULL : &l->slots.data[id];
}

uint32_t learner__sure(const struct learner *l, uint32_t place)
{
	return place < l->places.n ? l->places.data[place].sure : 0;
}

enum learner_trust learner__trusts(const struct learner *l, const struct learner_frame *f,
				   uint32_t i)
{
	const struct learner_slot *s = find_slot(l, f->place, position__slot(f->candidates[i]));

	if (!s || !s->sure)
		return LEARNER_DOUBTS;
	if (s->is_between)
		return f->between[i] ? LEARNER_BETWEEN : LEARNER_DOUBTS;
	return s->opcode == f->opcodes[i] ? LEARNER_BEHIND : LEARNER_DOUBTS;
}

bool learner__is_home(const struct learner *l, uint32_t object, uint32_t slot)
{
	uint32_t id = idmap__find(&l->home_keys, object, slot);

	return id != IDMAP_NONE && l->homes.data[id] >= HOME_PLACES;
}
