/* SPDX-License-Identifier: GPL-2.0 */
/* filter - which threads of a profile are shown. */
#ifndef PERFCONV_PROFILE_FILTER_H
#define PERFCONV_PROFILE_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "perfconv/profile/profile.h"

/* Patterns are numbers or names with * ? [...]; one of each kind given must match.
 * All borrowed; zero-initialised lets everything through. */
struct profile_filter {
	const char *const *threads; /* tid, shown name, Python's or the kernel's name */
	size_t threads_n;
	const char *const *processes; /* pid, or the name of the main thread */
	size_t processes_n;
	bool gil; /* only threads that run Python code or wait for the GIL */
};

/** profile_filter__passes - does a thread's name match?  @f as below, all threads still in @p. */
bool profile_filter__passes(const struct profile_filter *f, const struct profile *p,
			    const struct profile_thread *t);

/**
 * profile__filter - take out the threads whose names do not match
 *
 * @filter: NULL lets everything through.  f->gil is not looked at: whether a thread
 * passes that is known only when it has its slices.
 *
 * Return: how many are left; the profile's sums are of those.
 */
size_t profile__filter(struct profile *p, const struct profile_filter *filter);

/** profile__filter_gil - take out the threads that have nothing to do with the GIL; likewise. */
size_t profile__filter_gil(struct profile *p);

#endif
