// SPDX-License-Identifier: GPL-2.0
#include "perfconv/store/positions.h"

#include <stdlib.h>
#include <string.h>

/* An observation's words. */
enum {
	WORD_EVALUATOR,
	WORD_TRAMPOLINE,
	WORD_N_AND_INNERMOST,
	WORD_SEEN,
	WORDS, /* then the candidates */
};

void positions__release(struct positions *p)
{
	idmap__release(&p->keys);
	vec__release(&p->words);
	vec__release(&p->at);
	idmap__release(&p->nodes);
	vec__release(&p->samples);
}

static bool has_room(const struct positions *p)
{
	size_t used = p->words.n * sizeof(uint32_t) +
		      p->at.n * (sizeof(uint32_t) + sizeof(struct idmap_key)) +
		      p->nodes.n * sizeof(struct idmap_key) +
		      p->samples.n * sizeof(struct positions_sample);

	return used < (p->budget_bytes ? p->budget_bytes : POSITIONS_BUDGET_BYTES);
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * 0x9fb21c651e98df25u;
	return hash ^ hash >> 32;
}

static bool is_equal(const struct positions *p, uint32_t id, const struct observation *o)
{
	struct observation known = positions__get(p, id);

	return known.evaluator == o->evaluator && known.trampoline == o->trampoline &&
	       known.innermost == o->innermost && known.n == o->n &&
	       (!o->n || !memcmp(known.candidates, o->candidates, o->n * sizeof(*o->candidates)));
}

static uint32_t add(struct positions *p, const struct observation *o)
{
	vec__push(&p->at, (uint32_t)p->words.n);
	vec__push(&p->words, o->evaluator);
	vec__push(&p->words, o->trampoline);
	vec__push(&p->words, o->n << 1 | o->innermost);
	vec__push(&p->words, 0);
	for (uint32_t i = 0; i < o->n; i++)
		vec__push(&p->words, o->candidates[i]);
	return (uint32_t)p->at.n - 1;
}

/* Two hashes name it; should they be equal by chance, it is dropped. */
static uint32_t intern(struct positions *p, const struct observation *o)
{
	uint64_t head = (uint64_t)o->evaluator << 32 | o->trampoline;
	uint64_t a = mix(mix(1, head), o->n << 1 | o->innermost), b = mix(2, ~head);
	uint32_t id;

	for (uint32_t i = 0; i < o->n; i++) {
		a = mix(a, o->candidates[i]);
		b = mix(b, ~(uint64_t)o->candidates[i]);
	}
	id = idmap__find(&p->keys, a, b);
	if (id != IDMAP_NONE)
		return is_equal(p, id, o) ? id : POSITIONS_NONE;
	if (!has_room(p))
		return POSITIONS_NONE;
	(void)idmap__intern(&p->keys, a, b);
	return add(p, o);
}

uint32_t positions__push(struct positions *p, uint32_t caller, const struct observation *o)
{
	uint32_t id = intern(p, o);
	uint64_t a = (uint64_t)(uint32_t)(caller + 1);

	if (id == POSITIONS_NONE)
		return POSITIONS_NONE;
	p->words.data[p->at.data[id] + WORD_SEEN]++;
	if (!has_room(p))
		return idmap__find(&p->nodes, a, id);
	return idmap__intern(&p->nodes, a, id);
}

void positions__set(struct positions *p, uint32_t sample, uint32_t frames)
{
	vec__push(&p->samples, ((struct positions_sample){ sample, frames }));
}

uint32_t positions__of(const struct positions *p, uint32_t sample)
{
	size_t n = vec__upto(&p->samples, sample, sample);

	return n && p->samples.data[n - 1].sample == sample ? p->samples.data[n - 1].frames
							    : POSITIONS_NONE;
}

uint32_t positions__caller(const struct positions *p, uint32_t node)
{
	return (uint32_t)p->nodes.keys[node].a - 1;
}

uint32_t positions__observation(const struct positions *p, uint32_t node)
{
	return (uint32_t)p->nodes.keys[node].b;
}

uint32_t positions__observed(const struct positions *p)
{
	return (uint32_t)p->at.n;
}

struct observation positions__get(const struct positions *p, uint32_t id)
{
	const uint32_t *words = p->words.data + p->at.data[id];

	return (struct observation){
		.evaluator = words[WORD_EVALUATOR],
		.trampoline = words[WORD_TRAMPOLINE],
		.innermost = words[WORD_N_AND_INNERMOST] & 1,
		.seen = words[WORD_SEEN],
		.n = words[WORD_N_AND_INNERMOST] >> 1,
		.candidates = words + WORDS,
	};
}
