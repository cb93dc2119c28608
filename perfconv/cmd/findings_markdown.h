/* SPDX-License-Identifier: GPL-2.0 */
/* findings_markdown - a report with all of its tables, for a page or an issue. */
#ifndef PERFCONV_CMD_FINDINGS_MARKDOWN_H
#define PERFCONV_CMD_FINDINGS_MARKDOWN_H

#include "perfconv/analyze/report.h"
#include "perfconv/base/sink.h"

/** findings_markdown__write - all of it. */
void findings_markdown__write(struct sink *sink, const struct report *r);

#endif
