// SPDX-License-Identifier: GPL-2.0
/*
 * A perf map; what it shows is checked against the plain reading of its rule:
 * sorted, nothing overlaps, a piece lies inside its function.
 */
#include <stdlib.h>
#include <string.h>

#include "perfconv/sidefile/perfmap.h"
#include "tests/fuzz/target.h"

static void check(const struct perfmap *m)
{
	for (size_t i = 0; i < m->list.n; i++) {
		const struct perfmap_entry *e = &m->list.data[i];

		if (e->start >= e->end || e->start < e->first || e->end - e->first > e->bytes ||
		    !*e->name || (i && e->start < e[-1].end) || perfmap__find(m, e->start) != e ||
		    perfmap__find(m, e->end - 1) != e)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	char *text = malloc(n + 1);
	struct perfmap *m;

	if (!text)
		return 0;
	memcpy(text, bytes, n);
	text[n] = '\0';
	m = perfmap__new(text, n);
	check(m);
	perfmap__free(m);
	return 0;
}
