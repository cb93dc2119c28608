/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dumps - where a capture's stack copies lie in its files, and which part of them
 * holds the environment and the arguments of the program:
 *
 *     lower addresses                                              higher
 *     | frames ... | the root's frame | argc argv envp auxv strings |
 *     sp                              root's CFA
 *
 * Above the root's frame nothing is unwound.  Where one stack of a process reaches
 * its root, the others' part is known too; where none does, it is looked for: the
 * strings of an environment are unlike anything else.
 */
#ifndef PERFCONV_PIPELINE_DUMPS_H
#define PERFCONV_PIPELINE_DUMPS_H

#include <stdbool.h>
#include <stdint.h>

#include "perfconv/base/idmap.h"
#include "perfconv/base/mem.h"
#include "perfconv/machine/machine.h"
#include "perfconv/store/store.h"
#include "perfconv/unwind/regs.h"

struct dump {
	uint32_t file, part; /* perfdata__source() */
	uint64_t offset;     /* of the copy in the file */
	uint64_t sp;	     /* address of its first byte */
	uint32_t valid, asked;
	uint32_t strings_at; /* where strings like an environment's begin; @valid: none */
	uint32_t life;	     /* index into lives */
	uint64_t root;	     /* the root's CFA; 0: the stack does not reach it */
};

/* Bytes of a file: [start, end). */
struct dump_range {
	uint64_t start, end;
};

struct dump_ranges {
	VEC(struct dump_range) list; /* sorted, none overlap */
};

/* Zero-initialised is empty. */
struct dumps {
	const struct regs_arch *arch; /* the machine's; NULL: not known */
	VEC(struct dump) list;
	VEC(uint32_t) execs;   /* by process: how many it has seen */
	struct idmap life_ids; /* (process, execs) */
	VEC(uint64_t) lives;   /* lowest CFA of a main thread's root; 0: not known */
};

void dumps__release(struct dumps *d);

/** dumps__record - take in a record that is no sample. */
void dumps__record(struct dumps *d, struct machine *m, const struct record *rec);

/** dumps__sample - take in a sample of @process; @file, @part: perfdata__source() of it. */
void dumps__sample(struct dumps *d, uint32_t process, const struct record *rec, uint32_t file,
		   uint32_t part);

/**
 * dumps__complete - the stack of the sample taken in last reaches its root
 * @activation: of its leaf; @main: it is of the process's first thread
 */
void dumps__complete(struct dumps *d, const struct store *s, uint32_t activation, bool main);

/** dumps__private - what to blank of file @file, part @part; the caller releases the list. */
void dumps__private(const struct dumps *d, uint32_t file, uint32_t part, struct dump_ranges *out);

#endif
