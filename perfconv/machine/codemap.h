/* SPDX-License-Identifier: GPL-2.0 */
/*
 * codemap - code that programs generate: who can name it, and what is known for
 * stepping through it.
 *
 *     place                         told by             its address
 *     DSO_MEMORY, of a process      perf-PID.map        absolute
 *     DSO_JITDUMP, of a process     jit-PID.dump        offset of the code's bytes in the dump
 *     (all others: an ELF file, or the kernel)
 *
 * A perf map has no times: what it says holds for the whole capture.  A jitdump
 * has: each function of it is a mapping of its bytes in the dump from the moment
 * on that it was loaded, so a place stays unique when memory is used again.
 *
 * Files are opened when a stack first needs them.  A capture that comes through
 * a pipe may be of a program that still runs; its files are then read again when
 * they have grown, until codemap__complete().
 */
#ifndef PERFCONV_MACHINE_CODEMAP_H
#define PERFCONV_MACHINE_CODEMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perfconv/machine/images.h"
#include "perfconv/machine/machine.h"

/* A function of generated code.  Pointers last until the next codemap call; those that
 * are had after codemap__complete() as long as the code map. */
struct codemap_code {
	const char *name;
	const char *file;    /* "": not stated */
	uint32_t line;	     /* of its first instruction; 0: not stated */
	uint64_t at;	     /* where in it the place is, bytes */
	uint64_t bytes;	     /* its size */
	const uint8_t *head; /* its first bytes, as many as head_bytes; NULL: not recorded */
	size_t head_bytes;
	/* .eh_frame with .eh_frame_hdr behind it, laid out as jitdump.h says; NULL: none */
	const uint8_t *tables;
	size_t tables_bytes, header_bytes;
};

/* How the search for perf maps and jitdumps went. */
struct codemap_counts {
	uint64_t maps_read, dumps_read;
	uint64_t missing; /* processes with stacks in memory that nobody names, dumps not found */
	uint64_t refused; /* files that must not be read, or are broken; see codemap__refused() */
	uint64_t stale;	  /* files of an earlier process with the same pid */
	uint64_t untimed; /* dumps of memory used again, without times that can be compared */
	uint64_t cut;	  /* dumps that end inside a record: what follows is not known */
	uint64_t bad;	  /* lines and records that make no sense, passed over */
	uint64_t dropped; /* functions beyond the limits */
};

/* What is known of the capture before its records are read. */
struct codemap_capture {
	const char *path;     /* "-": standard input; borrowed */
	const char *hostname; /* "": not known; borrowed */
	bool local_kernel;
	int32_t clockid;		  /* of its times; -1: perf's own */
	uint64_t clock_wall_ns, clock_ns; /* the same moment on both clocks; 0: not known */
};

/** codemap__new - the code map of @machine, which the caller sets in it; all are borrowed. */
struct codemap *codemap__new(struct machine *machine, const struct images *images,
			     const struct codemap_capture *capture);
void codemap__free(struct codemap *c);

/** codemap__add_jitdump - its process has mapped @dso; @inode: of the file, 0: not stated. */
void codemap__add_jitdump(struct codemap *c, uint32_t dso, uint64_t inode);

/** codemap__set_time - give processes the functions that were loaded until then. */
void codemap__set_time(struct codemap *c, uint64_t time_ns);

/** codemap__complete - all records are read: what files say by now is the last word. */
void codemap__complete(struct codemap *c);

/** codemap__find - the function that holds @place.  Return: true with @out set. */
bool codemap__find(struct codemap *c, struct place place, struct codemap_code *out);

struct codemap_counts codemap__counts(const struct codemap *c);

/** codemap__refused - why the first refused file was; "" if none was. */
const char *codemap__refused(const struct codemap *c);

#endif
