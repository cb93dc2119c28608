/* SPDX-License-Identifier: GPL-2.0 */
/* report_read - a report from a profile's metadata, or from a report's JSON. */
#ifndef PERFCONV_OUTPUT_REPORT_READ_H
#define PERFCONV_OUTPUT_REPORT_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "perfconv/analyze/report.h"
#include "perfconv/base/errbuf.h"

#define REPORT_READ_MAX_BYTES ((size_t)1 << 30) /* of the file */
#define REPORT_READ_MAX_JSON                                                                       \
	((size_t)16 << 20) /* of what is looked at; takes up to 40 times that */

/** report_read__is_json - whether the file at @path begins as a JSON object does. */
bool report_read__is_json(const char *path);

/**
 * report_read - @r is initialised, and to be released in any case
 *
 * The file may be anybody's: what has another form than agreed reads as absent.
 * Return: 0; -ENODATA if it is a profile without a report; -EINVAL, -EFBIG, another
 * -errno; with a message.
 */
int report_read(struct report *r, const char *path, struct errbuf *err);

#endif
