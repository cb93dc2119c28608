// SPDX-License-Identifier: GPL-2.0
#include "perfconv/profile/hits.h"

#include <stdlib.h>

void hits__add(struct hits *h, uint32_t thread, uint32_t stack)
{
	uint32_t at = idmap__intern(&h->keys, thread, stack);

	if (at == h->samples.n)
		vec__push(&h->samples, 0);
	h->samples.data[at]++;
}

uint32_t hits__of(const struct hits *h, uint32_t thread, uint32_t stack)
{
	return idmap__find(&h->keys, thread, stack);
}

void hits__release(struct hits *h)
{
	idmap__release(&h->keys);
	vec__release(&h->samples);
}
