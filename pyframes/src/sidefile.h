/* SPDX-License-Identifier: MIT */
/*
 * sidefile.h - the writer of the side file that pyframes_format.h describes.
 *
 * The whole file is mapped once, sparse; disk space is taken in steps ahead of
 * the records (a step reopens the file by path: no descriptor is held), so a
 * full disk loses records and never raises SIGBUS.  A record is built in place
 * and becomes visible to readers by one release store:
 *
 *     struct pyframes_thread *thread = sidefile__begin(side, PYFRAMES_RECORD_THREAD, size, ...);
 *     if (thread) { fill it; sidefile__commit(side); }
 *
 * One writer at a time; pyframes holds the GIL.
 */
#ifndef PYFRAMES_SIDEFILE_H
#define PYFRAMES_SIDEFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "errbuf.h"
#include "privdir.h"
#include "pyframes_format.h"

/** enum sidefile_class - the last quarter of the file is kept for what names things */
enum sidefile_class {
	SIDEFILE_NAMES,	 /* strings, arenas, code, threads, warnings */
	SIDEFILE_EVENTS, /* snapshots, tasks: dropped first */
};

/**
 * struct sidefile - zeroed is a valid, closed one
 * @header:          the mapping; NULL: closed
 * @allocated_bytes: below this offset the disk has room
 * @pending:         the record between begin and commit
 */
struct sidefile {
	struct pyframes_header *header;
	uint64_t allocated_bytes;
	uint64_t records_end;
	struct pyframes_record *pending;
	uint32_t next_string;
	uint32_t next_code;
	uint32_t next_task;
	uint64_t device;
	uint64_t inode;
	char path[PATH_MAX];
};

/** clock__monotonic_ns() - CLOCK_MONOTONIC */
uint64_t clock__monotonic_ns(void);

/**
 * sidefile__open() - makes and maps "pyframes-<token>.side"
 * @template:     header fields the caller knows; sizes, offsets and times are filled in here
 * @max_bytes:    size of the record area
 * @ring_entries: capacity reserved for task steps, a power of two, or 0
 *
 * Return: 0, or -errno with @err set and no file left behind.
 */
int sidefile__open(struct sidefile *side, const struct privdir *dir, const char *token,
		   const struct pyframes_header *template, uint64_t max_bytes,
		   uint64_t ring_entries, struct errbuf *err);

/**
 * sidefile__begin() - makes room for a record
 * @payload_bytes: what follows struct pyframes_record, without padding
 *
 * Return: the zeroed payload, to be filled and committed before anything else is
 * begun; NULL when the file is closed or has no room (counted as dropped).
 */
void *sidefile__begin(struct sidefile *side, enum pyframes_record_type type,
		      enum sidefile_class class, uint64_t payload_bytes);

/** sidefile__commit() - completes the record begun last and shows it to readers */
void sidefile__commit(struct sidefile *side);

/**
 * sidefile__string() - writes a string
 *
 * Return: its id, or 0 (the empty string) when it is empty or there is no room.
 */
uint32_t sidefile__string(struct sidefile *side, const char *text, size_t bytes);

/**
 * sidefile__ring() - the task ring, made usable at the first call
 *
 * Return: its entries, or NULL when there is none or the disk has no room for it.
 */
struct pyframes_step *sidefile__ring(struct sidefile *side);

/** sidefile__set_state() - tells readers whether the hook is in place */
void sidefile__set_state(struct sidefile *side, enum pyframes_state state);

/** sidefile__close() - unmaps; the file stays and is complete */
void sidefile__close(struct sidefile *side);

#endif
