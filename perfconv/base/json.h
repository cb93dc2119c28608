/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A streaming JSON writer: commas and escapes are its business, nesting is the
 * caller's.  Strings may hold any bytes; what is not UTF-8 becomes U+FFFD.
 */
#ifndef PERFCONV_BASE_JSON_H
#define PERFCONV_BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "perfconv/base/sink.h"

struct json {
	struct sink *sink;
	bool comma; /* the next value or key needs one in front */
};

void json__init(struct json *j, struct sink *sink);
void json__object(struct json *j);
void json__object_end(struct json *j);
void json__array(struct json *j);
void json__array_end(struct json *j);
void json__key(struct json *j, const char *key);
void json__string(struct json *j, const char *value);
void json__u64(struct json *j, uint64_t value);
void json__double(struct json *j, double value); /* 15 digits; not finite: null */
void json__bool(struct json *j, bool value);
void json__null(struct json *j);
void json__i64(struct json *j, int64_t value);
void json__newline(struct json *j); /* for people who look into the file */

/* key and value in one */
void json__key_string(struct json *j, const char *key, const char *value);
void json__key_u64(struct json *j, const char *key, uint64_t value);
void json__key_double(struct json *j, const char *key, double value);

#endif
