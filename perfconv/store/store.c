// SPDX-License-Identifier: GPL-2.0
#include "perfconv/store/store.h"

#include <stdlib.h>

#define RETURN_FLAG (1ull << 32) /* above the dso's id */

void store__release(struct store *s)
{
	idmap__release(&s->locations);
	idmap__release(&s->stacks);
	idmap__release(&s->activations);
	vec__release(&s->samples);
	vec__release(&s->stitches);
	evidence_table__release(&s->evidence);
	positions__release(&s->positions);
}

uint32_t store__location(struct store *s, struct place place, bool return_address)
{
	return idmap__intern(&s->locations, place.dso | (return_address ? RETURN_FLAG : 0),
			     place.address);
}

struct store_location store__get_location(const struct store *s, uint32_t id)
{
	const struct idmap_key *k = &s->locations.keys[id];

	return (struct store_location){
		.place = { (uint32_t)k->a, k->b },
		.return_address = k->a & RETURN_FLAG,
	};
}

uint32_t store__push(struct store *s, uint32_t parent, uint32_t location)
{
	return idmap__intern(&s->stacks, (uint64_t)(uint32_t)(parent + 1), location);
}

uint32_t store__parent(const struct store *s, uint32_t stack)
{
	return (uint32_t)s->stacks.keys[stack].a - 1;
}

uint32_t store__leaf(const struct store *s, uint32_t stack)
{
	return (uint32_t)s->stacks.keys[stack].b;
}
