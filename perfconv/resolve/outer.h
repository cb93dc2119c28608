/* SPDX-License-Identifier: GPL-2.0 */
/*
 * outer - the outer frames that a thread always has.
 *
 *     whole stacks   main run poll read     main run poll wait     main run stop
 *     always there   main run
 *
 * A frame that all whole stacks of a thread show, at one place with one CFA, is
 * there at any moment between the first and the last of them, provided that its
 * CFA lies above the stack pointer then.  Stacks near a moment are not enough: a
 * function that is called again and again looks alive in between.
 */
#ifndef PERFCONV_RESOLVE_OUTER_H
#define PERFCONV_RESOLVE_OUTER_H

#include <stdint.h>

#include "perfconv/machine/machine.h"
#include "perfconv/store/store.h"

struct outer_thread {
	uint64_t first_ns, last_ns; /* of its whole stacks */
	uint32_t samples;
	uint32_t common; /* activation that all have, or STORE_NO_ACTIVATION */
};

struct outer {
	struct store *store;
	struct outer_thread *threads; /* by the machine's id */
	uint32_t *depths;	      /* by activation */
};

/** outer__init - look at all samples; @store is borrowed, and stacks are added to it. */
void outer__init(struct outer *o, struct store *store, const struct machine *machine);
void outer__release(struct outer *o);

/**
 * outer__find - the frames of @thread that were there at a moment
 *
 * @from_ns, @to_ns: begin and end of it
 * @sp: the thread's stack pointer then
 * Return: a stack of the store's, or STORE_NO_STACK.
 */
uint32_t outer__find(struct outer *o, uint32_t thread, uint64_t from_ns, uint64_t to_ns,
		     uint64_t sp);

#endif
