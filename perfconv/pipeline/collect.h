/* SPDX-License-Identifier: GPL-2.0 */
/*
 * collect - the stack of a sample, from all that may hold parts of it:
 *
 *     kernel   callchain
 *     user     registers and stack copy, unwound; else callchain, with the caller
 *              of a leaf function where a register still holds it; else the
 *              branches of a call-stack mode (LBR); else later (deferred)
 *
 * Guests and hypervisors have address spaces of their own: nobody names them.
 */
#ifndef PERFCONV_PIPELINE_COLLECT_H
#define PERFCONV_PIPELINE_COLLECT_H

#include <stdbool.h>
#include <stdint.h>

#include "perfconv/machine/machine.h"
#include "perfconv/perfdata/perfdata.h"
#include "perfconv/pipeline/candidates.h"
#include "perfconv/store/store.h"
#include "perfconv/unwind/unwind.h"

struct collector {
	const struct machine *machine;
	struct store *store;
	struct unwinder *unwinder;    /* NULL: of no known architecture */
	struct unwind_stack *unwound; /* scratch */
	struct candidates candidates; /* of Python frames' positions */
	VEC(uint32_t) leaf_first;     /* scratch: location ids */
	uint64_t frames_capped;	      /* stacks that reached UNWIND_MAX_FRAMES */
	uint64_t leaf_callers;	      /* callchains that lacked one, which a register held */
};

struct collected {
	uint32_t stack;
	uint32_t activation; /* of its innermost user frame, or STORE_NO_ACTIVATION */
	uint32_t positions;  /* of its Python frames, or POSITIONS_NONE */
	enum stack_ending ending;
	bool cut; /* at a frame that held: */
	struct evidence held;
	bool deferred;	 /* the user's part comes in a record of its own */
	uint64_t cookie; /* which names it */
};

/** collector__init - @arch as uname -m says; all else is borrowed. */
void collector__init(struct collector *c, const char *arch, const struct machine *machine,
		     struct images *images, struct sidefiles *sidefiles, struct store *store);
void collector__release(struct collector *c);

/** collector__sample - the stack of @rec, a SAMPLE of @event, in a process by its id. */
struct collected collector__sample(struct collector *c, const struct perfdata_event *event,
				   uint32_t process, const struct record *rec);

/**
 * collector__prepend - put a user callchain under a stack that lacks it
 * Return: the whole stack.
 */
uint32_t collector__prepend(struct collector *c, uint32_t process, const uint64_t *chain, size_t n,
			    uint32_t stack);

#endif
