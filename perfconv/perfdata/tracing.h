/* SPDX-License-Identifier: GPL-2.0 */
/*
 * tracing - what tracepoint samples carry: names, fields and text, by the
 * formats that perf copied from the recording kernel.
 */
#ifndef PERFCONV_PERFDATA_TRACING_H
#define PERFCONV_PERFDATA_TRACING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perfconv/base/errbuf.h"

struct tracing;

/**
 * tracing__new - formats from a capture's TRACING_DATA section of @n bytes
 *
 * Return: 0 with *@out set, freed by tracing__free(); -EINVAL with a message.
 */
int tracing__new(struct tracing **out, const uint8_t *bytes, size_t n, struct errbuf *err);
void tracing__free(struct tracing *t);

/** tracing__name - "system:name" of tracepoint @id (perf_event_attr.config), or NULL. */
const char *tracing__name(struct tracing *t, uint64_t id);

/**
 * tracing__number - a number field of a sample's raw payload
 *
 * Return: true with @value set; false if the tracepoint or the field is not known
 * or lies outside the @n bytes.
 */
bool tracing__number(struct tracing *t, uint64_t id, const uint8_t *raw, size_t n,
		     const char *field, uint64_t *value);

/**
 * tracing__text - the payload as the kernel would print it
 *
 * libtraceevent parses the format's expressions for it, and can be brought to
 * crash by a hostile one: only for captures that the user wants to look into.
 *
 * Return: a string that the caller frees, or NULL if the tracepoint is not known.
 */
char *tracing__text(struct tracing *t, uint64_t id, const uint8_t *raw, size_t n);

#endif
