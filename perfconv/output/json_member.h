/* SPDX-License-Identifier: GPL-2.0 */
/* json_member - one object inside a JSON file, found without reading the rest into a tree. */
#ifndef PERFCONV_OUTPUT_JSON_MEMBER_H
#define PERFCONV_OUTPUT_JSON_MEMBER_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of a file that are one JSON value; borrowed. */
struct json_span {
	const char *at;
	size_t n;
};

/**
 * json_member__find - the value of @key in the outermost object of @file
 * Return: true with *@out set if it is an object; what stands behind it is not looked at.
 */
bool json_member__find(struct json_span file, const char *key, struct json_span *out);

#endif
