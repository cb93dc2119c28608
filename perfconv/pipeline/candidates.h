/* SPDX-License-Identifier: GPL-2.0 */
/*
 * candidates - what the Python frames of an unwound stack hold that may be their
 * position: addresses in the bytecode of the function that runs (positions.h).
 *
 *     stack copy   trampoline of poll()          names the function, so its bytecode
 *                  evaluator, called by it       its words and registers are looked at
 */
#ifndef PERFCONV_PIPELINE_CANDIDATES_H
#define PERFCONV_PIPELINE_CANDIDATES_H

#include <stdint.h>

#include "perfconv/machine/machine.h"
#include "perfconv/machine/sidefiles.h"
#include "perfconv/perfdata/record.h"
#include "perfconv/store/store.h"
#include "perfconv/unwind/regs.h"
#include "perfconv/unwind/unwind.h"

/* Where a function's bytecode lies in its process: [start, end]; end 0: not known. */
struct candidates_range {
	uint64_t start, end;
	bool looked; /* no need to ask again */
};

struct candidates {
	const struct machine *machine;
	struct sidefiles *sidefiles;
	const struct regs_arch *arch; /* NULL: not known */
	struct store *store;
	VEC(struct candidates_range) ranges; /* by location */
};

/** candidates__init - @arch as uname -m says; all else is borrowed. */
void candidates__init(struct candidates *c, const char *arch, const struct machine *machine,
		      struct sidefiles *sidefiles, struct store *store);
void candidates__release(struct candidates *c);

/**
 * candidates__collect - look at the stack of sample @s
 *
 * @locations: of @stack's frames
 * Return: the node of its Python frames in the store's positions; POSITIONS_NONE if it
 * has none or there is no room.
 */
uint32_t candidates__collect(struct candidates *c, const struct record_sample *s,
			     const struct unwind_stack *stack, const uint32_t *locations);

#endif
