// SPDX-License-Identifier: GPL-2.0
/* Names in a capture are foreign text: what could steer a terminal is not let through. */
#include "perfconv/cmd/message.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/base/mem.h"

char *message__text(const char *fmt, va_list ap)
{
	char *text;

	if (vasprintf(&text, fmt, ap) < 0)
		return mem__strdup("");
	for (unsigned char *p = (unsigned char *)text; *p; p++) {
		bool c1 = p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0; /* U+0080 to U+009F */

		if (c1)
			*p++ = '?';
		if (c1 || *p < 0x20 || *p == 0x7f)
			*p = '?';
	}
	for (size_t n = strlen(text); n && text[n - 1] == ' '; n--)
		text[n - 1] = '\0'; /* the last column's padding */
	return text;
}

static void put(const char *prefix, const char *fmt, va_list ap)
{
	char *text = message__text(fmt, ap);

	fprintf(stderr, "%s%s\n", prefix, text);
	free(text);
}

void message__error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put("perfconv: ", fmt, ap);
	va_end(ap);
}

void message__warning(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put("perfconv: warning: ", fmt, ap);
	va_end(ap);
}

void message__line(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put("", fmt, ap);
	va_end(ap);
}
