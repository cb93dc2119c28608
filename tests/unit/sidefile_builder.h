/* SPDX-License-Identifier: GPL-2.0 */
/* sidefile_builder - side files as pyframes writes them, by pyframes_format.h. */
#ifndef PERFCONV_TESTS_UNIT_SIDEFILE_BUILDER_H
#define PERFCONV_TESTS_UNIT_SIDEFILE_BUILDER_H

#include "pyframes/src/pyframes_format.h"
#include "tests/unit/support.h"

/* The token of every file built here, and the bytes it is made of. */
#define BUILDER_TOKEN "000102030405060708090a0b0c0d0e0f"

struct sidefile_builder {
	struct pyframes_header header;
	struct bytes records;
	size_t record_at; /* of the one begun last */
	uint32_t strings;
};

void sidefile_builder__init(struct sidefile_builder *b);
void sidefile_builder__release(struct sidefile_builder *b);

/** side__begin, side__end - around a record's payload; the end puts size and crc. */
void side__begin(struct sidefile_builder *b, uint16_t type, uint64_t time_ns);
void side__end(struct sidefile_builder *b);

/** side__string - a string record.  Return: its id, which is 0 for "". */
uint32_t side__string(struct sidefile_builder *b, const char *text);

void side__arena(struct sidefile_builder *b, uint32_t id, uint64_t base, uint32_t slots,
		 uint32_t slot_bytes);
void side__code(struct sidefile_builder *b, uint32_t id, uint32_t kind, uint32_t arena,
		uint32_t slot, const char *name, const char *file, uint32_t first_line);
void side__thread(struct sidefile_builder *b, uint64_t time_ns, uint32_t tid, uint32_t outer_tid,
		  const char *name, uint32_t flags);

/** side__snapshot - of one thread; @codes are ids, leaf first. */
void side__snapshot(struct sidefile_builder *b, uint64_t time_ns, uint32_t tid,
		    const uint32_t *codes, uint32_t n);

/** sidefile_builder__write - @folder/pyframes-<token>.side, with room left as pyframes does. */
const char *sidefile_builder__write(struct sidefile_builder *b, const char *folder);

#endif
