/* SPDX-License-Identifier: GPL-2.0 */
/*
 * total - all threads in one: for each thread and stack one slice with its sum,
 * the thread's name as the stack's root.  Time is not kept, gaps are left out.
 */
#ifndef PERFCONV_PROFILE_TOTAL_H
#define PERFCONV_PROFILE_TOTAL_H

#include "perfconv/profile/profile.h"

/** total__make - fill p->total; @resolver is the one whose stacks @p has. */
void total__make(struct profile *p, struct resolver *resolver);

#endif
