/* SPDX-License-Identifier: GPL-2.0 */
/* item - one entry of a bundle in the making: a file, or part of one, as it is or redacted. */
#ifndef PERFCONV_PIPELINE_ITEM_H
#define PERFCONV_PIPELINE_ITEM_H

#include <stdbool.h>
#include <stdint.h>

#include "perfconv/base/errbuf.h"
#include "perfconv/bundle/scrub.h"
#include "perfconv/bundle/slim.h"
#include "perfconv/bundle/tar.h"
#include "perfconv/pipeline/dumps.h"

struct item {
	char *entry;	  /* its name */
	uint64_t bytes;	  /* its size */
	int fd;		  /* the file, or -1 */
	char *text;	  /* else its content, or NULL */
	struct slim slim; /* else what of an ELF file */
	bool is_elf;
	bool is_side_file;
	struct dump_ranges blank;   /* become zeros; sorted */
	struct dump_ranges letters; /* become letters x */
};

void item__release(struct item *item);

/**
 * item__write - one entry of @w
 * @scrub: where names of users are known; NULL: they stay
 * Return: 0; -errno with a message.
 */
int item__write(const struct item *item, struct tar_writer *w, struct scrub *scrub,
		struct errbuf *err);

#endif
