// SPDX-License-Identifier: GPL-2.0
#include "perfconv/store/activation.h"

uint32_t store__activation(struct store *s, uint32_t parent, uint32_t location, uint64_t cfa)
{
	return idmap__intern(&s->activations, (uint64_t)(uint32_t)(parent + 1) << 32 | location,
			     cfa);
}

uint32_t activation__parent(const struct store *s, uint32_t activation)
{
	return (uint32_t)(s->activations.keys[activation].a >> 32) - 1;
}

uint32_t activation__location(const struct store *s, uint32_t activation)
{
	return (uint32_t)s->activations.keys[activation].a;
}

uint64_t activation__cfa(const struct store *s, uint32_t activation)
{
	return s->activations.keys[activation].b;
}
