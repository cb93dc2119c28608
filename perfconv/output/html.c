// SPDX-License-Identifier: GPL-2.0
#include "perfconv/output/html.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "perfconv/base/utf8.h"

void html__raw(struct sink *s, const char *markup)
{
	sink__write(s, markup, strlen(markup));
}

void html__numbers(struct sink *s, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	html__raw(s, text);
}

static const char *entity(unsigned char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return c < 0x20 || c == 0x7f ? UTF8_REPLACEMENT : NULL;
	}
}

void html__text(struct sink *s, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	while (*p) {
		size_t n = utf8__length(p);

		if (!n)
			html__raw(s, UTF8_REPLACEMENT);
		else if (entity(*p))
			html__raw(s, entity(*p));
		else
			sink__write(s, p, n);
		p += n ? n : 1;
	}
}
