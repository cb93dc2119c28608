/* SPDX-License-Identifier: GPL-2.0 */
/* times_json - where a thread's time went, as metadata: docs/metadata.schema.json, "times". */
#ifndef PERFCONV_OUTPUT_TIMES_JSON_H
#define PERFCONV_OUTPUT_TIMES_JSON_H

#include "perfconv/base/json.h"
#include "perfconv/profile/profile.h"

/** times_json__write - key "times" with its object, of a profile that is exact. */
void times_json__write(struct json *j, const struct profile_thread *t);

#endif
