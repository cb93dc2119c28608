/* SPDX-License-Identifier: GPL-2.0 */
/* info_report - what `perfconv info` says, for people and for programs. */
#ifndef PERFCONV_CMD_INFO_REPORT_H
#define PERFCONV_CMD_INFO_REPORT_H

#include <stdint.h>

#include "perfconv/base/sink.h"
#include "perfconv/pipeline/capture.h"

/** info_report__samples - of one event, doubled ones included. */
uint64_t info_report__samples(const struct capture *c, size_t event);

/** info_report__event_loss - what the kernel could not record of an event. */
struct capture_loss info_report__event_loss(const struct capture *c, size_t event);

/** info_report__mode - samples by where the CPU was, @mode from 0 on; key and text are
 *  NULL behind the last. */
struct info_mode {
	const char *key, *text;
	uint64_t samples;
};
struct info_mode info_report__mode(const struct capture *c, unsigned int mode);

/** info_report__thread_name - pyframes' name, else the kernel's, else "". */
const char *info_report__thread_name(const struct capture *c, uint32_t thread);

/** info_report__loss - what the records of @thread say was lost. */
struct capture_loss info_report__loss(const struct capture *c, uint32_t thread);

/* How many stacks ended in which way. */
struct info_endings {
	uint64_t n[STACK_ENDINGS];
};

/** info_report__endings - of a thread's samples, doubled ones not. */
struct info_endings info_report__endings(const struct capture *c, uint32_t thread);

/** info_report__text - 80 columns for a person. */
void info_report__text(struct sink *out, const struct capture *c, const char *path);

/** info_report__json - one object; docs/info.md names its fields. */
void info_report__json(struct sink *out, const struct capture *c, const char *path);

#endif
