// SPDX-License-Identifier: GPL-2.0
#include "perfconv/output/shown.h"

#include <stdlib.h>

void shown__init(struct shown *s, const struct resolved *resolved)
{
	s->resolved = resolved;
	s->number = mem__alloc(resolved->frames.n, sizeof(*s->number));
	s->stacks = mem__alloc(resolved->stacks.n, sizeof(*s->stacks));
	for (size_t i = 0; i < resolved->frames.n; i++)
		s->number[i] = SHOWN_NOT;
}

void shown__release(struct shown *s)
{
	free(s->number);
	free(s->stacks);
	vec__release(&s->frames);
	free(s->function_of);
	vec__release(&s->functions);
	idmap__release(&s->objects);
}

void shown__functions(struct shown *s)
{
	struct idmap bases = { 0 };

	s->function_of = mem__alloc(s->resolved->frames.n, sizeof(*s->function_of));
	for (size_t i = 0; i < s->frames.n; i++) {
		uint32_t id = s->frames.data[i];
		const struct frame *f = &s->resolved->frames.data[id];
		uint32_t at = idmap__intern(&bases, f->base, 0);

		if (at == s->functions.n)
			vec__push(&s->functions, f->base);
		s->function_of[id] = at;
		if (f->object)
			idmap__intern(&s->objects, f->object, 0);
	}
	idmap__release(&bases);
}

void shown__add(struct shown *s, uint32_t stack)
{
	for (; stack != RESOLVE_NO_STACK && !s->stacks[stack];
	     stack = resolved__parent(s->resolved, stack)) {
		uint32_t frame = resolved__leaf(s->resolved, stack);

		s->stacks[stack] = true;
		if (s->number[frame] != SHOWN_NOT)
			continue;
		s->number[frame] = (uint32_t)s->frames.n;
		vec__push(&s->frames, frame);
	}
}
