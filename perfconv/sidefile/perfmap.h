/* SPDX-License-Identifier: GPL-2.0 */
/*
 * perfmap - the names a program gives to code it generates: /tmp/perf-PID.map,
 * lines of "start size name", both numbers hexadecimal.
 *
 * A program only ever appends.  It may use memory again, so where entries
 * overlap the later one counts.
 */
#ifndef PERFCONV_SIDEFILE_PERFMAP_H
#define PERFCONV_SIDEFILE_PERFMAP_H

#include <stddef.h>
#include <stdint.h>

#include "perfconv/base/mem.h"

/* A function, or what a later one left visible of it. */
struct perfmap_entry {
	uint64_t start, end; /* visible: [start, end) */
	uint64_t first;	     /* where the function itself starts */
	uint64_t bytes;	     /* its whole size */
	const char *name;    /* UTF-8 is not certain; lives with the map */
};

struct perfmap {
	char *text;
	VEC(struct perfmap_entry) list; /* sorted, none overlap */
	uint64_t bad_lines;		/* without a range or a name */
	uint64_t dropped;		/* entries beyond PERFMAP_MAX_ENTRIES */
};

/**
 * perfmap__new - the entries of a map's text
 *
 * @text: @n bytes and a zero behind them, from malloc(); the map takes it over
 * A last line without its end is left out: somebody is still writing it.
 */
struct perfmap *perfmap__new(char *text, size_t n) __attribute__((returns_nonnull));
void perfmap__free(struct perfmap *m);

/** perfmap__find - the entry that holds @address, or NULL. */
const struct perfmap_entry *perfmap__find(const struct perfmap *m, uint64_t address);

#endif
