/* SPDX-License-Identifier: GPL-2.0 */
/* meta - what a profile says of the run it came from. */
#ifndef PERFCONV_OUTPUT_META_H
#define PERFCONV_OUTPUT_META_H

#include <stdbool.h>
#include <stdint.h>

#include "perfconv/analyze/report.h"
#include "perfconv/machine/dso.h"
#include "perfconv/perfdata/perfdata.h"
#include "perfconv/resolve/lines.h"
#include "perfconv/resolve/python.h"

#define META_SCHEMA 1u /* of the "perfconv" object; docs/metadata.schema.json */

struct meta_value {
	const char *key, *value;
};

/* All borrowed. */
struct meta {
	const char *title;    /* shown as the profile's name */
	const char *scenario; /* NULL: none */
	const struct meta_value *values;
	size_t values_n;
	const struct perfdata *data;
	uint32_t event;
	const char *frames_mode;
	uint32_t python_hex; /* 0: no pyframes in the capture */
	struct python_files side_files;
	const struct report *report; /* NULL: nothing was looked for */
	struct lines_counts lines;
	uint64_t files_missing, files_mismatched; /* objects that could not be named from files */
	const struct dsos *dsos;		  /* for their build-ids; NULL: not known */
};

#define META_PYTHON_CHARS 16u

/** meta__python - "3.11.2" into @version of META_PYTHON_CHARS bytes; false: no Python is known. */
bool meta__python(const struct meta *m, char *version);

#endif
