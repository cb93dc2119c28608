/* SPDX-License-Identifier: GPL-2.0 */
/*
 * report_json - a report as JSON: docs/report.schema.json.
 *
 *     { "schema": 1, ..., "findings": [...], "threads": [...], ... }
 *
 * In a profile's metadata the findings stand beside the rest: "findings" and "report".
 */
#ifndef PERFCONV_OUTPUT_REPORT_JSON_H
#define PERFCONV_OUTPUT_REPORT_JSON_H

#include "perfconv/analyze/report.h"
#include "perfconv/base/json.h"

/** report_json__write - all of it as one object. */
void report_json__write(struct json *j, const struct report *r);

/** report_json__embed - the keys "findings" and "report" of an object that is open. */
void report_json__embed(struct json *j, const struct report *r);

#endif
