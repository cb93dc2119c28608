/* SPDX-License-Identifier: GPL-2.0 */
/*
 * collapsed - a line for each stack of each thread, with its time:
 *
 *     worker;run;poll;[poll] 1250000
 *
 * The form that flamegraph.pl, inferno and many others read.  It has no escapes: a
 * ';' in a name becomes ':', a control character '?'.
 */
#ifndef PERFCONV_OUTPUT_COLLAPSED_H
#define PERFCONV_OUTPUT_COLLAPSED_H

#include <stdint.h>

#include "perfconv/output/output.h"

/** collapsed__write - of from->profile; @sink is committed by the caller.  Return: 0. */
uint64_t collapsed__write(struct sink *sink, const struct output_source *from);

#endif
