/* SPDX-License-Identifier: GPL-2.0 */
/*
 * protobuf - messages in protobuf's wire format, field by field, in memory; a message
 * within another one is made first and then put into it.
 *
 * Numbers that are 0 are left out, as proto3 does.
 */
#ifndef PERFCONV_OUTPUT_PROTOBUF_H
#define PERFCONV_OUTPUT_PROTOBUF_H

#include <stddef.h>
#include <stdint.h>

#include "perfconv/base/mem.h"
#include "perfconv/base/sink.h"

/* Zero-initialised is empty. */
struct protobuf {
	VEC(unsigned char) bytes;
};

/** protobuf__number - an int64, uint64 or bool. */
void protobuf__number(struct protobuf *m, uint32_t field, uint64_t value);

/** protobuf__numbers - a packed list of them; nothing if it is empty. */
void protobuf__numbers(struct protobuf *m, uint32_t field, const uint64_t *values, size_t n);

/** protobuf__message - @inner becomes a field of @m, and empty for the next. */
void protobuf__message(struct protobuf *m, uint32_t field, struct protobuf *inner);

/** protobuf__write - the same into a file; one that is empty too. */
void protobuf__write(struct sink *sink, uint32_t field, struct protobuf *m);

/** protobuf__write_text - a string field, @n bytes. */
void protobuf__write_text(struct sink *sink, uint32_t field, const char *text, size_t n);

/** protobuf__write_number - as protobuf__number(). */
void protobuf__write_number(struct sink *sink, uint32_t field, uint64_t value);

void protobuf__release(struct protobuf *m);

#endif
