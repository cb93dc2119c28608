// SPDX-License-Identifier: GPL-2.0
/* A file of thread snapshots, as the recorder leaves it beside a capture. */
#include "perfconv/sidefile/threads_file.h"
#include "tests/fuzz/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct threads_file *f;

	if (threads_file__open(&f, target__file(bytes, n), NULL))
		return 0;
	for (size_t i = 0; i < f->entries.n; i++) {
		const struct threads_entry *e = threads_file__find(f, f->entries.data[i].tid);

		if (!e || e > &f->entries.data[i] || e->first + e->functions > f->functions.n)
			__builtin_trap();
	}
	threads_file__free(f);
	return 0;
}
