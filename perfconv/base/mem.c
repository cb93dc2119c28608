// SPDX-License-Identifier: GPL-2.0
#include "perfconv/base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void mem__out(void)
{
	fputs("perfconv: out of memory; convert a shorter capture or free memory\n", stderr);
	exit(1);
}

void *mem__alloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (!p)
		mem__out();
	return p;
}

char *mem__strdup(const char *s)
{
	char *copy = strdup(s);

	if (!copy)
		mem__out();
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
		mem__out();
	return text;
}

void *mem__grow(void *old, size_t *cap, size_t need, size_t size)
{
	size_t want = *cap ? *cap : 16;
	void *p;

	while (want < need) {
		if (want > SIZE_MAX / 2)
			mem__out();
		want *= 2;
	}
	p = reallocarray(old, want, size);
	if (!p)
		mem__out();
	*cap = want;
	return p;
}
