// SPDX-License-Identifier: GPL-2.0
/*
 * The input may be hostile: nesting is bounded by a number, not by the C stack,
 * and every byte is looked at behind a check for the end.
 */
#include "perfconv/base/json_reader.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LONGEST_NUMBER 64u

void json_reader__init(struct json_reader *r, const char *bytes, size_t n)
{
	memset(r, 0, sizeof(*r));
	r->begin = r->at = bytes;
	r->end = bytes + n;
}

void json_reader__release(struct json_reader *r)
{
	vec__release(&r->text);
}

void json_reader__stop(struct json_reader *r, const char *why)
{
	if (!r->trouble)
		r->trouble = why;
}

/* The next byte that is no white space, or '\0' at the end or after trouble. */
static char look(struct json_reader *r)
{
	while (r->at < r->end && memchr(" \t\r\n", *r->at, 4))
		r->at++;
	return r->at < r->end && !r->trouble ? *r->at : '\0';
}

/* Past the comma that is due before a value or key. */
static void pass_comma(struct json_reader *r)
{
	if (!r->comma)
		return;
	if (look(r) == ',')
		r->at++;
	else
		json_reader__stop(r, r->at < r->end ? "lacks a comma" : "ends too early");
	r->comma = false;
}

static enum json_kind kind_of(char c)
{
	switch (c) {
	case '{':
		return JSON_OBJECT;
	case '[':
		return JSON_ARRAY;
	case '"':
		return JSON_STRING;
	case 't':
	case 'f':
		return JSON_BOOL;
	case 'n':
		return JSON_NULL;
	default:
		return c == '-' || (c >= '0' && c <= '9') ? JSON_NUMBER : JSON_NOTHING;
	}
}

enum json_kind json_reader__peek(struct json_reader *r)
{
	pass_comma(r);
	return kind_of(look(r));
}

static bool enter(struct json_reader *r, enum json_kind kind, const char *why)
{
	if (json_reader__peek(r) != kind)
		json_reader__stop(r, why);
	else if (r->depth == JSON_READER_MAX_DEPTH)
		json_reader__stop(r, "is nested too deeply");
	if (r->trouble)
		return false;
	r->at++;
	r->depth++;
	return true;
}

bool json_reader__object(struct json_reader *r)
{
	return enter(r, JSON_OBJECT, "has no object where one is due");
}

bool json_reader__array(struct json_reader *r)
{
	return enter(r, JSON_ARRAY, "has no list where one is due");
}

/* Whether the object or array ends here; then goes out of it. */
static bool leave(struct json_reader *r, char bracket)
{
	if (r->trouble)
		return true;
	if (look(r) != bracket)
		return false;
	r->at++;
	r->depth--;
	r->comma = true;
	return true;
}

bool json_reader__more(struct json_reader *r)
{
	if (leave(r, ']'))
		return false;
	pass_comma(r);
	if (kind_of(look(r)) == JSON_NOTHING)
		json_reader__stop(r, "has a list without an end");
	return !r->trouble;
}

static void put_utf8(struct json_reader *r, uint32_t c)
{
	if (c < 0x80) {
		vec__push(&r->text, (char)c);
		return;
	}
	if (c < 0x800) {
		vec__push(&r->text, (char)(0xc0 | c >> 6));
	} else {
		if (c < 0x10000) {
			vec__push(&r->text, (char)(0xe0 | c >> 12));
		} else {
			vec__push(&r->text, (char)(0xf0 | c >> 18));
			vec__push(&r->text, (char)(0x80 | (c >> 12 & 0x3f)));
		}
		vec__push(&r->text, (char)(0x80 | (c >> 6 & 0x3f)));
	}
	vec__push(&r->text, (char)(0x80 | (c & 0x3f)));
}

/* Four hexadecimal digits. */
static uint32_t read_unit(struct json_reader *r)
{
	uint32_t value = 0;

	for (int i = 0; i < 4; i++) {
		char c = r->at < r->end ? *r->at : '\0';
		uint32_t digit = c >= '0' && c <= '9'	? (uint32_t)(c - '0')
				 : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
				 : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
							: 16;

		if (digit == 16) {
			json_reader__stop(r, "has a broken escape in a string");
			return 0;
		}
		value = value << 4 | digit;
		r->at++;
	}
	return value;
}

/* Behind \u: one unit or a surrogate pair; half a pair becomes U+FFFD. */
static void read_unicode(struct json_reader *r)
{
	uint32_t c = read_unit(r), low;

	if (c >= 0xd800 && c < 0xdc00 && r->end - r->at >= 2 && !memcmp(r->at, "\\u", 2)) {
		r->at += 2;
		low = read_unit(r);
		c = low >= 0xdc00 && low < 0xe000 ? 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00)
						  : 0xfffd;
	}
	put_utf8(r, c >= 0xd800 && c < 0xe000 ? 0xfffd : c);
}

static void read_escape(struct json_reader *r)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *found = r->at < r->end ? memchr(from, *r->at, sizeof(from) - 1) : NULL;

	if (r->at < r->end && *r->at == 'u') {
		r->at++;
		read_unicode(r);
	} else if (found) {
		vec__push(&r->text, to[found - from]);
		r->at++;
	} else {
		json_reader__stop(r, "has a broken escape in a string");
	}
}

static void read_text(struct json_reader *r)
{
	r->text.n = 0;
	r->at++;
	while (!r->trouble && r->at < r->end && *r->at != '"') {
		if (*r->at == '\\') {
			r->at++;
			read_escape(r);
		} else {
			vec__push(&r->text, *r->at++);
		}
	}
	if (r->at == r->end)
		json_reader__stop(r, "ends within a string");
	r->at += r->at < r->end;
	vec__push(&r->text, '\0');
}

const char *json_reader__string(struct json_reader *r)
{
	if (json_reader__peek(r) != JSON_STRING)
		json_reader__stop(r, "has no string where one is due");
	if (r->trouble)
		return "";
	read_text(r);
	r->comma = true;
	return r->text.data;
}

const char *json_reader__key(struct json_reader *r)
{
	if (leave(r, '}'))
		return NULL;
	pass_comma(r);
	if (look(r) != '"') {
		json_reader__stop(r, "has an object without an end");
		return NULL;
	}
	read_text(r);
	if (look(r) != ':') {
		json_reader__stop(r, "has a key without a value");
		return NULL;
	}
	r->at++;
	return r->text.data;
}

/* The characters of a number, into @out.  Return: false if it is none. */
static bool read_number(struct json_reader *r, char *out)
{
	size_t n = 0;

	if (json_reader__peek(r) != JSON_NUMBER)
		json_reader__stop(r, "has no number where one is due");
	while (!r->trouble && r->at < r->end && *r->at && strchr("+-.0123456789eE", *r->at)) {
		if (n == LONGEST_NUMBER - 1)
			json_reader__stop(r, "has a number that is too long");
		else
			out[n++] = *r->at++;
	}
	out[n] = '\0';
	r->comma = true;
	return !r->trouble;
}

uint64_t json_reader__u64(struct json_reader *r)
{
	char number[LONGEST_NUMBER];
	unsigned long long value;

	if (!read_number(r, number))
		return 0;
	errno = 0;
	value = strtoull(number, NULL, 10);
	if (errno || number[strspn(number, "0123456789")])
		json_reader__stop(r, "has no whole number where one is due");
	return r->trouble ? 0 : value;
}

uint32_t json_reader__u32(struct json_reader *r)
{
	uint64_t value = json_reader__u64(r);

	if (value > UINT32_MAX)
		json_reader__stop(r, "has a number that is too large");
	return r->trouble ? 0 : (uint32_t)value;
}

double json_reader__double(struct json_reader *r)
{
	char number[LONGEST_NUMBER], *end;
	double value;

	if (!read_number(r, number))
		return 0;
	value = strtod(number, &end);
	if (*end || !isfinite(value))
		json_reader__stop(r, "has a broken number");
	return r->trouble ? 0 : value;
}

static void skip_word(struct json_reader *r)
{
	static const char *const words[] = { "true", "false", "null" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		size_t n = strlen(words[i]);

		if ((size_t)(r->end - r->at) >= n && !memcmp(r->at, words[i], n)) {
			r->at += n;
			r->comma = true;
			return;
		}
	}
	json_reader__stop(r, "has a word that is no JSON");
}

/* One value without what is in it: true if it is a container, now entered. */
static bool skip_one(struct json_reader *r)
{
	char number[LONGEST_NUMBER];

	switch (json_reader__peek(r)) {
	case JSON_OBJECT:
		return json_reader__object(r);
	case JSON_ARRAY:
		return json_reader__array(r);
	case JSON_STRING:
		json_reader__string(r);
		return false;
	case JSON_NUMBER:
		read_number(r, number);
		return false;
	case JSON_BOOL:
	case JSON_NULL:
		skip_word(r);
		return false;
	case JSON_NOTHING:
	default:
		json_reader__stop(r, "lacks a value");
		return false;
	}
}

void json_reader__skip(struct json_reader *r)
{
	bool is_object[JSON_READER_MAX_DEPTH];
	unsigned int n = 0;

	do {
		bool object = json_reader__peek(r) == JSON_OBJECT;

		if (skip_one(r))
			is_object[n++] = object;
		while (n &&
		       !(is_object[n - 1] ? json_reader__key(r) != NULL : json_reader__more(r)))
			n--;
	} while (n && !r->trouble);
}

int json_reader__end(struct json_reader *r, struct errbuf *err)
{
	size_t line = 1;

	if (!r->trouble && (look(r) || r->at < r->end || r->depth))
		json_reader__stop(r, "has more than one value");
	if (!r->trouble)
		return 0;
	for (const char *p = r->begin; p < r->at; p++)
		line += *p == '\n';
	return errbuf__set(err, -EINVAL, "%s (line %zu)", r->trouble, line);
}
