/* SPDX-License-Identifier: GPL-2.0 */
/*
 * tracing_format - one tracepoint's fields, from the text that the kernel shows
 * for it:
 *
 *     name: sched_switch
 *     ID: 372
 *     format:
 *         field:pid_t prev_pid;  offset:24;  size:4;  signed:1;
 *     print fmt: "...", ...
 *
 * The capture holds the text, and it may be hostile.
 */
#ifndef PERFCONV_PERFDATA_TRACING_FORMAT_H
#define PERFCONV_PERFDATA_TRACING_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perfconv/base/mem.h"

struct tracing_field {
	const char *name; /* in the format's text */
	uint32_t name_chars;
	uint32_t offset, size; /* in the payload, bytes */
	bool is_signed;
};

struct tracing_format {
	char *text;   /* whole, zero-terminated */
	char *system; /* "sched" */
	char *name;   /* "sched_switch" */
	uint64_t id;  /* perf_event_attr.config */
	VEC(struct tracing_field) fields;
	uint32_t bytes; /* a payload with all fields is as long at least */
	bool in_parser; /* libtraceevent was told of it */
};

/**
 * tracing_format__init - take a copy of @text[0, n) apart
 * Return: true if it names a tracepoint and all its fields are readable; else
 * false, with nothing to release.
 */
bool tracing_format__init(struct tracing_format *f, const char *system, const uint8_t *text,
			  size_t n);
void tracing_format__release(struct tracing_format *f);

/** tracing_format__field - a field by its name, or NULL. */
const struct tracing_field *tracing_format__field(const struct tracing_format *f, const char *name);

#endif
