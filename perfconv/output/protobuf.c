// SPDX-License-Identifier: GPL-2.0
#include "perfconv/output/protobuf.h"

#include <stdlib.h>
#include <string.h>

#define WIRE_VARINT 0u
#define WIRE_LENGTH 2u
#define VARINT_MAX_BYTES 10

/* Seven bits a byte, lowest first. */
static size_t encode(uint64_t value, unsigned char *out)
{
	size_t n = 0;

	while (value >= 0x80) {
		out[n++] = (unsigned char)(value | 0x80);
		value >>= 7;
	}
	out[n++] = (unsigned char)value;
	return n;
}

static void put(struct protobuf *m, const void *bytes, size_t n)
{
	if (!n)
		return;
	vec__reserve(&m->bytes, m->bytes.n + n);
	memcpy(m->bytes.data + m->bytes.n, bytes, n);
	m->bytes.n += n;
}

static void put_varint(struct protobuf *m, uint64_t value)
{
	unsigned char bytes[VARINT_MAX_BYTES];

	put(m, bytes, encode(value, bytes));
}

static void write_varint(struct sink *sink, uint64_t value)
{
	unsigned char bytes[VARINT_MAX_BYTES];

	sink__write(sink, bytes, encode(value, bytes));
}

void protobuf__number(struct protobuf *m, uint32_t field, uint64_t value)
{
	if (!value)
		return;
	put_varint(m, field << 3 | WIRE_VARINT);
	put_varint(m, value);
}

void protobuf__numbers(struct protobuf *m, uint32_t field, const uint64_t *values, size_t n)
{
	unsigned char bytes[VARINT_MAX_BYTES];
	size_t length = 0;

	if (!n)
		return;
	for (size_t i = 0; i < n; i++)
		length += encode(values[i], bytes);
	put_varint(m, field << 3 | WIRE_LENGTH);
	put_varint(m, length);
	for (size_t i = 0; i < n; i++)
		put_varint(m, values[i]);
}

void protobuf__message(struct protobuf *m, uint32_t field, struct protobuf *inner)
{
	put_varint(m, field << 3 | WIRE_LENGTH);
	put_varint(m, inner->bytes.n);
	put(m, inner->bytes.data, inner->bytes.n);
	inner->bytes.n = 0;
}

void protobuf__write(struct sink *sink, uint32_t field, struct protobuf *m)
{
	protobuf__write_text(sink, field, (const char *)m->bytes.data, m->bytes.n);
	m->bytes.n = 0;
}

void protobuf__write_text(struct sink *sink, uint32_t field, const char *text, size_t n)
{
	write_varint(sink, field << 3 | WIRE_LENGTH);
	write_varint(sink, n);
	sink__write(sink, text, n);
}

void protobuf__write_number(struct sink *sink, uint32_t field, uint64_t value)
{
	if (!value)
		return;
	write_varint(sink, field << 3 | WIRE_VARINT);
	write_varint(sink, value);
}

void protobuf__release(struct protobuf *m)
{
	vec__release(&m->bytes);
}
