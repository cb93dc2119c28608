// SPDX-License-Identifier: GPL-2.0
#include "perfconv/sidefile/linetable.h"

#include "perfconv/base/cursor.h"

#define UNIT_BYTES 2 /* of an instruction */

/* The kinds of location in 3.11 and later; those below are short forms. */
enum location_kind {
	LOCATION_ONE_LINE = 10, /* lines to go on: kind - 10 */
	LOCATION_NO_COLUMN = 13,
	LOCATION_LONG = 14,
	LOCATION_NONE = 15,
};

static uint32_t known_line(int64_t line)
{
	return line > 0 && line <= LINETABLE_MAX_LINE ? (uint32_t)line : 0;
}

static uint8_t next_byte(struct cursor *c)
{
	const uint8_t *byte = cursor__bytes(c, 1);

	return byte ? *byte : 0;
}

/* Six bits a byte, lowest first; another one follows while bit 6 is set. */
static uint64_t varint(struct cursor *c)
{
	uint64_t value = 0;
	uint8_t byte = next_byte(c);
	unsigned int shift = 0;

	for (; byte & 64 && shift < 36; byte = next_byte(c), shift += 6)
		value |= (uint64_t)(byte & 63) << shift;
	return value | (uint64_t)(byte & 63) << shift;
}

static int64_t signed_varint(struct cursor *c)
{
	uint64_t value = varint(c);

	return value & 1 ? -(int64_t)(value >> 1) : (int64_t)(value >> 1);
}

static uint32_t find_location(struct cursor *c, int64_t line, uint32_t offset)
{
	uint32_t end = 0;

	while (cursor__left(c)) {
		uint8_t first = next_byte(c);
		unsigned int kind = first >> 3 & 15;

		end += UNIT_BYTES * ((first & 7) + 1u);
		if (kind == LOCATION_LONG || kind == LOCATION_NO_COLUMN)
			line += signed_varint(c);
		else if (kind >= LOCATION_ONE_LINE && kind < LOCATION_NO_COLUMN)
			line += kind - LOCATION_ONE_LINE;
		if (offset < end)
			return kind == LOCATION_NONE ? 0 : known_line(line);
		while (cursor__left(c) && !(*c->at & 128)) /* columns, the end line */
			c->at++;
	}
	return 0;
}

/* 3.10: the first byte says how far an entry reaches, and its line holds up to there. */
static uint32_t find_range(struct cursor *c, int64_t line, uint32_t offset)
{
	uint32_t end = 0;

	while (cursor__left(c) >= 2) {
		uint8_t bytes = next_byte(c);
		int8_t lines = (int8_t)next_byte(c);

		end += bytes;
		if (lines != INT8_MIN)
			line += lines;
		if (offset < end)
			return lines == INT8_MIN ? 0 : known_line(line);
	}
	return 0;
}

/* 3.9: the first byte says where an entry begins. */
static uint32_t find_start(struct cursor *c, int64_t line, uint32_t offset)
{
	uint32_t start = 0;

	while (cursor__left(c) >= 2) {
		uint8_t bytes = next_byte(c);
		int8_t lines = (int8_t)next_byte(c);

		start += bytes;
		if (start > offset)
			break;
		line += lines;
	}
	return known_line(line);
}

uint32_t linetable__line(const struct sidefile_code *code, uint32_t python_hex, uint32_t offset)
{
	uint32_t minor = python_hex >> 16;
	struct cursor c;

	if (!code->line_table || offset >= code->bytecode_bytes)
		return 0;
	cursor__init(&c, code->line_table, code->line_table_bytes, false);
	if (minor == 0x0309)
		return find_start(&c, code->first_line, offset);
	if (minor == 0x030a)
		return find_range(&c, code->first_line, offset);
	if (minor >= 0x030b && minor <= 0x030d)
		return find_location(&c, code->first_line, offset);
	return 0;
}
