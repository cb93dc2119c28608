/* SPDX-License-Identifier: GPL-2.0 */
/*
 * choose - the fullest recording that is allowed, as scripts/perf-pyrecord finds it:
 * privilege through sudo is preferred to a recording that lacks a part, and a lesser
 * recording to none.
 */
#ifndef PERFCONV_DOCTOR_CHOOSE_H
#define PERFCONV_DOCTOR_CHOOSE_H

#include <stdbool.h>

#include "perfconv/doctor/recording.h"

struct chooser {
	bool privileged; /* root of the machine */
	bool sudo;	 /* it is installed */
	/* Whether a recording works.  With r->sudo perf has to be run for the answer. */
	bool (*works)(const struct recording *r, void *data);
	void *data;
};

/** choose__recording - Return: whether one works; *@out is it, or the least that was tried. */
bool choose__recording(const struct chooser *c, const struct recording *best,
		       struct recording *out);

#endif
