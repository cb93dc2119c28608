/* SPDX-License-Identifier: GPL-2.0 */
/* list - what the page of all profiles shows of each, as JSON. */
#ifndef PERFCONV_VIEW_LIST_H
#define PERFCONV_VIEW_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "perfconv/base/sink.h"

#define LIST_THREADS 5u /* shown of each profile, the busiest */

/**
 * list__write - of @n speedscope files; what is not ours, or packed, has only its name
 * The files may come from anywhere.
 */
void list__write(struct sink *sink, const char *const *paths, size_t n);

/** list__is_packed - whether the file at @path is gzip'd. */
bool list__is_packed(const char *path);

#endif
