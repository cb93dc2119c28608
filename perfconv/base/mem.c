// SPDX-License-Identifier: GPL-2.0
#include "perfconv/base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void die_out_of_memory(void)
{
	fputs("perfconv: out of memory; convert a shorter capture or free memory\n", stderr);
	exit(1);
}

void *mem__alloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (!p)
		die_out_of_memory();
	return p;
}

char *mem__strdup(const char *s)
{
	char *copy = strdup(s);

	if (!copy)
		die_out_of_memory();
	return copy;
}

char *mem__format(const char *fmt, ...)
{
	va_list ap;
	char *text;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		die_out_of_memory();
	return text;
}

void *mem__grow(void *old, size_t *cap, size_t need, size_t size)
{
	size_t want = *cap ? *cap : 16;
	void *p;

	while (want < need) {
		if (want > SIZE_MAX / 2)
			die_out_of_memory();
		want *= 2;
	}
	p = reallocarray(old, want, size);
	if (!p)
		die_out_of_memory();
	*cap = want;
	return p;
}
