/* SPDX-License-Identifier: GPL-2.0 */
/*
 * stitch - stacks that were cut by their dump's end get the outer frames that
 * complete stacks of the same thread show.
 *
 *     complete   clone3 > run > loop@7f90 > poll@7f10 > select       of another moment
 *     cut                                   poll@7f10 > select > do_select
 *     stitched   clone3 > run > loop@7f90 > poll@7f10 > select > do_select
 *
 * The frame at the cut is known by function and CFA.  That is no proof: two
 * callers may reach one function with equal CFAs.  So a stack stays cut unless
 *
 *   - the thread's complete stacks show one continuation only, from the frame at the
 *     cut and from every Python function on the way (in a thread without any: from
 *     every function), and no cut stack shows another;
 *   - they say so often enough, STITCH_LEAST_SUPPORT of them, and show the caller both
 *     before and after: a start-up may be over, and a loop stand in its place;
 *   - the frame at the cut lies where the frame of a caller ends that all complete
 *     stacks show (whoever lies there, it was called by it: if it was itself seen
 *     there, STITCH_LEAST_OF_TRUNK of them do); or it was itself seen there twice, and
 *     did not hold anything else than it always held.
 *
 * A caller that no stack of the thread shows cannot be excluded, only made unlikely.
 */
#ifndef PERFCONV_RESOLVE_STITCH_H
#define PERFCONV_RESOLVE_STITCH_H

#include <stddef.h>
#include <stdint.h>

#include "perfconv/machine/images.h"
#include "perfconv/machine/machine.h"
#include "perfconv/store/store.h"

/*
 * A caller that took part in a share p of what a thread did is missing in n complete
 * stacks with the chance (1 - p)^n: 8 % for p = 5 % and n = 50, 0.5 % for p = 10 %.
 */
#define STITCH_LEAST_SUPPORT 50u

/*
 * The same, where a caller that is missing must also have called the same function with
 * the same CFA from outside of a frame that was there in all of them: an event loop's
 * waits, in a thread that is seldom met because it hardly does anything else.
 */
#define STITCH_LEAST_OF_TRUNK 16u

/* What became of the stacks that were cut. */
struct stitch_counts {
	uint64_t stitched;
	uint64_t unseen;       /* no complete stack shows the frame at the cut, or too few do */
	uint64_t ambiguous;    /* several continuations, and nothing tells them apart */
	uint64_t contradicted; /* the frame held something else */
};

/**
 * stitch__all - complete what can be completed, once, after all samples are stored
 *
 * A stitched sample has the whole stack and its activations, is STACK_COMPLETE and
 * marked; store->stitches says how many of its frames its own dump showed.
 */
struct stitch_counts stitch__all(struct store *store, const struct machine *machine,
				 struct images *images);

/** stitch__own_frames - how many user frames of @sample its own dump showed; SIZE_MAX: all. */
size_t stitch__own_frames(const struct store *store, uint32_t sample);

#endif
