/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A pull reader of JSON: the caller asks for what it expects next and no tree is
 * built, so that a large file takes no more memory than what is kept of it.
 *
 *     json_reader__object(r);
 *     while ((key = json_reader__key(r)))
 *             if (!strcmp(key, "name")) name = json_reader__string(r);
 *             else                      json_reader__skip(r);
 *
 * The first thing that is no JSON, or not of the type asked for, stops the reader:
 * every later call yields nothing.  Ask once, at the end, with json_reader__end().
 */
#ifndef PERFCONV_BASE_JSON_READER_H
#define PERFCONV_BASE_JSON_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perfconv/base/errbuf.h"
#include "perfconv/base/mem.h"

#define JSON_READER_MAX_DEPTH 64u

enum json_kind {
	JSON_NOTHING, /* no JSON, or the end of the input */
	JSON_OBJECT,
	JSON_ARRAY,
	JSON_STRING,
	JSON_NUMBER,
	JSON_BOOL,
	JSON_NULL,
};

struct json_reader {
	const char *begin, *at, *end; /* of the input, borrowed */
	unsigned int depth;
	bool comma;	     /* before the next value or key one is due */
	const char *trouble; /* what stopped the reader, or NULL */
	VEC(char) text;	     /* the latest string or key */
};

/** json_reader__init - over @n bytes, which need no zero byte behind them. */
void json_reader__init(struct json_reader *r, const char *bytes, size_t n);
void json_reader__release(struct json_reader *r);

/** json_reader__peek - of what kind the next value is; reads nothing. */
enum json_kind json_reader__peek(struct json_reader *r);

/** json_reader__object, json_reader__array - go into it.  Return: false if it is none. */
bool json_reader__object(struct json_reader *r);
bool json_reader__array(struct json_reader *r);

/** json_reader__key - the next key, valid until the next string; NULL: the object has ended. */
const char *json_reader__key(struct json_reader *r);

/** json_reader__more - whether the array has another element; false: it has ended. */
bool json_reader__more(struct json_reader *r);

/** json_reader__string - valid until the next string or key, never NULL; "" if it is none.
 *  A zero character ends it. */
const char *json_reader__string(struct json_reader *r);

/** json_reader__u64 - a whole number; 0 if it is none; one with a fraction or an exponent, or
 *  below zero or too large, is trouble. */
uint64_t json_reader__u64(struct json_reader *r);

/** json_reader__u32 - the same, up to UINT32_MAX. */
uint32_t json_reader__u32(struct json_reader *r);

/** json_reader__double - any number. */
double json_reader__double(struct json_reader *r);

/** json_reader__skip - the next value, whatever it is. */
void json_reader__skip(struct json_reader *r);

/** json_reader__stop - the caller has found something wrong: @why, static storage. */
void json_reader__stop(struct json_reader *r, const char *why);

/**
 * json_reader__end - whether all was well and nothing but white space follows
 * Return: 0, or -EINVAL with "what in line N", for the caller to put a path before.
 */
int json_reader__end(struct json_reader *r, struct errbuf *err);

#endif
