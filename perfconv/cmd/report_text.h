/* SPDX-License-Identifier: GPL-2.0 */
/* report_text - what a person reads after a conversion: 80 columns, the answer first. */
#ifndef PERFCONV_CMD_REPORT_TEXT_H
#define PERFCONV_CMD_REPORT_TEXT_H

#include <stdint.h>

#include "perfconv/output/output.h"
#include "perfconv/pipeline/capture.h"

/** report_text__warnings - what is odd about the capture, each with what to do. */
void report_text__warnings(const struct capture *c, const char *path);

/** report_text__summary - quality, busiest threads, top functions. */
void report_text__summary(const struct capture *c);

/** report_text__file - where the profile is, and how to look at it. */
void report_text__file(const char *path, uint64_t bytes, const struct output_format *format);

#endif
