/* SPDX-License-Identifier: GPL-2.0 */
/*
 * profiled - a profile from whatever a person has of a run: a capture, a bundle of one, or
 * a profile that was made of one.
 */
#ifndef PERFCONV_PIPELINE_PROFILED_H
#define PERFCONV_PIPELINE_PROFILED_H

#include <stdint.h>

#include "perfconv/base/errbuf.h"
#include "perfconv/pipeline/capture.h"
#include "perfconv/profile/profile_file.h"

struct profiled {
	const char *path;	       /* borrowed from the options */
	const struct profile *profile; /* the one that this is all about */
	struct capture *capture;       /* where it came from, or NULL */
	struct profile_file *file;     /* the same; one of both is there */
	uint64_t period_ns;	       /* of the event's samples; 0: not known */
};

/**
 * profiled__open - read options->path, whatever it is
 *
 * Options other than the path are for captures only.
 * Return: 0 with @p to be released by profiled__release(); -errno with a message.
 */
int profiled__open(struct profiled *p, const struct capture_options *options, struct errbuf *err);
void profiled__release(struct profiled *p);

#endif
