/* SPDX-License-Identifier: GPL-2.0 */
/*
 * perfdata - any perf.data file becomes host-endian, bounds-checked records in
 * time order.
 *
 * A capture is a header, event attributes with the sample ids that belong to
 * them, the data section with records, and feature sections.  Records of one
 * CPU are in order; the CPUs' are interleaved, and FINISHED_ROUND records tell
 * how far sorting may go (see order.h).
 *
 * Ownership: everything a record or event points to is borrowed; a record's
 * content lasts until the next perfdata__next().
 */
#ifndef PERFCONV_PERFDATA_PERFDATA_H
#define PERFCONV_PERFDATA_PERFDATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perfconv/base/errbuf.h"
#include "perfconv/perfdata/record.h"
#include "perfconv/perfdata/tracing.h"

/* An event of the capture: the part of perf_event_attr that matters here. */
struct perfdata_event {
	char *name; /* as perf shows it; never NULL */
	uint32_t type;
	uint64_t config;
	uint64_t period_or_freq;
	bool freq; /* period_or_freq is samples per second */
	uint64_t sample_type;
	uint64_t read_format;
	uint64_t branch_sample_type;
	uint64_t regs_user_mask, regs_intr_mask;
	uint32_t stack_user_bytes; /* dump size asked for; 0: none */
	bool sample_id_all;
	bool context_switch;
	bool use_clockid;
	int32_t clockid;
};

/* What the capture says of itself.  Strings are never NULL; "" is unknown. */
struct perfdata_info {
	char *hostname, *os_release, *arch, *perf_version, *cpu_description;
	char **cmdline; /* perf's own */
	size_t cmdline_n;
	uint32_t cpus_online, cpus_available;
	uint64_t memory_kib;
	uint64_t first_sample_ns, last_sample_ns; /* 0: not stated */
	int32_t clockid;			  /* of all times; -1: perf's default clock */
	uint64_t clock_wall_ns, clock_ns; /* the same moment on both clocks; 0: not stated */
};

/* A build-id the header states for a path (samples that hit it). */
struct perfdata_build_id {
	char *path;
	uint8_t bytes[20];
	uint8_t size;
	int32_t pid; /* -1: host kernel or user */
	uint16_t misc;
};

#define PERFDATA_TYPES 128u
#define PERFDATA_FEATURES 256u
#define PERFDATA_FEATURE_NAME 24u

/* Counts of what was met; grows while records are read. */
struct perfdata_stats {
	uint64_t records[PERFDATA_TYPES]; /* by type */
	uint64_t unknown_types;		  /* records of types >= PERFDATA_TYPES */
	uint64_t bad_records;		  /* of a known type but not decodable */
	uint64_t bad_offset;		  /* file offset of the first of them */
	const char *bad_path;		  /* and the file, borrowed; NULL: none is bad */
	uint64_t lost;			  /* what was lost, as far as the three below tell */
	uint64_t lost_records;		  /* records the kernel found no room for (LOST) */
	uint64_t lost_recounted;	  /* the same, as perf counted it at the end */
	uint64_t lost_samples;		  /* samples lost before they were records (LOST_SAMPLES) */
	uint64_t unordered;		  /* records older than what was already delivered */
	uint64_t unreadable;   /* records that were there once and not at the second look */
	uint64_t bad_features; /* damaged header features, left out */
	uint64_t unknown_ids;  /* samples of no known event */
	bool unfinished;       /* perf was killed: no size and no features in the header */
	bool cut;	       /* the data section ends inside a record or too early */
	uint64_t cut_offset;   /* file offset of what could not be read */
	const char *cut_path;  /* and the file, borrowed; NULL: not cut */
};

struct perfdata;

/**
 * perfdata__open - open a capture and read its header, events and features
 *
 * @path: a file, a folder of perf record --threads, or "-" for standard input.
 * A capture that was recorded for a pipe is read up to its first kernel record.
 * If there is no such file, but files that perf record --switch-output names so
 * (@path, a dot and the time in digits), they are read as one capture.
 *
 * Return: 0 with *@out set, freed by perfdata__free(); -errno with a message:
 * -ENOENT, -EACCES and so on from opening, -EINVAL if it is no usable
 * perf.data.
 */
int perfdata__open(struct perfdata **out, const char *path, struct errbuf *err);

/**
 * perfdata__open_series - several files of perf record --switch-output as one
 *
 * @paths: @n of them, at least one, in any order if their headers state their times
 * Return: as perfdata__open(); -EINVAL if they are of different machines or clocks.
 */
int perfdata__open_series(struct perfdata **out, const char *const *paths, size_t n,
			  struct errbuf *err);

void perfdata__free(struct perfdata *p);

/** perfdata__files - how many files the capture is read from; @i of them by its path. */
size_t perfdata__files(const struct perfdata *p);
const char *perfdata__file(const struct perfdata *p, size_t i);

const struct perfdata_info *perfdata__info(const struct perfdata *p);
const struct perfdata_stats *perfdata__stats(const struct perfdata *p);
size_t perfdata__events(const struct perfdata *p);
const struct perfdata_event *perfdata__event(const struct perfdata *p, size_t i);

/**
 * perfdata__is_calibration - are @event's samples there for their stacks only?
 *
 * So it is if it is called calib, or dumps more of the stack than another event of
 * its kind that samples more often; beside another event of its kind.
 */
bool perfdata__is_calibration(const struct perfdata *p, size_t event);
size_t perfdata__build_ids(const struct perfdata *p);
const struct perfdata_build_id *perfdata__build_id(const struct perfdata *p, size_t i);

/* Text in a file: [offset, offset + bytes). */
struct perfdata_text {
	uint64_t offset, bytes;
};

/**
 * perfdata__private - where the header tells of the person: hostname, perf's command line
 * Return: the @i-th of them in the first file, borrowed; NULL behind the last.
 */
const struct perfdata_text *perfdata__private(const struct perfdata *p, size_t i);

/**
 * perfdata__source - which file the record that was given last is from
 * @file: which of perfdata__files(); @part: of a folder: 0 data, 1 data.0 ...
 */
void perfdata__source(const struct perfdata *p, uint32_t *file, uint32_t *part);

/**
 * perfdata__feature - the name of header feature @bit ("HOSTNAME", "feature 77")
 * @text: room for the name, PERFDATA_FEATURE_NAME bytes
 * Return: true if the capture has it.
 */
bool perfdata__feature(const struct perfdata *p, unsigned int bit, char *text);

/**
 * perfdata__check_strict - what was odd so far, as an error
 * Return: 0 if nothing was; -EBADMSG with a message that names the first oddity.
 */
int perfdata__check_strict(const struct perfdata *p, struct errbuf *err);

/** perfdata__tracing - the tracepoints' formats, borrowed; NULL if the capture has none. */
struct tracing *perfdata__tracing(const struct perfdata *p);

/**
 * perfdata__next - the next record in time order
 *
 * Records of unknown types and undecodable ones are counted and skipped.  A
 * data section that ends inside a record ends the capture there (stats.cut).
 *
 * Return: 1 with @rec filled; 0 at the end; -errno with a message on a read
 * error.
 */
int perfdata__next(struct perfdata *p, struct record *rec, struct errbuf *err);

#endif
