/* SPDX-License-Identifier: GPL-2.0 */
/*
 * manifest - the first entry of a bundle: which of its files is what, and what
 * there is not.  docs/bundle.md has the format.
 */
#ifndef PERFCONV_BUNDLE_MANIFEST_H
#define PERFCONV_BUNDLE_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perfconv/base/errbuf.h"
#include "perfconv/base/mem.h"
#include "perfconv/machine/answers.h"

#define MANIFEST_ENTRY "manifest.json"
#define MANIFEST_VERSION 1

/* One file of the capture itself. */
struct manifest_part {
	uint32_t capture; /* files of a series are captures 0, 1 ... */
	char *name;	  /* in its folder: "data", "data.0"; NULL: the capture is a file */
	char *entry;	  /* name in the archive */
	char *path;	  /* the capture's, as it was given */
};

struct manifest {
	char *name;    /* of the capture, as it was given, without its folder */
	char *machine; /* architecture that a capture has which states none */
	char *made_by; /* perfconv's version */
	bool redacted;
	bool no_inlines; /* DWARF was left out */
	uint32_t captures;
	VEC(struct manifest_part) parts; /* by capture */
	VEC(char *) entries;		 /* by answer: name in the archive; NULL: none */
	struct answers answers;
};

void manifest__init(struct manifest *m);
void manifest__release(struct manifest *m);

/** manifest__text - as JSON; free() it. */
char *manifest__text(const struct manifest *m);

/**
 * manifest__read - @n bytes of JSON into @m, which is initialised
 * @path: of the bundle, for messages
 * Return: 0; -EINVAL, -ENOTSUP with a message.
 */
int manifest__read(struct manifest *m, const char *text, size_t n, const char *path,
		   struct errbuf *err);

#endif
