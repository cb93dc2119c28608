// SPDX-License-Identifier: GPL-2.0
#include "perfconv/output/sums.h"

#include <stdlib.h>
#include <string.h>

void sums__of(struct sums *s, const struct profile_thread *t)
{
	sums__release(s);
	for (size_t i = 0; i < t->slices.n; i++) {
		const struct profile_slice *slice = &t->slices.data[i];
		uint32_t at;

		if (slice->stack == RESOLVE_NO_STACK)
			continue;
		at = idmap__intern(&s->stacks, slice->stack, 0);
		if (at == s->list.n)
			vec__add(&s->list)->stack = slice->stack;
		*(slice->off ? &s->list.data[at].off : &s->list.data[at].on) += slice->weight;
	}
}

void sums__release(struct sums *s)
{
	idmap__release(&s->stacks);
	vec__release(&s->list);
}
