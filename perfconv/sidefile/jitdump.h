/* SPDX-License-Identifier: GPL-2.0 */
/*
 * jitdump - what a program writes of the code it generates: jit-PID.dump, with
 * names, code bytes, times, and optionally lines and unwinding tables.
 * The format is tools/perf/Documentation/jitdump-specification.txt of Linux.
 *
 * Memory is used again, so an address says little; the offset of the code's
 * bytes in the file is unique for all times, and is what functions are known by.
 */
#ifndef PERFCONV_SIDEFILE_JITDUMP_H
#define PERFCONV_SIDEFILE_JITDUMP_H

#include <stdbool.h>
#include <stdint.h>

#include "perfconv/base/errbuf.h"
#include "perfconv/base/mem.h"

#define JITDUMP_HEAD_BYTES 32u

/* A function. */
struct jitdump_code {
	uint64_t offset; /* of its bytes in the file */
	uint64_t bytes;
	uint32_t name, file; /* indices into the dump's text; file: 0 is none */
	uint32_t line;	     /* of its first instruction that has one; 0: none */
	uint32_t tables;     /* index into the dump's tables */
	/* .eh_frame and behind it .eh_frame_hdr, as they would follow the code at the
	 * next multiple of 8 */
	uint32_t tables_bytes;		  /* of both; 0: none */
	uint32_t header_bytes;		  /* of the second */
	uint8_t head[JITDUMP_HEAD_BYTES]; /* its first bytes, zeros behind a shorter one */
};

/* From this time on, a function's code is at this address. */
struct jitdump_event {
	uint64_t time_ns;
	uint64_t start;
	uint32_t code;	/* index into codes */
	uint32_t order; /* in the file, for equal times */
};

struct jitdump {
	uint32_t pid;	     /* of the writer, in its own namespace */
	uint64_t start_ns;   /* when it was begun */
	bool own_clock;	     /* times are a processor's counter, not CLOCK_MONOTONIC */
	bool closed;	     /* the writer has ended it */
	bool cut;	     /* it ends inside a record: still being written, or damaged */
	uint64_t file_bytes; /* as far as it was read */
	VEC(struct jitdump_code) codes;	  /* sorted by offset */
	VEC(struct jitdump_event) events; /* sorted by time */
	VEC(char) text;
	VEC(uint8_t) tables;
	uint64_t bad_records;	/* passed over */
	uint64_t unknown_types; /* of record types that are not known */
	uint64_t dropped;	/* functions, names or tables beyond the limits */
};

/**
 * jitdump__read - all functions of a dump, also of one that is still being written
 *
 * @fd: a regular file, which stays open; @path: for messages
 * Return: 0 with *@out set, freed by jitdump__free(); -EINVAL or -ENOTSUP with a
 * message if it is no jitdump, or of an unknown version.
 */
int jitdump__read(struct jitdump **out, int fd, const char *path, struct errbuf *err);
void jitdump__free(struct jitdump *d);

/** jitdump__code - the function that has the byte at file offset @offset, or NULL. */
const struct jitdump_code *jitdump__code(const struct jitdump *d, uint64_t offset);

/**
 * jitdump__is_path - is a mapping of this file the mark of a jitdump?
 * Return: true if the base name is jit-<number>.dump.
 */
bool jitdump__is_path(const char *path);

#endif
