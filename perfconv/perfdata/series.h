/* SPDX-License-Identifier: GPL-2.0 */
/*
 * series - the files of one perf record --switch-output, each complete by
 * itself, as one capture:
 *
 *     perf.data.2026112308021082   perf.data.2026112308021391   ...
 *     |events ids records features|events ids records features|
 *
 * They are read one after the other; only the one at hand is open.  Each has ids
 * and events of its own, which are mapped to the whole's; build-ids are gathered
 * before the first record is read.
 */
#ifndef PERFCONV_PERFDATA_SERIES_H
#define PERFCONV_PERFDATA_SERIES_H

#include <stdint.h>

#include "perfconv/base/errbuf.h"
#include "perfconv/base/mem.h"

struct perfdata;
struct record;

/* One more file behind the first. */
struct series_part {
	char *path;
	VEC(uint32_t) events; /* its event's index -> the whole's */
};

struct series {
	VEC(struct series_part) parts;
	size_t next;	       /* the part to open next */
	struct perfdata *open; /* the one before that, being read; NULL: none */
};

/* Paths, owned. */
struct series_paths {
	VEC(char *) list;
};

void series_paths__release(struct series_paths *p);

/** series_paths__find - the files @stem.<digits> of a series, oldest first; may be none. */
void series_paths__find(struct series_paths *p, const char *stem);

/**
 * series_paths__sort - by the time of each file's first record, if all have one
 * Return: 0; -errno with a message if one cannot be opened.
 */
int series_paths__sort(struct series_paths *p, struct errbuf *err);

/**
 * series__add - make the file at @path one more part of @whole
 * Return: 0; -errno with a message, -EINVAL if it is of another machine or clock.
 */
int series__add(struct perfdata *whole, const char *path, struct errbuf *err);

/** series__next - the next record of the further parts.  Return: as perfdata__next(). */
int series__next(struct perfdata *whole, struct record *rec, struct errbuf *err);

void series__release(struct series *s);

#endif
