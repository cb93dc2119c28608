/* SPDX-License-Identifier: GPL-2.0 */
/*
 * buckets - make a profile small enough to look at: within buckets of time, the
 * slices of one stack become one.
 *
 *     before   |a|b|a|c|a|b|b|a|       a thread that switches thousands of times
 *     bucket   |       |       |
 *     after    |a  |b|c|a  |b  |       a second
 *
 * Invariant: the sum of each stack of each thread is the same in each bucket, to
 * the nanosecond, and so is every thread's length.
 */
#ifndef PERFCONV_PROFILE_BUCKETS_H
#define PERFCONV_PROFILE_BUCKETS_H

#include <stdint.h>

#include "perfconv/profile/profile.h"

/**
 * buckets__add - profile_thread__add() for a profile whose p->holding.max_slices is known
 *
 * @t: one of @p's threads.  As soon as there are several times more slices than will be
 * shown, they are merged in buckets that are a part of those that buckets__merge() will
 * come to, so that memory does not grow with a capture's length, and the result is the same:
 *
 *     held   |a|b|a|c|a|b|b|a  ->  |a  |b|c|a|b  |a        a tenth, a hundredth ...
 */
void buckets__add(struct profile *p, struct profile_thread *t, struct profile_slice slice);

/* Frames in all stacks that are written, which bounds the bytes of a file. */
#define BUCKETS_MAX_FRAMES ((uint64_t)16 << 20)

/**
 * buckets__merge - merge as little as brings all threads' slices to @max_slices
 *
 * Sets p->bucket_ns and p->merged.  Where even one bucket for all time is not
 * enough, because there are more different stacks, the result is larger.
 */
void buckets__merge(struct profile *p, uint64_t max_slices);

#endif
