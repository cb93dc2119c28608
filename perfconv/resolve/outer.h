/* SPDX-License-Identifier: GPL-2.0 */
/*
 * outer - the outer frames that a thread had all the while around some moment.
 *
 *     samples      main run poll read   main run poll wait   main run stop
 *     moment                          ^
 *     outer        main run poll                  (main run, if the third is near)
 *
 * A frame that all whole stacks from some seconds before to some seconds after
 * show, at one place with one CFA, and whose CFA lies above the stack pointer at
 * the moment, was there.  Only frames that live long are found so; a function
 * that is called again and again looks alive in between, which is why the
 * stacks of seconds have to agree and not two.
 */
#ifndef PERFCONV_RESOLVE_OUTER_H
#define PERFCONV_RESOLVE_OUTER_H

#include <stdint.h>

#include "perfconv/base/mem.h"
#include "perfconv/machine/machine.h"
#include "perfconv/store/store.h"

#define OUTER_NEAR_NS 5000000000ull /* stacks so far away must agree too */
#define OUTER_LEVELS 32u

struct outer {
	struct store *store;
	uint32_t *samples; /* indices of whole stacks, by thread, then time */
	size_t samples_n;
	uint32_t *first;		/* by thread; one more at the end */
	uint32_t *depths;		/* by activation */
	uint32_t *common[OUTER_LEVELS]; /* [k][i]: what samples i .. i + 2^k - 1 share */
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
