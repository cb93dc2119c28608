/* SPDX-License-Identifier: GPL-2.0 */
/*
 * threads_file - what /proc told of every thread when the capture began and when
 * it ended, and of the processes meanwhile: <capture>.threads.json, as
 * profile_pam.py writes it.
 *
 * A thread that sleeps all the while leaves no record in a capture; this file
 * says where it sleeps, and how long each thread stood in the run queue.
 */
#ifndef PERFCONV_SIDEFILE_THREADS_FILE_H
#define PERFCONV_SIDEFILE_THREADS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perfconv/base/errbuf.h"
#include "perfconv/base/mem.h"

#define THREADS_FILE_MAX_BYTES ((size_t)16 << 20) /* some 25,000 looks; takes up to 40 times that */
#define THREADS_FILE_MAX_ENTRIES (1u << 20)
#define THREADS_FILE_MAX_FUNCTIONS 64u /* of one kernel stack */

/* One thread at one moment.  What could not be read is 0, "" or absent. */
struct threads_entry {
	uint64_t time_ns; /* CLOCK_MONOTONIC */
	bool at_end;	  /* of the capture; else at its start */
	uint32_t pid, tid;
	char state; /* 'S' and so on, as in /proc/PID/stat */
	bool has_schedstat;
	uint64_t run_ns, queue_ns, slices; /* since the thread's birth */
	uint64_t argument;		   /* first argument of its system call */
	uint64_t sp, ip;		   /* of the user's code; 0: it was running */
	const char *wchan;
	uint32_t first, functions; /* kernel stack in threads_file.functions, leaf first */
};

/* The machine at one moment, as far as it was told. */
struct machine_look {
	uint64_t time_ns;
	bool has_throttled, has_swap;
	uint64_t throttled_periods, throttled_us; /* of the control group, since its start */
	uint64_t swapped_in, swapped_out;	  /* pages, since the machine's start */
	uint64_t mhz, max_mhz;			  /* mean over the CPUs; 0: not known */
};

#define THREADS_FILE_MAX_LOOKS 4096u

/* What the processes used, in all, between the look before and this one. */
struct usage_look {
	uint64_t time_ns;      /* CLOCK_MONOTONIC */
	double cpu_percent;    /* of one core */
	uint64_t memory_bytes; /* resident, at that moment */
};

#define USAGE_LOOK_MAX_PERCENT 1e6
#define USAGE_LOOK_MAX_BYTES (1ull << 60)

/** usage_look__is_possible - whether a machine may have such figures. */
static inline bool usage_look__is_possible(double cpu_percent, uint64_t memory_bytes)
{
	return cpu_percent >= 0 && cpu_percent <= USAGE_LOOK_MAX_PERCENT &&
	       memory_bytes <= USAGE_LOOK_MAX_BYTES;
}

struct threads_file {
	VEC(struct threads_entry) entries; /* sorted by (tid, time) */
	VEC(const char *) functions;
	VEC(struct machine_look) machine; /* in the file's order */
	VEC(struct usage_look) usage;	  /* by time, at most THREADS_FILE_MAX_LOOKS */
	const char *scenario;		  /* what the processes did meanwhile; "": not known */
	void *document;			  /* owns the strings */
	uint64_t bad_entries;		  /* left out: not of the form agreed */
	char *text;			  /* the whole file, as it was read */
	size_t bytes;			  /* of it */
};

/**
 * threads_file__open - read the file at @path
 *
 * Return: 0 with *@out set, freed by threads_file__free(); -ENOENT if there is
 * none; -EINVAL, -EFBIG with a message if it is of no use.
 */
int threads_file__open(struct threads_file **out, const char *path, struct errbuf *err);
void threads_file__free(struct threads_file *f);

/** threads_file__find - the first entry of @tid, or NULL; more of it may follow. */
const struct threads_entry *threads_file__find(const struct threads_file *f, uint32_t tid);

#endif
