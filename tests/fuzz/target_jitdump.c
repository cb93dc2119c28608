// SPDX-License-Identifier: GPL-2.0
/* A jitdump: every function it gives lies inside the file and has what it states. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "perfconv/sidefile/jitdump.h"
#include "tests/fuzz/target.h"

static volatile size_t sum; /* every kept byte is looked at */

static void check(const struct jitdump *d, size_t n)
{
	for (size_t i = 0; i < d->codes.n; i++) {
		const struct jitdump_code *c = &d->codes.data[i];

		if (!c->bytes || c->offset > n || c->bytes > n - c->offset ||
		    c->tables_bytes < c->header_bytes ||
		    jitdump__code(d, c->offset + c->bytes - 1) != c)
			abort();
		sum += strlen(d->text.data + c->name) + strlen(d->text.data + c->file);
		for (uint32_t k = 0; k < c->tables_bytes; k++)
			sum += d->tables.data[c->tables + k];
	}
	for (size_t i = 0; i < d->events.n; i++)
		if (d->events.data[i].code >= d->codes.n ||
		    (i && d->events.data[i].time_ns < d->events.data[i - 1].time_ns))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct jitdump *d;
	int fd = open(target__file(bytes, n), O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		abort();
	if (!jitdump__read(&d, fd, "input", NULL)) {
		check(d, n);
		jitdump__free(d);
	}
	close(fd);
	return 0;
}
