/* SPDX-License-Identifier: GPL-2.0 */
/*
 * facts - what a profile says of its run as words, a label and a value each, for formats
 * that show metadata to people and do not structure it.
 */
#ifndef PERFCONV_OUTPUT_FACTS_H
#define PERFCONV_OUTPUT_FACTS_H

#include "perfconv/base/mem.h"
#include "perfconv/output/output.h"

struct fact {
	const char *label; /* borrowed from the source, or static */
	char *value;
};

/* Zero-initialised is empty. */
struct facts {
	VEC(struct fact) list;
};

/** facts__of - all that is known, in the order to show it. */
void facts__of(struct facts *f, const struct output_source *from);
void facts__release(struct facts *f);

#endif
