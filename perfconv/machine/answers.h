/* SPDX-License-Identifier: GPL-2.0 */
/*
 * answers - which files beside its own a capture's conversion asks for, and what
 * it gets:
 *
 *     asking this machine        each answer is kept, so that a bundle can hold it
 *     given by a bundle          each question has its answer here; this machine,
 *                                which may be another one, is not asked
 *
 * A question is a kind and a key made of what the capture states.  "Not there" is
 * an answer too: elsewhere the file may exist and be another one.
 */
#ifndef PERFCONV_MACHINE_ANSWERS_H
#define PERFCONV_MACHINE_ANSWERS_H

#include <stdbool.h>
#include <stdint.h>

#include "perfconv/base/idmap.h"
#include "perfconv/base/mem.h"

enum answer_kind {
	ANSWER_IMAGE,	 /* the ELF file behind a DSO; key: the DSO's */
	ANSWER_DEBUG,	 /* what was stripped off it; key: the DSO's */
	ANSWER_BESIDE,	 /* a side file, thread snapshots; key: the base name */
	ANSWER_PERFMAP,	 /* key: answers__process_key() */
	ANSWER_JITDUMP,	 /* key: the same with the path recorded */
	ANSWER_KALLSYMS, /* key: "" */
	ANSWER_KINDS,
};

struct answer {
	enum answer_kind kind;
	char *key;	    /* printable ASCII: other bytes stand as %XX */
	int code;	    /* 0: here it is; -ENOENT: nowhere; else why it is not used */
	char *reason;	    /* a sentence about that, or "" */
	char *path;	    /* where it is; NULL unless code is 0 */
	uint64_t inode;	    /* ANSWER_JITDUMP */
	int64_t changed_ns; /* ANSWER_PERFMAP, ANSWER_JITDUMP: when its content last was */
	bool recorded;	    /* ANSWER_JITDUMP: found where it was written, no copy */
	int fd;		    /* of a file in a folder that anybody may write to; -1 */
};

/* Zero-initialised is empty, and asks this machine. */
struct answers {
	bool given; /* by a bundle */
	VEC(struct answer) list;
	struct strtab questions; /* id = index into list */
};

void answers__release(struct answers *a);

/**
 * answers__add - the answer to a question, to be filled in
 * Return: borrowed until the next call, its strings owned by @a; NULL if the
 * question has one already.
 */
struct answer *answers__add(struct answers *a, enum answer_kind kind, const char *key);

/** answers__find - the answer to a question, or NULL. */
const struct answer *answers__find(const struct answers *a, enum answer_kind kind, const char *key);

/** answers__process_key - which process's file is meant; free() it. */
char *answers__process_key(uint32_t pid, uint64_t pid_namespace, const char *recorded);

/** answers__printable - @text with bytes other than printable ASCII, and %, as %XX; free() it. */
char *answers__printable(const char *text);

/** answers__plain - its inverse, but for bytes of value 0; free() it. */
char *answers__plain(const char *text);

#endif
