/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of perfdata/ share; nobody else includes it. */
#ifndef PERFCONV_PERFDATA_INTERNAL_H
#define PERFCONV_PERFDATA_INTERNAL_H

#include "perfconv/base/cursor.h"
#include "perfconv/base/idmap.h"
#include "perfconv/base/mem.h"
#include "perfconv/perfdata/limits.h"
#include "perfconv/perfdata/order.h"
#include "perfconv/perfdata/perfdata.h"

/* A section of the file: offset and size in bytes. */
struct file_section {
	uint64_t offset, size;
};

/* perf_file_header, host-endian. */
struct file_header {
	uint64_t header_bytes, attr_bytes;
	struct file_section attrs, data;
	uint64_t features[4]; /* bit n: feature n is there */
};

struct perfdata {
	char *path;
	int fd;
	uint64_t file_bytes;
	bool swap; /* the capture has the other byte order */
	struct file_header header;
	struct perfdata_info info;
	struct perfdata_stats stats;
	VEC(struct perfdata_event) events;
	VEC(struct perfdata_build_id) build_ids;
	struct idmap ids; /* sample id -> index into id_event */
	VEC(uint32_t) id_event;

	/* the data section as a stream */
	uint8_t *buffer;
	size_t buffer_at, buffer_n;
	uint64_t data_at, data_end; /* file offsets: next byte to decode, end of what is there */
	uint64_t data_stated_end;   /* where the header says the data ends */
	bool ended;
	struct order *order;

	/* the current record's decoded arrays and path */
	uint64_t chain[PERFDATA_MAX_CALLCHAIN];
	uint64_t regs[PERFDATA_MAX_REGISTERS];
	char text[4096];
};

/**
 * perfdata__pread - read exactly @n bytes at @offset
 * Return: 0, or -errno (-ENODATA: the file ends before) with a message.
 */
int perfdata__pread(struct perfdata *p, void *out, size_t n, uint64_t offset, struct errbuf *err);

/** file_section__read - the next section in a header or index. */
struct file_section file_section__read(struct cursor *c);

/** header__read - the file header and all event attributes with their ids. */
int header__read(struct perfdata *p, struct errbuf *err);

/** features__read - the feature sections; damaged ones are left out. */
void features__read(struct perfdata *p);

/** decode__time - a raw record's time, or RECORD_NO_TIME. */
uint64_t decode__time(const struct perfdata *p, const uint8_t *bytes, size_t n);

/**
 * decode__record - fill @rec from a raw record, which stays borrowed
 *
 * Return: 1 when filled, 0 when it is of no interest or unknown (counted), -EINVAL
 * when it is damaged (counted).
 */
int decode__record(struct perfdata *p, const uint8_t *bytes, size_t n, uint64_t offset,
		   struct record *rec);

/** event__default_name - perf's name for a type and config, or NULL.  Static storage. */
const char *event__default_name(uint32_t type, uint64_t config);

#endif
