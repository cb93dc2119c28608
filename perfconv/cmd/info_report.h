/* SPDX-License-Identifier: GPL-2.0 */
/* info_report - what `perfconv info` says, for people and for programs. */
#ifndef PERFCONV_CMD_INFO_REPORT_H
#define PERFCONV_CMD_INFO_REPORT_H

#include <stdint.h>

#include "perfconv/base/sink.h"
#include "perfconv/pipeline/capture.h"

/* Counts that both forms show. */
struct info_quality {
	uint64_t stacks[STACK_ENDINGS]; /* samples of events with stack dumps, by ending */
	uint64_t unresolved_frames;	/* unique places that nobody names */
	uint64_t places;		/* all of them */
};

/** info_report__quality - count over the whole capture. */
struct info_quality info_report__quality(const struct capture *c);

/** info_report__text - 80 columns for a person. */
void info_report__text(struct sink *out, const struct capture *c, const char *path);

/** info_report__json - one object; docs/info.md names its fields. */
void info_report__json(struct sink *out, const struct capture *c, const char *path);

#endif
