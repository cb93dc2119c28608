/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pack - a capture that was read becomes a bundle: with the files that reading and
 * naming it asked for, so that it converts to the same bytes elsewhere.
 */
#ifndef PERFCONV_PIPELINE_PACK_H
#define PERFCONV_PIPELINE_PACK_H

#include <stdbool.h>
#include <stdint.h>

#include "perfconv/base/errbuf.h"
#include "perfconv/machine/answers.h"
#include "perfconv/pipeline/capture.h"

struct pack_options {
	bool redact;	 /* blank what tells of the person; docs/bundle.md says what */
	bool no_inlines; /* leave out what tells of inlined functions and source lines */
};

/* What came of it. */
struct pack_counts {
	uint64_t capture_bytes;		/* of the capture itself */
	uint64_t packed[ANSWER_KINDS];	/* files, by kind */
	uint64_t elf_bytes, kept_bytes; /* of ELF files; of them as packed */
	uint64_t missing, refused;	/* files that were asked for and are not in it */
	uint64_t bytes;			/* of the bundle */
};

/**
 * capture__pack - write @c, which was read with options.keep_answers, to @output
 *
 * To redact, it was read with options.keep_dumps, too.
 *
 * Takes the answers out of @c: it is good for nothing else afterwards.
 * Return: 0 with @counts set; -errno with a message.
 */
int capture__pack(struct capture *c, const char *output, const struct pack_options *options,
		  struct pack_counts *counts, struct errbuf *err);

#endif
