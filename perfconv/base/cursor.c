// SPDX-License-Identifier: GPL-2.0
#include "perfconv/base/cursor.h"

#include <byteswap.h>
#include <string.h>

void cursor__init(struct cursor *c, const void *bytes, size_t n, bool swap)
{
	c->at = bytes;
	c->end = c->at + n;
	c->swap = swap;
	c->failed = false;
}

const uint8_t *cursor__bytes(struct cursor *c, size_t n)
{
	const uint8_t *p = c->at;

	if (n > cursor__left(c)) {
		c->at = c->end;
		c->failed = true;
		return NULL;
	}
	c->at += n;
	return p;
}

/* Leaves *@value as it is past the end. */
static void read_number(struct cursor *c, void *value, size_t n)
{
	const uint8_t *p = cursor__bytes(c, n);

	if (p)
		memcpy(value, p, n);
}

uint16_t cursor__u16(struct cursor *c)
{
	uint16_t v = 0;

	read_number(c, &v, sizeof(v));
	return c->swap ? bswap_16(v) : v;
}

uint32_t cursor__u32(struct cursor *c)
{
	uint32_t v = 0;

	read_number(c, &v, sizeof(v));
	return c->swap ? bswap_32(v) : v;
}

uint64_t cursor__u64(struct cursor *c)
{
	uint64_t v = 0;

	read_number(c, &v, sizeof(v));
	return c->swap ? bswap_64(v) : v;
}

bool cursor__string(struct cursor *c, size_t field, char *out, size_t size)
{
	const uint8_t *p = cursor__bytes(c, field);
	size_t len, keep;

	out[0] = '\0';
	if (!p)
		return false;
	len = strnlen((const char *)p, field);
	if (len == field) {
		c->failed = true;
		return false;
	}
	keep = len < size ? len : size - 1;
	memcpy(out, p, keep);
	out[keep] = '\0';
	return true;
}
