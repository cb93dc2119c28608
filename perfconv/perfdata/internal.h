/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of perfdata/ share; nobody else includes it. */
#ifndef PERFCONV_PERFDATA_INTERNAL_H
#define PERFCONV_PERFDATA_INTERNAL_H

#include "perfconv/base/cursor.h"
#include "perfconv/base/idmap.h"
#include "perfconv/base/mem.h"
#include "perfconv/perfdata/inflate.h"
#include "perfconv/perfdata/limits.h"
#include "perfconv/perfdata/order.h"
#include "perfconv/perfdata/perfdata.h"
#include "perfconv/perfdata/series.h"
#include "perfconv/perfdata/stream.h"

#define PIPE_HEADER_BYTES 16u /* magic and size: all the header of a piped capture */

/* One file of records; a capture has one, a folder of perf record --threads
 * several. */
struct source {
	int fd;
	bool pipe; /* not seekable */
	struct stream stream;
	struct inflate *inflate; /* NULL until the first compressed record */
	struct order *order;
	uint64_t stated_end; /* where the header says the records end */
	bool ended;
	const struct order_record *front; /* taken from the order, not yet given out */
};

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
	char *path; /* as given; for messages */
	int fd;	    /* of the file with the header */
	uint64_t file_bytes;
	bool swap; /* the capture has the other byte order */
	struct file_header header;
	struct perfdata_info info;
	struct perfdata_stats stats;
	VEC(struct perfdata_event) events;
	VEC(struct perfdata_build_id) build_ids;
	VEC(struct perfdata_text) private; /* text about the person */
	struct tracing *tracing;	   /* NULL: no tracepoints, or no formats for them */
	struct idmap ids;		   /* sample id -> index into id_event */
	VEC(uint32_t) id_event;

	VEC(struct source) sources; /* complete before the first record is read */
	bool pipe_mode;		    /* events and features come as records */
	struct source *given;	    /* whose front was given out last */
	bool ended;		    /* all sources are */
	struct series series;	    /* what comes then */

	/* the current record's decoded arrays and path */
	uint64_t chain[PERFDATA_MAX_CALLCHAIN];
	uint64_t regs[PERFDATA_MAX_REGISTERS];
	struct record_branch branches[PERFDATA_MAX_BRANCHES];
	char text[4096];
};

/**
 * perfdata__pread - read exactly @n bytes at @offset
 * Return: 0, or -errno (-ENODATA: the file ends before) with a message.
 */
int perfdata__pread(struct perfdata *p, void *out, size_t n, uint64_t offset, struct errbuf *err);

/** file_section__read - the next section in a header or index. */
struct file_section file_section__read(struct cursor *c);

/** header__check_magic - tell the byte order; -EINVAL if @magic is not
 * perf.data's. */
int header__check_magic(struct perfdata *p, const uint8_t *magic, struct errbuf *err);

/** header__read - the file header and, but in pipe mode, all events with their
 * ids. */
int header__read(struct perfdata *p, struct errbuf *err);

/** header__add_event - an event from @n bytes of a perf_event_attr of any size.
 */
struct perfdata_event *header__add_event(struct perfdata *p, const uint8_t *bytes, size_t n);

/** header__add_id - samples with @id belong to event @event, unless another has
 * it. */
void header__add_id(struct perfdata *p, uint64_t id, uint32_t event);

/** features__read - the feature sections of a file; damaged ones are left out.
 */
void features__read(struct perfdata *p);

/** features__apply - take in one feature's content. */
void features__apply(struct perfdata *p, uint64_t feature, struct cursor *c);

/** features__note_private - remember where a feature, which lies at @offset, tells of the person. */
void features__note_private(struct perfdata *p, uint64_t feature, uint64_t offset,
			    const uint8_t *bytes, size_t n);

/** features__add_tracing - take in the tracepoints' formats. */
void features__add_tracing(struct perfdata *p, const uint8_t *bytes, size_t n);

/** features__add_build_id - one record of the build-id table.  Return: false if
 * damaged. */
bool features__add_build_id(struct perfdata *p, struct cursor *c);

/**
 * pipe__apply - take in a record that stands for a part of a file's header
 * @offset: in the file, of the record
 * Return: true if @type is one of those.
 */
bool pipe__apply(struct perfdata *p, uint32_t type, uint64_t offset, const uint8_t *bytes,
		 size_t n);

/** source__init - records in [@at, @end) of @fd, which the source then owns. */
void source__init(struct source *s, int fd, bool pipe, uint64_t at, uint64_t end);
void source__release(struct source *s);

/**
 * source__next - the next record of one source in time order, into s->front
 * Return: 0, with front NULL at the end; -errno on a read error.
 */
int source__next(struct perfdata *p, struct source *s, struct errbuf *err);

/** source__advance - read one raw record.  Return: 0 or -errno. */
int source__advance(struct perfdata *p, struct source *s, struct errbuf *err);

/** decode__time - a raw record's time, or RECORD_NO_TIME. */
uint64_t decode__time(const struct perfdata *p, const uint8_t *bytes, size_t n);

/**
 * decode__record - fill @rec from a raw record, which stays borrowed
 *
 * Return: 1 when filled, 0 when it is of no interest or unknown (counted),
 * -EINVAL when it is damaged (counted).
 */
int decode__record(struct perfdata *p, const struct order_record *raw, struct record *rec);

/** event__default_name - perf's name for a type and config, or NULL.  Static
 * storage. */
const char *event__default_name(uint32_t type, uint64_t config);

#endif
