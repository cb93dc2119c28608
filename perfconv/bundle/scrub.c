// SPDX-License-Identifier: GPL-2.0
#include "perfconv/bundle/scrub.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "pyframes/src/pyframes_format.h"

#define LETTERS 20u

void scrub__release(struct scrub *s)
{
	strtab__release(&s->names);
	vec__release(&s->letters);
}

/* x, then w, v ... for other names of the same length. */
static uint8_t letter_of(struct scrub *s, const char *name)
{
	uint32_t id = strtab__intern(&s->names, name);
	unsigned int same_length = 0;

	if (id < s->letters.n)
		return s->letters.data[id];
	for (uint32_t i = 0; i < id; i++)
		same_length += strlen(strtab__get(&s->names, i)) == strlen(name);
	vec__push(&s->letters, (uint8_t)('x' - (char)(same_length % LETTERS)));
	return s->letters.data[id];
}

/* A user's name in front of a slash.  Return: its length; 0: there is none. */
static size_t name_at(const uint8_t *bytes, size_t n)
{
	size_t length = 0;

	while (length < n && length <= SCRUB_MAX_NAME && bytes[length] > 0x20 &&
	       bytes[length] != '/' && bytes[length] != 0x7f)
		length++;
	return length <= SCRUB_MAX_NAME && length < n && bytes[length] == '/' ? length : 0;
}

static size_t scrub_name(struct scrub *s, uint8_t *bytes, size_t n)
{
	char name[SCRUB_MAX_NAME + 1];
	size_t length = name_at(bytes, n);

	if (!length)
		return 0;
	memcpy(name, bytes, length);
	name[length] = '\0';
	memset(bytes, letter_of(s, name), length);
	return length;
}

void scrub__bytes(struct scrub *s, uint8_t *bytes, size_t n)
{
	static const char *const roots[] = { "/home/", "/Users/" };

	for (size_t i = 0; i < sizeof(roots) / sizeof(*roots); i++) {
		size_t length = strlen(roots[i]);
		uint8_t *at = bytes, *end = bytes + n;

		while ((at = memmem(at, (size_t)(end - at), roots[i], length))) {
			at += length;
			at += scrub_name(s, at, (size_t)(end - at));
		}
	}
}

void scrub__text(struct scrub *s, char *text)
{
	scrub__bytes(s, (uint8_t *)text, strlen(text));
}

static uint32_t checksum(const uint8_t *record, size_t n)
{
	static const uint8_t zeros[4];
	uLong crc = crc32(0, record, 8);

	crc = crc32(crc, zeros, sizeof(zeros));
	return (uint32_t)crc32(crc, record + 12, (uInt)(n - 12));
}

/* A record that was damaged before stays damaged. */
static void scrub_record(struct scrub *s, uint8_t *record, size_t n)
{
	struct pyframes_record r;
	bool good;

	memcpy(&r, record, sizeof(r));
	good = checksum(record, n) == r.crc;
	scrub__bytes(s, record + sizeof(r), n - sizeof(r));
	if (!good)
		return;
	r.crc = checksum(record, n);
	memcpy(record, &r, sizeof(r));
}

void scrub__side_file(struct scrub *s, uint8_t *bytes, size_t n)
{
	struct pyframes_header h;
	struct pyframes_record r;
	uint64_t end;

	if (n < sizeof(h))
		return;
	memcpy(&h, bytes, sizeof(h));
	end = h.used_bytes < n ? h.used_bytes : n;
	for (uint64_t at = h.header_bytes; at < end && end - at >= sizeof(r); at += r.size) {
		memcpy(&r, bytes + at, sizeof(r));
		if (r.size < sizeof(r) || r.size > end - at)
			break;
		scrub_record(s, bytes + at, r.size);
	}
}
