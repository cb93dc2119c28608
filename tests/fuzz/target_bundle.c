// SPDX-License-Identifier: GPL-2.0
/*
 * A bundle.  The first byte says what the rest is: 0: the file itself; else the
 * archive, which is compressed here, for no fuzzer gets through a compressor.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "perfconv/base/mem.h"
#include "perfconv/bundle/bundle.h"
#include "tests/fuzz/target.h"

static const char *packed_file(const uint8_t *bytes, size_t n)
{
	size_t room = ZSTD_compressBound(n);
	uint8_t *packed = mem__alloc(room, 1);
	const char *path;

	room = ZSTD_compress(packed, room, bytes, n, 1);
	path = target__file(packed, room);
	free(packed);
	return path;
}

/* What is given is there, and lies in the folder. */
static void check(struct bundle *b)
{
	const struct manifest *m = bundle__manifest(b);
	const char *const *captures;
	size_t n;

	captures = bundle__captures(b, &n);
	if (!n)
		__builtin_trap();
	for (size_t i = 0; i < n; i++)
		if (strstr(captures[i], "/../") || access(captures[i], R_OK))
			__builtin_trap();
	for (size_t i = 0; i < m->answers.list.n; i++) {
		const struct answer *a = &m->answers.list.data[i];

		if (!a->code != !!a->path || (a->path && access(a->path, R_OK)))
			__builtin_trap();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct bundle *b;
	const char *path;

	if (!n)
		return 0;
	path = *bytes ? packed_file(bytes + 1, n - 1) : target__file(bytes + 1, n - 1);
	if (bundle__open(&b, path, NULL))
		return 0;
	check(b);
	bundle__free(b);
	return 0;
}
