/* SPDX-License-Identifier: GPL-2.0 */
/*
 * output - a profile as a file, in one of the formats that viewers read.
 *
 *     struct profile  ->  speedscope   timelines, sums, all metadata
 *                     ->  firefox      timelines, waits as markers, all metadata
 *                     ->  pprof        sums, labels of threads, metadata as comments
 *                     ->  collapsed    sums
 *
 * Invariant: each carries the same totals per thread and function.
 */
#ifndef PERFCONV_OUTPUT_OUTPUT_H
#define PERFCONV_OUTPUT_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "perfconv/base/sink.h"
#include "perfconv/output/meta.h"
#include "perfconv/profile/profile.h"

/* All borrowed. */
struct output_source {
	const struct profile *profile;
	const struct profile *const *others; /* of further events, with the same resolved stacks */
	size_t others_n;
	const struct meta *meta;
};

struct output_format {
	const char *name;   /* as the command line calls it */
	const char *suffix; /* of a file's name */
	const char *look;   /* what to do with a file in order to see it */
	bool one_event;	    /* cannot hold profiles of several events */
	bool lines;	    /* keeps a function's lines apart and can add them up again */
	bool hits;	    /* needs the samples of each stack, see struct profile */
	bool gzip;	    /* always compressed */
	bool sums;	    /* keeps no time lines */
	/* Return: how many stacks lost their innermost frames, because they are too deep. */
	uint64_t (*write)(struct sink *sink, const struct output_source *from);
};

/** output_format__find - by name; NULL: there is none. */
const struct output_format *output_format__find(const char *name);

/** output_source__event - the name of the event that @p, one of the profiles, is of. */
const char *output_source__event(const struct output_source *from, const struct profile *p);

/** output_source__start_ns - when it began, ns since 1970; 0: the capture does not say. */
uint64_t output_source__start_ns(const struct output_source *from);

#define OUTPUT_BUILD_ID_CHARS 41u

/** output_source__build_id - of the object with path @path (a string id of the resolved),
 *  in hexadecimal; "" if none is known. */
void output_source__build_id(const struct output_source *from, uint32_t path, char *text);

/** output_source__busiest - the thread to show first: the main one often only waits. */
size_t output_source__busiest(const struct output_source *from);

/** frame_kind__name - "python", "native" ...  Static storage. */
const char *frame_kind__name(enum frame_kind kind);

#endif
