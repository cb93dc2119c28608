// SPDX-License-Identifier: GPL-2.0
#include "perfconv/base/errbuf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int errbuf__set(struct errbuf *err, int code, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return code;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return code;
}

void errbuf__prefix(struct errbuf *err, const char *fmt, ...)
{
	char whole[sizeof(err->text)];
	va_list ap;
	size_t used;
	int n;

	if (!err)
		return;
	va_start(ap, fmt);
	n = vsnprintf(whole, sizeof(whole), fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	used = (size_t)n < sizeof(whole) ? (size_t)n : sizeof(whole) - 1;
	snprintf(whole + used, sizeof(whole) - used, "%s", err->text);
	memcpy(err->text, whole, sizeof(whole));
}
