/* SPDX-License-Identifier: GPL-2.0 */
/* findings_text - a report for a person: 80 columns, the findings first. */
#ifndef PERFCONV_CMD_FINDINGS_TEXT_H
#define PERFCONV_CMD_FINDINGS_TEXT_H

#include "perfconv/analyze/report.h"
#include "perfconv/base/sink.h"

/** findings_text__write - @path: what was reported, for the command to look at it. */
void findings_text__write(struct sink *sink, const struct report *r, const char *path);

/** findings_text__short - one line for each finding that is no mere information. */
void findings_text__short(struct sink *sink, const struct report *r);

#endif
