/* SPDX-License-Identifier: GPL-2.0 */
/*
 * profile_file - a speedscope file of our own, read back: the timelines of its
 * threads as they were written, without the capture.
 *
 *     capture -> profile -> X.speedscope.json -> profile_file -> profile
 *
 * What is not in the file is not known: profiles of further events, the profile of
 * all threads (sums only) and what the capture says of lost records are left out.
 * The file may come from anywhere.
 */
#ifndef PERFCONV_PROFILE_PROFILE_FILE_H
#define PERFCONV_PROFILE_PROFILE_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "perfconv/base/errbuf.h"
#include "perfconv/profile/profile.h"

/* Beyond that speedscope is slow, and perfconv never wrote one. */
#define PROFILE_FILE_MAX_BYTES ((size_t)256 << 20)

/* Strings are the file's, valid until it is freed; "" is unknown. */
struct profile_file {
	struct profile *profile; /* event 0, start_ns 0; contradicted is as written */
	struct resolved resolved;
	const char *title, *scenario, *frames, *event, *python;
	const char *host, *kernel, *cpu;
	uint64_t period_ns; /* of the event where it samples time; 0: not known */
};

/** profile_file__is_one - whether @path looks like JSON, of whatever content; captures
 *  and bundles do not. */
bool profile_file__is_one(const char *path);

/**
 * profile_file__open - read the profile at @path
 *
 * Return: 0 with *@out set, freed by profile_file__free(); -EINVAL with a message if
 * it is not of our making or damaged, -EFBIG beyond PROFILE_FILE_MAX_BYTES; -errno.
 */
int profile_file__open(struct profile_file **out, const char *path, struct errbuf *err);
void profile_file__free(struct profile_file *f);

#endif
