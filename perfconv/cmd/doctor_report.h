/* SPDX-License-Identifier: GPL-2.0 */
/* doctor_report - what the doctor found, for people and for programs. */
#ifndef PERFCONV_CMD_DOCTOR_REPORT_H
#define PERFCONV_CMD_DOCTOR_REPORT_H

#include <stdbool.h>

#include "perfconv/base/sink.h"
#include "perfconv/doctor/doctor.h"

/** doctor_report__text - 80 columns, a line or more for each finding. */
void doctor_report__text(struct sink *out, const struct doctor *d, bool colour);

/** doctor_report__json - as docs/doctor.schema.json says. */
void doctor_report__json(struct sink *out, const struct doctor *d);

/** doctor_report__quote - @word as a shell takes it; free() it. */
char *doctor_report__quote(const char *word);

#endif
