/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pprof - sums per thread and stack in pprof's format (profile.proto), which go tool
 * pprof, Pyroscope, Parca and others read.
 *
 *     sample    stack, [samples, cpu ns, wall ns], labels: thread, pid, tid, task
 *     location  a place in a function; what is inlined there are further lines of it
 *     comment   a fact of the run each
 *
 * wall is there only where the profile knows of waits.  Further events are columns of
 * their own.  An event that measures no time has its own name in place of cpu.
 */
#ifndef PERFCONV_OUTPUT_PPROF_H
#define PERFCONV_OUTPUT_PPROF_H

#include <stdint.h>

#include "perfconv/output/output.h"

/** pprof__write - needs a profile that counts hits; @sink is committed by the caller.
 *  Return: 0. */
uint64_t pprof__write(struct sink *sink, const struct output_source *from);

#endif
