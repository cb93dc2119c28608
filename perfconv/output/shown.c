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
