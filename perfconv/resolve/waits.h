/* SPDX-License-Identifier: GPL-2.0 */
/*
 * waits - the reason and the stack of each time that a thread is off its CPU.
 *
 * The reason is exact: it comes from the kernel's chain of this very switch.
 * The stack comes from the first of these that there is:
 *
 *     equal     a switch of the thread that was dumped, and is alike (likeness.h);
 *               where a snapshot contradicts it, the snapshot counts
 *     snapshot  a stack that pyframes wrote down during the wait (Python only)
 *     cut       as equal, but the dump ended before the stack's root
 *     chain     the switch's own callchain, where frame pointers are kept
 *     outer     the outer frames that the thread always has (outer.h), then
 *               [shortened]
 *     none      nothing but the address it waits at
 *
 * Shown, the reason is the leaf; below it, where native frames are asked for,
 * stands the kernel's chain.
 */
#ifndef PERFCONV_RESOLVE_WAITS_H
#define PERFCONV_RESOLVE_WAITS_H

#include <stdbool.h>
#include <stdint.h>

#include "perfconv/resolve/intervals.h"
#include "perfconv/resolve/python.h"
#include "perfconv/resolve/reasons.h"
#include "perfconv/resolve/resolve.h"
#include "perfconv/sidefile/threads_file.h"
#include "perfconv/store/store.h"
#include "perfconv/store/switches.h"
#include "perfconv/symbol/symbols.h"

/* How a wait got its stack. */
enum wait_stack {
	WAIT_EQUAL,
	WAIT_SNAPSHOT,
	WAIT_CUT,
	WAIT_CHAIN,
	WAIT_OUTER,
	WAIT_NONE,
	WAIT_STACKS,
};

struct wait {
	uint32_t stack; /* resolved; the reason is its leaf */
	enum reason reason;
	enum wait_stack how;
};

struct waits_sources {
	struct store *store; /* stacks are added to it */
	const struct switches *switches;
	const struct machine *machine;
	struct images *images;
	struct symbols *symbols;
	const struct python *python;
	struct resolver *resolver;
	const struct threads_file *threads; /* NULL: none */
	bool monotonic;			    /* the capture's times are those of the side files */
	bool chains_trusted; /* no stacks were dumped, so user callchains are all there is */
};

struct waits;

/** waits__new - all borrowed; the store's samples and switches must be complete. */
struct waits *waits__new(const struct waits_sources *sources);
void waits__free(struct waits *w);

/**
 * waits__learn - look where a snapshot contradicts what dumps would show
 *
 * To be called with all times off the CPU of @thread before any is asked for: dumps
 * that are wrong once are not believed elsewhere either.
 */
void waits__learn(struct waits *w, uint32_t thread, const struct interval *interval);

/** waits__find - @interval: one of @thread, waiting or runnable. */
struct wait waits__find(struct waits *w, uint32_t thread, const struct interval *interval);

/**
 * waits__switching - the same stack while the kernel brings the thread back
 * Return: as wait.stack, with [switching] for the reason.
 */
uint32_t waits__switching(struct waits *w, uint32_t thread, const struct interval *interval);

/**
 * waits__switch_stack - the stack a thread was switched out with
 * @after: its time off the CPU from then on
 * Return: the user's part, resolved, without reason; RESOLVE_NO_STACK if no dump shows it.
 */
uint32_t waits__switch_stack(struct waits *w, uint32_t thread, const struct interval *after);

/** waits__contradicted - how often a snapshot contradicted the dumps. */
uint64_t waits__contradicted(const struct waits *w);

#endif
