/* SPDX-License-Identifier: GPL-2.0 */
/*
 * firefox - the profile as the Firefox Profiler's processed format, version 60; the
 * profiler brings that version up to its own when it opens a file.
 *
 *     meta      of the run, our own in "perfconv"; categories; how markers are shown
 *     libs      objects, with build-ids
 *     threads   samples with their time as weight; a marker for each time off the CPU
 *     shared    tables of stacks, frames, functions ... and the strings, which come last
 *
 * A gap is a sample without a stack.  Times are milliseconds from the profile's start;
 * an event that measures no time is laid end to end instead, a million to a millisecond.
 */
#ifndef PERFCONV_OUTPUT_FIREFOX_H
#define PERFCONV_OUTPUT_FIREFOX_H

#include <stdint.h>

#include "perfconv/output/output.h"

/** firefox__write - of from->profile; @sink is committed by the caller.  Return: 0. */
uint64_t firefox__write(struct sink *sink, const struct output_source *from);

#endif
