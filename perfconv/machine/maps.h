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

/* Zero-initialised is empty. */
struct maps {
	VEC(struct map) list;
	uint32_t generation; /* changes whenever a mapping does */
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

#endif
