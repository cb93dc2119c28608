/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sidefiles - the side files of a capture: found through the trampoline files that
 * its processes map, opened when first needed.
 *
 * A capture that comes through a pipe may be of a program that still writes; its
 * files are then read again when a trampoline is not in them, until
 * sidefiles__complete().
 */
#ifndef PERFCONV_MACHINE_SIDEFILES_H
#define PERFCONV_MACHINE_SIDEFILES_H

#include <stdbool.h>
#include <stdint.h>

#include "perfconv/base/errbuf.h"
#include "perfconv/base/mem.h"
#include "perfconv/machine/images.h"
#include "perfconv/machine/dso.h"
#include "perfconv/sidefile/sidefile.h"

struct sidefiles_entry {
	char token[SIDEFILE_TOKEN_CHARS + 1];
	char *path;	       /* NULL: there is none */
	struct sidefile *file; /* NULL: not there, or broken */
	uint64_t missed;       /* trampolines that were not in it */
};

/* How the search went; each process has one side file, whatever its arenas. */
struct sidefiles_counts {
	uint64_t read;
	uint64_t missing;	  /* not found */
	uint64_t broken;	  /* found, but of no use */
	uint64_t dropped;	  /* records that pyframes found no room for */
	uint64_t bad_records;	  /* damaged ones, passed over */
	uint64_t unknown_records; /* of types newer than this reader */
};

struct sidefiles {
	const struct images *images;
	bool live; /* files may grow */
	VEC(struct sidefiles_entry) list;
	struct errbuf broken; /* the first broken file's message, or "" */
};

/** sidefiles__init - @images: borrowed; @live: the program may still run. */
void sidefiles__init(struct sidefiles *s, const struct images *images, bool live);
void sidefiles__release(struct sidefiles *s);

/** sidefiles__get - of the process that made trampoline file @dso; NULL: none, or broken. */
const struct sidefile *sidefiles__get(struct sidefiles *s, const struct dso *dso);

/**
 * sidefiles__code - what runs through the trampoline at @address of file @dso
 *
 * @address: an offset in the file
 * Return: NULL if nobody says.  Files may be read again by the next call, until they
 * are complete; what was returned before is then gone.
 */
const struct sidefile_code *sidefiles__code(struct sidefiles *s, const struct dso *dso,
					    uint64_t address);

/** sidefiles__complete - all records are read: what files say by now is the last word. */
void sidefiles__complete(struct sidefiles *s);

struct sidefiles_counts sidefiles__counts(const struct sidefiles *s);

#endif
