// SPDX-License-Identifier: GPL-2.0
#include "perfconv/base/json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "perfconv/base/utf8.h"

void json__init(struct json *j, struct sink *sink)
{
	j->sink = sink;
	j->comma = false;
}

static void raw(struct json *j, const char *text)
{
	sink__write(j->sink, text, strlen(text));
}

static void before_value(struct json *j)
{
	if (j->comma)
		raw(j, ",");
	j->comma = true;
}

static void open_with(struct json *j, const char *bracket)
{
	before_value(j);
	raw(j, bracket);
	j->comma = false;
}

static void close_with(struct json *j, const char *bracket)
{
	raw(j, bracket);
	j->comma = true;
}

void json__object(struct json *j)
{
	open_with(j, "{");
}

void json__object_end(struct json *j)
{
	close_with(j, "}");
}

void json__array(struct json *j)
{
	open_with(j, "[");
}

void json__array_end(struct json *j)
{
	close_with(j, "]");
}

void json__newline(struct json *j)
{
	raw(j, "\n");
}

static void quoted(struct json *j, const char *value)
{
	const unsigned char *s = (const unsigned char *)value;

	raw(j, "\"");
	while (*s) {
		size_t n = utf8__length(s);
		char escape[8];

		if (n == 0) {
			raw(j, UTF8_REPLACEMENT);
			s++;
		} else if (n == 1 && (*s < 0x20 || *s == 0x7f)) {
			snprintf(escape, sizeof(escape), "\\u%04x", *s);
			raw(j, escape);
			s++;
		} else if (*s == '"' || *s == '\\') {
			snprintf(escape, sizeof(escape), "\\%c", *s);
			raw(j, escape);
			s++;
		} else {
			sink__write(j->sink, s, n);
			s += n;
		}
	}
	raw(j, "\"");
}

void json__key(struct json *j, const char *key)
{
	before_value(j);
	quoted(j, key);
	raw(j, ":");
	j->comma = false;
}

void json__string(struct json *j, const char *value)
{
	before_value(j);
	quoted(j, value);
}

void json__u64(struct json *j, uint64_t value)
{
	char digits[24], *p = digits + sizeof(digits);

	before_value(j);
	do {
		*--p = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	sink__write(j->sink, p, (size_t)(digits + sizeof(digits) - p));
}

void json__i64(struct json *j, int64_t value)
{
	if (value < 0) {
		before_value(j);
		raw(j, "-");
		j->comma = false;
		json__u64(j, -(uint64_t)value);
	} else {
		json__u64(j, (uint64_t)value);
	}
}

void json__double(struct json *j, double value)
{
	char text[40];

	before_value(j);
	if (!isfinite(value)) {
		raw(j, "null");
		return;
	}
	snprintf(text, sizeof(text), "%.15g", value);
	raw(j, text);
}

void json__null(struct json *j)
{
	before_value(j);
	raw(j, "null");
}

void json__bool(struct json *j, bool value)
{
	before_value(j);
	raw(j, value ? "true" : "false");
}

void json__key_string(struct json *j, const char *key, const char *value)
{
	json__key(j, key);
	json__string(j, value);
}

void json__key_u64(struct json *j, const char *key, uint64_t value)
{
	json__key(j, key);
	json__u64(j, value);
}

void json__key_double(struct json *j, const char *key, double value)
{
	json__key(j, key);
	json__double(j, value);
}
