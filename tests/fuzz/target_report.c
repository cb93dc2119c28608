// SPDX-License-Identifier: GPL-2.0
/* A report, read back from what may be anybody's JSON. */
#include "perfconv/output/report_read.h"
#include "tests/fuzz/target.h"

static void check(const struct report *r)
{
	for (size_t i = 0; i < r->findings.n; i++)
		if (r->findings.data[i].thread != REPORT_NO_THREAD &&
		    r->findings.data[i].thread >= r->threads.n)
			__builtin_trap();
	for (size_t i = 0; i < r->tasks.n; i++)
		if (r->tasks.data[i].thread != REPORT_NO_THREAD &&
		    r->tasks.data[i].thread >= r->threads.n)
			__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	const char *path = target__file(bytes, n);
	struct report r;

	report__init(&r);
	(void)report_read__is_json(path);
	if (!report_read(&r, path, NULL))
		check(&r);
	report__release(&r);
	return 0;
}
