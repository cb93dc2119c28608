/* SPDX-License-Identifier: GPL-2.0 */
/*
 * places - what perf knows of the addresses of a sample, stated in a capture_file
 * before the sample: mappings, names of kernel functions, names of threads.
 *
 * Filters see no MMAP or COMM records.  They may ask where an address lies, and get
 * the object and the offset in it; so each page that a stack needs is stated as a
 * mapping of its own, at the time of the sample that showed it.
 */
#ifndef PERFCONV_DLFILTER_PLACES_H
#define PERFCONV_DLFILTER_PLACES_H

#include <stdbool.h>
#include <stdint.h>

#include <perf/perf_dlfilter.h>

#include "dlfilter/capture_file.h"
#include "perfconv/base/idmap.h"

/* Where a page lies, as it was stated last. */
struct places_page {
	uint32_t object; /* in objects */
	uint64_t offset; /* of the page in it, modulo 2^64 */
};

/* A function of the kernel, as perf calls it. */
struct places_symbol {
	uint64_t start;
	uint32_t length, name; /* name in objects */
};

/* Zero-initialised is empty, but for the first two. */
struct places {
	const struct perf_dlfilter_fns *fns;
	struct capture_file *file;
	struct strtab objects, comms;
	struct idmap pids;  /* (pid, 0); id = index into runs */
	VEC(uint32_t) runs; /* how many programs the process has run so far */
	struct idmap pages; /* (pid and run, page); id = index into page */
	VEC(struct places_page) page;
	struct idmap threads;	/* (pid, tid); id = index into comm */
	VEC(uint32_t) comm;	/* in comms */
	struct idmap functions; /* (start of a kernel function, 0); id = index into symbols */
	VEC(struct places_symbol) symbols;
};

/** places__of - state what is new of the addresses of @sample, and its thread's name. */
void places__of(struct places *p, const struct perf_dlfilter_sample *sample, void *ctx);

/**
 * places__name_kernel - state how the kernel's functions can be named; the last call
 *
 * Where the running kernel is the one that was recorded, by one function's address:
 * perfconv has the same names for it as otherwise then.  Else by all of perf's names.
 */
void places__name_kernel(struct places *p, uint64_t time_ns);
void places__release(struct places *p);

/** places__resolve - ask perf for @address; the answer's strings are perf's.  False: unknown. */
bool places__resolve(const struct perf_dlfilter_fns *fns, void *ctx, uint64_t address,
		     struct perf_dlfilter_al *al);

/** places__is_marker - whether a value in a callchain only says whose addresses follow. */
static inline bool places__is_marker(uint64_t ip)
{
	return ip >= PERF_CONTEXT_MAX;
}

#endif
