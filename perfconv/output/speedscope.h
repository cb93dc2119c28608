/* SPDX-License-Identifier: GPL-2.0 */
/*
 * speedscope - the profile as speedscope's JSON: shared frames, one "sampled"
 * profile per thread, our metadata in objects named "perfconv".
 */
#ifndef PERFCONV_OUTPUT_SPEEDSCOPE_H
#define PERFCONV_OUTPUT_SPEEDSCOPE_H

#include <stdint.h>

#include "perfconv/output/output.h"

/* speedscope's importer fails on stacks of 4,000 to 5,000 frames. */
#define SPEEDSCOPE_MAX_DEPTH 1024u

/**
 * speedscope__write - write the profiles to @sink, which the caller commits
 *
 * With several events each profile's name says its own, and threads without samples of
 * a further event are left out.
 *
 * Return: how many samples had their innermost frames left out (SPEEDSCOPE_MAX_DEPTH).
 */
uint64_t speedscope__write(struct sink *sink, const struct output_source *from);

#endif
