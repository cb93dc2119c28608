/* SPDX-License-Identifier: GPL-2.0 */
/* diff_text - what changed, for a person: 80 columns, or Markdown for a merge request. */
#ifndef PERFCONV_CMD_DIFF_TEXT_H
#define PERFCONV_CMD_DIFF_TEXT_H

#include <stdbool.h>

#include "perfconv/base/sink.h"
#include "perfconv/output/diff.h"

/** diff_text__write - the answer first, then changes, threads, and what limits both. */
void diff_text__write(struct sink *out, const struct diff *d, bool markdown);

/** diff_text__answer - one line; free() it. */
char *diff_text__answer(const struct diff *d);

#endif
