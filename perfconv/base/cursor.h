/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A bounds-checked reader over bytes: all input passes through it.  A read past
 * the end yields zeros and marks the cursor as failed; check once at the end of
 * a structure.  With swap set, numbers are read in the other byte order.
 *
 * Every number of every record passes here, so the readers of numbers are inline.
 */
#ifndef PERFCONV_BASE_CURSOR_H
#define PERFCONV_BASE_CURSOR_H

#include <byteswap.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct cursor {
	const uint8_t *at, *end;
	bool swap;
	bool failed;
};

/** cursor__init - a cursor over @n bytes at @bytes, which it borrows. */
static inline void cursor__init(struct cursor *c, const void *bytes, size_t n, bool swap)
{
	c->at = bytes;
	c->end = c->at + n;
	c->swap = swap;
	c->failed = false;
}

/** cursor__left - bytes not yet read. */
static inline size_t cursor__left(const struct cursor *c)
{
	return (size_t)(c->end - c->at);
}

/** cursor__bytes - the next @n bytes, borrowed, or NULL (and failed) if there are fewer. */
static inline const uint8_t *cursor__bytes(struct cursor *c, size_t n)
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
static inline void cursor__number(struct cursor *c, void *value, size_t n)
{
	const uint8_t *p = cursor__bytes(c, n);

	if (p)
		memcpy(value, p, n);
}

static inline uint16_t cursor__u16(struct cursor *c)
{
	uint16_t v = 0;

	cursor__number(c, &v, sizeof(v));
	return c->swap ? bswap_16(v) : v;
}

static inline uint32_t cursor__u32(struct cursor *c)
{
	uint32_t v = 0;

	cursor__number(c, &v, sizeof(v));
	return c->swap ? bswap_32(v) : v;
}

static inline uint64_t cursor__u64(struct cursor *c)
{
	uint64_t v = 0;

	cursor__number(c, &v, sizeof(v));
	return c->swap ? bswap_64(v) : v;
}

/**
 * cursor__string - a string in a field of @field bytes (at most), zero-terminated
 *
 * Copies at most @size - 1 bytes and always terminates @out.
 * Return: true; false (and failed) if the field is not there or has no terminator.
 */
bool cursor__string(struct cursor *c, size_t field, char *out, size_t size);

#endif
