/* SPDX-License-Identifier: GPL-2.0 */
/*
 * speedscope - the profile as speedscope's JSON: shared frames, one "sampled"
 * profile per thread, our metadata in objects named "perfconv".
 */
#ifndef PERFCONV_OUTPUT_SPEEDSCOPE_H
#define PERFCONV_OUTPUT_SPEEDSCOPE_H

#include <stdint.h>

#include "perfconv/base/sink.h"
#include "perfconv/output/meta.h"
#include "perfconv/profile/profile.h"

/* speedscope's importer fails on stacks of 4,000 to 5,000 frames. */
#define SPEEDSCOPE_MAX_DEPTH 1024u

/**
 * speedscope__write - write @p to @sink, which the caller commits
 *
 * @others: @others_n profiles of further events, with the same resolved stacks; each
 * profile's name then says its event, and their threads without samples are left out
 *
 * Return: how many samples had their innermost frames left out (SPEEDSCOPE_MAX_DEPTH).
 */
uint64_t speedscope__write(struct sink *sink, const struct profile *p,
			   const struct profile *const *others, size_t others_n,
			   const struct meta *meta);

#endif
