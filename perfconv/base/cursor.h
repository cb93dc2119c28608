/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A bounds-checked reader over bytes: all input passes through it.  A read past
 * the end yields zeros and marks the cursor as failed; check once at the end of
 * a structure.  With swap set, numbers are read in the other byte order.
 */
#ifndef PERFCONV_BASE_CURSOR_H
#define PERFCONV_BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cursor {
	const uint8_t *at, *end;
	bool swap;
	bool failed;
};

/** cursor__init - a cursor over @n bytes at @bytes, which it borrows. */
void cursor__init(struct cursor *c, const void *bytes, size_t n, bool swap);

/** cursor__left - bytes not yet read. */
static inline size_t cursor__left(const struct cursor *c)
{
	return (size_t)(c->end - c->at);
}

/** cursor__bytes - the next @n bytes, borrowed, or NULL (and failed) if there are fewer. */
const uint8_t *cursor__bytes(struct cursor *c, size_t n);

uint16_t cursor__u16(struct cursor *c);
uint32_t cursor__u32(struct cursor *c);
uint64_t cursor__u64(struct cursor *c);

/**
 * cursor__string - a string in a field of @field bytes (at most), zero-terminated
 *
 * Copies at most @size - 1 bytes and always terminates @out.
 * Return: true; false (and failed) if the field is not there or has no terminator.
 */
bool cursor__string(struct cursor *c, size_t field, char *out, size_t size);

#endif
