/* SPDX-License-Identifier: GPL-2.0 */
/*
 * activation - one call of a function, as far as a stack shows it: where it was
 * and where its frame lies.
 *
 *     stack        main        run         poll         (locations)
 *     activations  main@7ff8   run@7fc0    poll@7f50    (location @ CFA)
 *
 * A node of a tree like a stack's: (its caller's activation, location, CFA), user
 * frames only.  An unwound sample's activations are, one to one, the user frames
 * of its stack; those of a stack that does not reach its root begin where it was
 * cut.  Equal ids in two samples of one thread: all frames from there to the root
 * are at equal places with equal CFAs.  That is likely, but not certainly, one
 * call: a function called twice from one place looks the same.
 *
 * CFAs are addresses of one process's memory, and threads may use a stack one
 * after the other: compare within a thread only.
 */
#ifndef PERFCONV_STORE_ACTIVATION_H
#define PERFCONV_STORE_ACTIVATION_H

#include <stdint.h>

#include "perfconv/store/store.h"

/**
 * store__activation - the activation at @location with @cfa, called by @parent
 * @parent: STORE_NO_ACTIVATION: it is the outermost that is known
 * @cfa: 0: not known
 */
uint32_t store__activation(struct store *s, uint32_t parent, uint32_t location, uint64_t cfa);

/** activation__parent - the caller's, or STORE_NO_ACTIVATION. */
uint32_t activation__parent(const struct store *s, uint32_t activation);

/** activation__location - the id of its location. */
uint32_t activation__location(const struct store *s, uint32_t activation);

/** activation__cfa - where its frame begins; 0: not known. */
uint64_t activation__cfa(const struct store *s, uint32_t activation);

#endif
