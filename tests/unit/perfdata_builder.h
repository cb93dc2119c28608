/* SPDX-License-Identifier: GPL-2.0 */
/*
 * perfdata_builder - perf.data files put together field by field, as perf lays
 * them out:
 *
 *     header | ids of each event | attrs | records | feature index | features
 *
 * Nothing here shares code with the reader.
 */
#ifndef PERFCONV_TESTS_UNIT_PERFDATA_BUILDER_H
#define PERFCONV_TESTS_UNIT_PERFDATA_BUILDER_H

#include "perfconv/perfdata/perfdata.h"
#include "tests/unit/support.h"

#define BUILDER_MAX_EVENTS 4u
#define BUILDER_MAX_IDS 4u
#define BUILDER_HEADER_BYTES 104u

/* Flag bits of perf_event_attr, counted from the kernel's declaration. */
#define BUILDER_FREQ (1ull << 10)
#define BUILDER_SAMPLE_ID_ALL (1ull << 18)
#define BUILDER_USE_CLOCKID (1ull << 25)
#define BUILDER_CONTEXT_SWITCH (1ull << 26)

struct builder_event {
	uint32_t type;
	uint64_t config, period, sample_type, read_format, flags;
	uint64_t branch_sample_type, regs_user_mask, regs_intr_mask;
	uint32_t stack_user_bytes;
	int32_t clockid;
	uint64_t ids[BUILDER_MAX_IDS];
	size_t ids_n;
};

struct perfdata_builder {
	size_t attr_bytes; /* with the ids section, as the header states it */
	struct builder_event events[BUILDER_MAX_EVENTS];
	size_t events_n;
	struct bytes data; /* the records */
	size_t record_at;  /* of the one begun last */
	uint64_t features; /* bit n: feature n, below 64 */
	struct bytes feature[64];
	bool unfinished;       /* the header states no data size and no features */
	uint64_t data_missing; /* bytes of data that the header states but the file lacks */
	/* the whole, after perfdata_builder__finish() */
	struct bytes file;
	size_t attrs_at, data_at;
};

/** perfdata_builder__init - a capture in the other byte order if @swap. */
void perfdata_builder__init(struct perfdata_builder *b, bool swap);
void perfdata_builder__release(struct perfdata_builder *b);

/** perfdata_builder__event - one more event; its fields are the caller's to change. */
struct builder_event *perfdata_builder__event(struct perfdata_builder *b, uint64_t sample_type);

/** builder__begin, builder__end - around the payload of a record, written to b->data. */
void builder__begin(struct perfdata_builder *b, uint32_t type, uint16_t misc);
void builder__end(struct perfdata_builder *b);

/** builder__finished_round - what perf writes after each pass over its buffers. */
void builder__finished_round(struct perfdata_builder *b);

/** builder__feature - a section that holds @n as bytes to be filled. */
struct bytes *builder__feature(struct perfdata_builder *b, unsigned int n);

/** builder__feature_string - a section of one string: hostname, arch ... */
void builder__feature_string(struct perfdata_builder *b, unsigned int n, const char *text);

/** perfdata_builder__finish - put all together in b->file. */
void perfdata_builder__finish(struct perfdata_builder *b);

/** perfdata_builder__write - finish, and write it to @folder/@name. */
const char *perfdata_builder__write(struct perfdata_builder *b, const char *folder,
				    const char *name);

/** perfdata_builder__open - write, open as a capture and release @b; fails the test if it
 *  cannot be opened.  The caller frees the capture. */
struct perfdata *perfdata_builder__open(struct perfdata_builder *b, const char *folder);

#endif
