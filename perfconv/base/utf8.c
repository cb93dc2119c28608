// SPDX-License-Identifier: GPL-2.0
#include "perfconv/base/utf8.h"

#include <string.h>

#include "perfconv/base/mem.h"

size_t utf8__length(const unsigned char *s)
{
	size_t n = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

	if (s[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

char *utf8__clean(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	char *out = mem__alloc(strlen(text) + 1, strlen(UTF8_REPLACEMENT)), *end = out;

	while (*s) {
		size_t n = utf8__length(s);

		if (n)
			end = mempcpy(end, s, n);
		else
			end = stpcpy(end, UTF8_REPLACEMENT);
		s += n ? n : 1;
	}
	*end = '\0';
	return out;
}
