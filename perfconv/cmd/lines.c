// SPDX-License-Identifier: GPL-2.0
#include "perfconv/cmd/lines.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/base/mem.h"
#include "perfconv/cmd/message.h"

struct column column(const char *text, size_t columns)
{
	struct column out;
	size_t used = 0, n = 0;

	while (*text && n < columns && used < sizeof(out.text) - 5) {
		do
			out.text[used++] = *text++;
		while (((unsigned char)*text & 0xc0) == 0x80 && used < sizeof(out.text) - 5);
		n++;
	}
	if (*text && n) {
		do
			used--;
		while (((unsigned char)out.text[used] & 0xc0) == 0x80);
		out.text[used++] = '~';
	}
	for (; n < columns && used < sizeof(out.text) - 1; n++)
		out.text[used++] = ' ';
	out.text[used] = '\0';
	return out;
}

size_t lines__width(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

void lines__print(struct sink *sink, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = message__text(fmt, ap);
	va_end(ap);
	sink__write(sink, text, strlen(text));
	sink__write(sink, "\n", 1);
	free(text);
}

char *lines__number(double value, const char *unit)
{
	bool counted = !*unit, rate = *unit == '/';

	return mem__format("%.*f%s%s", counted || value >= 1000 ? 0 : 1, value,
			   counted || rate ? "" : " ", unit);
}

/* How many bytes of @text fit into @columns, whole words if any does. */
static size_t fitting(const char *text, size_t columns)
{
	size_t n = 0, best = 0, at = 0;

	for (; text[at]; at++) {
		if (text[at] == ' ')
			best = at;
		if (((unsigned char)text[at] & 0xc0) != 0x80 && n++ == columns)
			return best ? best : at;
	}
	return at;
}

void lines__wrap(struct sink *sink, const char *first, const char *text)
{
	size_t indent = lines__width(first);
	const char *front = first;

	do {
		size_t n = fitting(text, LINES_COLUMNS - indent);

		lines__print(sink, "%*s%.*s", (int)indent, front, (int)n, text);
		text += n;
		text += strspn(text, " ");
		front = "";
	} while (*text);
}
