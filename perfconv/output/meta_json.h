/* SPDX-License-Identifier: GPL-2.0 */
/*
 * meta_json - the objects named "perfconv" in files that are JSON: of the run and of
 * each thread.  docs/metadata.schema.json says what they hold.
 */
#ifndef PERFCONV_OUTPUT_META_JSON_H
#define PERFCONV_OUTPUT_META_JSON_H

#include "perfconv/base/json.h"
#include "perfconv/output/output.h"

/** meta_json__write - key "perfconv" with the run's object. */
void meta_json__write(struct json *j, const struct output_source *from);

/** meta_json__write_thread - key "perfconv" with the object of @t, a thread of @p. */
void meta_json__write_thread(struct json *j, const struct output_source *from,
			     const struct profile *p, const struct profile_thread *t);

#endif
