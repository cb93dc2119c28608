// SPDX-License-Identifier: GPL-2.0
#include "perfconv/base/cursor.h"

#include <string.h>

bool cursor__string(struct cursor *c, size_t field, char *out, size_t size)
{
	const uint8_t *p = cursor__bytes(c, field);
	size_t len, keep;

	out[0] = '\0';
	if (!p)
		return false;
	len = strnlen((const char *)p, field);
	if (len == field) {
		c->failed = true;
		return false;
	}
	keep = len < size ? len : size - 1;
	memcpy(out, p, keep);
	out[keep] = '\0';
	return true;
}
