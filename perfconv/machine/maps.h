/* SPDX-License-Identifier: GPL-2.0 */
/*
 * maps - the mappings of one address space, by address.
 *
 * The kernel reports mappings as they are made and never their end, so a new
 * one cuts whatever it overlaps.  Invariant: sorted by start, none overlap.
 */
#ifndef PERFCONV_MACHINE_MAPS_H
#define PERFCONV_MACHINE_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perfconv/base/mem.h"

struct map {
	uint64_t start, end; /* [start, end) */
	uint64_t offset;     /* of start in the file, bytes */
	uint32_t dso;
	bool executable;
};

struct maps_leaf {
	struct map *data;
	size_t n, cap;
};

/* Zero-initialised is empty. */
struct maps {
	VEC(struct maps_leaf) leaves; /* each sorted, and one behind the other */
	size_t n;		      /* mappings in all of them */
	uint64_t moved;		      /* mappings and leaves that inserts moved, ever */
	uint32_t generation;	      /* changes whenever a mapping does */
};

/** maps__insert - add @map, cutting or removing what it overlaps. */
void maps__insert(struct maps *m, const struct map *map);

/** maps__find - the mapping that holds @address, borrowed until the next insert, or NULL. */
const struct map *maps__find(const struct maps *m, uint64_t address);

/** maps__copy - make @to equal to @from, as fork does. */
void maps__copy(struct maps *to, const struct maps *from);

/** maps__clear - forget all mappings, as exec does. */
void maps__clear(struct maps *m);

void maps__release(struct maps *m);

/* Between two mappings, while all are walked through. */
struct maps_position {
	size_t leaf, at;
};

/** maps__end - behind the last mapping; the zeroed position lies before the first. */
static inline struct maps_position maps__end(const struct maps *m)
{
	return (struct maps_position){ m->leaves.n, 0 };
}

/** maps__before - step over the mapping before @p; it, as borrowed as a found one, or NULL. */
static inline const struct map *maps__before(const struct maps *m, struct maps_position *p)
{
	if (!p->at && p->leaf)
		p->at = m->leaves.data[--p->leaf].n;
	return p->at ? &m->leaves.data[p->leaf].data[--p->at] : NULL;
}

/** maps__after - the same with the mapping behind @p. */
static inline const struct map *maps__after(const struct maps *m, struct maps_position *p)
{
	if (p->leaf < m->leaves.n && p->at == m->leaves.data[p->leaf].n)
		*p = (struct maps_position){ p->leaf + 1, 0 };
	return p->leaf < m->leaves.n ? &m->leaves.data[p->leaf].data[p->at++] : NULL;
}

#endif
