/* SPDX-License-Identifier: GPL-2.0 */
/*
 * capture_file - a perf.data in memory, of what perf script shows its filters: samples
 * with callchains or branches, and where their addresses lie.
 *
 *     header | records | feature index | EVENT_DESC | attrs | ids
 *
 * perfconv converts it as it converts what perf record wrote.  A mapping is stated for
 * each page when a sample first needs it, and again when perf says otherwise.
 */
#ifndef PERFCONV_DLFILTER_CAPTURE_FILE_H
#define PERFCONV_DLFILTER_CAPTURE_FILE_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "perfconv/base/errbuf.h"
#include "perfconv/base/mem.h"

#define CAPTURE_FILE_PAGE 4096u

struct capture_file_event {
	const struct perf_event_attr *key; /* perf's own: its address tells events apart */
	struct perf_event_attr attr;
	char *name;
};

struct capture_file {
	FILE *file;
	char *folder, *path; /* a link in a folder of its own, so that it has a name */
	uint64_t data_bytes;
	VEC(struct capture_file_event) events;
};

/* A sample as filters are given it; arrays are borrowed. */
struct capture_file_sample {
	uint32_t event;
	uint16_t misc;
	uint32_t pid, tid;
	uint64_t ip, time_ns, period;
	const uint64_t *callchain;
	uint64_t callchain_n;
	const struct perf_branch_entry *branches;
	uint64_t branches_n;
};

/* A page, or a part of the kernel; strings are borrowed. */
struct capture_file_map {
	uint32_t pid, tid;
	uint64_t time_ns, start, length, offset;
	const char *path;
	const uint8_t *build_id;
	uint32_t build_id_bytes;
};

/** capture_file__open - Return: 0, or -errno with a message; then nothing is to be closed. */
int capture_file__open(struct capture_file *f, struct errbuf *err);

/** capture_file__event - the number of perf's event, new if not known. */
uint32_t capture_file__event(struct capture_file *f, const struct perf_event_attr *attr,
			     const char *name);

/** capture_file__comm - @exec: from then on the process runs another program. */
void capture_file__comm(struct capture_file *f, uint64_t time_ns, uint32_t pid, uint32_t tid,
			const char *comm, bool exec);
void capture_file__map(struct capture_file *f, const struct capture_file_map *map);
void capture_file__kernel_map(struct capture_file *f, const struct capture_file_map *map);
void capture_file__kernel_symbol(struct capture_file *f, uint64_t time_ns, uint64_t start,
				 uint32_t length, const char *name);
void capture_file__sample(struct capture_file *f, const struct capture_file_sample *s);

/** capture_file__finish - make it whole; f->path can be read then.  Return: 0 or -errno. */
int capture_file__finish(struct capture_file *f, struct errbuf *err);
void capture_file__close(struct capture_file *f);

#endif
