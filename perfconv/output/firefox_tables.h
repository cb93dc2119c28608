/* SPDX-License-Identifier: GPL-2.0 */
/*
 * firefox_tables - what all threads of a Firefox profile refer to: categories, objects,
 * stacks, frames, functions.  A table is an object with an array for each column.
 */
#ifndef PERFCONV_OUTPUT_FIREFOX_TABLES_H
#define PERFCONV_OUTPUT_FIREFOX_TABLES_H

#include <stdint.h>

#include "perfconv/base/json.h"
#include "perfconv/output/output.h"
#include "perfconv/output/shown.h"

struct firefox_tables {
	const struct output_source *from;
	const struct resolved *resolved;
	struct shown shown;
	uint32_t *stack_number; /* by stack: its place in the file's table, if it is shown */
	uint32_t stacks;	/* that are shown */
	struct idmap sources;	/* (string id of the path, 0) */
	struct strtab strings;	/* the file's, written last */
};

/** firefox_tables__init - find what the profile's threads need. */
void firefox_tables__init(struct firefox_tables *t, const struct output_source *from);
void firefox_tables__release(struct firefox_tables *t);

/** firefox_tables__string - the place of @text in the file's strings. */
uint32_t firefox_tables__string(struct firefox_tables *t, const char *text);

/** firefox_tables__write_categories - key "categories". */
void firefox_tables__write_categories(struct json *j);

/** firefox_tables__waiting - the category of time off the CPU. */
uint32_t firefox_tables__waiting(void);

/** firefox_tables__write_libs - key "libs". */
void firefox_tables__write_libs(struct firefox_tables *t, struct json *j);

/** firefox_tables__write - key "shared"; to be called after all strings are known. */
void firefox_tables__write(struct firefox_tables *t, struct json *j);

#endif
