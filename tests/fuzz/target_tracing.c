// SPDX-License-Identifier: GPL-2.0
/* Tracepoint formats, and a payload read by them: u16 payload size, payload, formats.
 * Texts are libtraceevent's, which takes its formats on trust; they are not fuzzed. */
#include <stdlib.h>
#include <string.h>

#include "perfconv/perfdata/tracing.h"
#include "tests/fuzz/target.h"

#define MAX_ID 512u

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct tracing *t;
	uint16_t raw_bytes;
	uint8_t *raw;
	uint64_t value;

	if (n < sizeof(raw_bytes))
		return 0;
	memcpy(&raw_bytes, bytes, sizeof(raw_bytes));
	bytes += sizeof(raw_bytes);
	n -= sizeof(raw_bytes);
	raw_bytes = (uint16_t)(raw_bytes < n ? raw_bytes : n);
	if (tracing__new(&t, bytes + raw_bytes, n - raw_bytes, NULL))
		return 0;
	raw = malloc(raw_bytes ? raw_bytes : 1); /* exactly as long: reads beyond are seen */
	if (raw)
		memcpy(raw, bytes, raw_bytes);
	for (uint64_t id = 0; raw && id < MAX_ID; id++) {
		if (!tracing__name(t, id))
			continue;
		tracing__number(t, id, raw, raw_bytes, "prev_pid", &value);
	}
	free(raw);
	tracing__free(t);
	return 0;
}
