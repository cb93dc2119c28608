// SPDX-License-Identifier: GPL-2.0
#include "perfconv/store/switches.h"

#include <stdlib.h>
#include <string.h>

void switches__release(struct switches *s)
{
	vec__release(&s->rows);
	vec__release(&s->ends);
	vec__release(&s->dumps);
	vec__release(&s->losses);
	idmap__release(&s->regs);
	idmap__release(&s->places);
	vec__release(&s->states);
}

uint32_t switches__regs(struct switches *s, const uint64_t *words)
{
	return idmap__intern(&s->regs, words[0], words[1]);
}

void switches__get_regs(const struct switches *s, uint32_t regs, uint64_t *words)
{
	words[0] = s->regs.keys[regs].a;
	words[1] = s->regs.keys[regs].b;
}

uint32_t switches__place(struct switches *s, struct switch_place place)
{
	uint64_t both = (uint64_t)place.stack << 32 | place.regs;

	if (s->places.n >= SWITCH_MAX_PLACES - 1)
		return SWITCH_NO_PLACE;
	return idmap__intern(&s->places, both, place.argument);
}

struct switch_place switches__get_place(const struct switches *s, uint32_t id)
{
	const struct idmap_key *k = &s->places.keys[id];

	return (struct switch_place){ (uint32_t)(k->a >> 32), (uint32_t)k->a, k->b };
}

/* What is known of a thread; what was noted before a loss is not known any more. */
static struct switch_state *state_of(struct switches *s, uint32_t thread)
{
	struct switch_state *state;

	while (s->states.n <= thread)
		(void)vec__add(&s->states);
	state = &s->states.data[thread];
	if (state->losses != s->losses.n)
		*state = (struct switch_state){ .losses = (uint32_t)s->losses.n };
	return state;
}

static uint32_t pack(enum switch_kind kind, uint32_t place)
{
	if (place == SWITCH_NO_PLACE)
		place = SWITCH_MAX_PLACES - 1;
	return place << 3 | (uint32_t)kind;
}

static void add_row(struct switches *s, uint64_t time_ns, uint32_t thread, enum switch_kind kind,
		    uint32_t place)
{
	struct switch_ends *ends;

	while (s->ends.n <= thread)
		(void)vec__add(&s->ends);
	ends = &s->ends.data[thread];
	if (ends->last)
		s->rows.data[ends->last - 1].next = (uint32_t)s->rows.n;
	vec__push(&s->rows, ((struct store_switch){ time_ns, 0, pack(kind, place) }));
	ends->last = (uint32_t)s->rows.n;
	if (!ends->first)
		ends->first = ends->last;
}

/* A further source adds what the ones before did not know. */
static void merge_out(struct switches *s, struct store_switch *row, bool preempted, uint32_t place)
{
	uint32_t known = switch__place(row);
	enum switch_kind kind = preempted ? SWITCH_PREEMPTED : switch__kind(row);

	row->kind_and_place = pack(kind, known == SWITCH_NO_PLACE ? place : known);
	s->merged++;
}

void switches__out(struct switches *s, uint64_t time_ns, uint32_t thread, enum switch_source source,
		   bool preempted, uint32_t place)
{
	struct switch_state *state = state_of(s, thread);
	uint8_t bit = (uint8_t)(1u << source);

	if (state->out && !(state->sources & bit)) {
		state->sources |= bit;
		merge_out(s, &s->rows.data[state->row], preempted, place);
		return;
	}
	*state = (struct switch_state){
		.row = s->rows.n, .sources = bit, .out = true, .losses = state->losses
	};
	add_row(s, time_ns, thread, preempted ? SWITCH_PREEMPTED : SWITCH_OUT, place);
}

void switches__in(struct switches *s, uint64_t time_ns, uint32_t thread)
{
	struct switch_state *state = state_of(s, thread);

	if (state->in)
		return;
	*state = (struct switch_state){ .in = true, .losses = state->losses };
	s->ins++;
	add_row(s, time_ns, thread, SWITCH_IN, SWITCH_NO_PLACE);
}

void switches__wakeup(struct switches *s, uint64_t time_ns, uint32_t thread)
{
	struct switch_state *state = state_of(s, thread);

	if (!state->out || state->woken)
		return;
	state->woken = true;
	s->wakeups++;
	add_row(s, time_ns, thread, SWITCH_WAKEUP, SWITCH_NO_PLACE);
}

void switches__lost(struct switches *s, uint64_t start_ns, uint64_t end_ns)
{
	vec__push(&s->losses, ((struct switch_loss){ start_ns, end_ns }));
}
