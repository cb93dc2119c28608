/* SPDX-License-Identifier: GPL-2.0 */
/* timelines - the profiles of a capture that was read: which kind, of what part. */
#ifndef PERFCONV_PIPELINE_TIMELINES_H
#define PERFCONV_PIPELINE_TIMELINES_H

#include <stddef.h>
#include <stdint.h>

#include "perfconv/pipeline/capture.h"

/**
 * timelines__make - c->profile of the first of @events, c->others of the rest
 *
 * @n: how many events, at least one.  The capture's passes must be done and its
 * resolver made.  The options say view, part, filter and size.
 *
 * Return: 0; -ERANGE: the part begins where the capture has ended.
 */
int timelines__make(struct capture *c, const uint32_t *events, size_t n, struct errbuf *err);

#endif
