/* SPDX-License-Identifier: GPL-2.0 */
/*
 * support - what the unit tests share: bytes put together one number at a time,
 * and a folder of its own for each test that needs files.
 */
#ifndef PERFCONV_TESTS_UNIT_SUPPORT_H
#define PERFCONV_TESTS_UNIT_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "perfconv/base/errbuf.h"
#include "perfconv/base/mem.h"

/* Bytes of a file in the making.  Zero-initialised is empty. */
struct bytes {
	VEC(uint8_t) v;
	bool swap; /* numbers are written in the other byte order */
};

void bytes__raw(struct bytes *b, const void *data, size_t n);
void bytes__u16(struct bytes *b, uint16_t v);
void bytes__u32(struct bytes *b, uint32_t v);
void bytes__u64(struct bytes *b, uint64_t v);
/** bytes__string - @s with its terminator, padded with zeros to a multiple of @align. */
void bytes__string(struct bytes *b, const char *s, size_t align);
/** bytes__pad - zeros up to a multiple of @align. */
void bytes__pad(struct bytes *b, size_t align);
void bytes__release(struct bytes *b);

/** scratch__setup, scratch__teardown - cmocka fixtures: *@state is a new folder's path. */
int scratch__setup(void **state);
int scratch__teardown(void **state);

/* A test that gets a folder of its own. */
#define scratch_test(f) cmocka_unit_test_setup_teardown(f, scratch__setup, scratch__teardown)

/** scratch__path - "folder/name"; valid until the eighth call from now. */
const char *scratch__path(const char *folder, const char *name);

/** scratch__write - make a file of @n bytes.  Return: its path, as scratch__path(). */
const char *scratch__write(const char *folder, const char *name, const void *data, size_t n);

/** scratch__read - a whole file as a string; free() it; NULL if there is none. */
char *scratch__read(const char *path);

/** scratch__count - entries of a folder. */
size_t scratch__count(const char *folder);

/** assert_message - a message is there: one line that begins with @path. */
void assert_message(const struct errbuf *err, const char *path);

/** assert_contains - @text has @part somewhere. */
void assert_contains(const char *text, const char *part);

#endif
