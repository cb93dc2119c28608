// SPDX-License-Identifier: GPL-2.0
/*
 * A side file.  Checksums are made right first, for a fuzzer cannot guess them:
 * all but one record in eight, by their position, so that wrong ones are met too.
 */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "perfconv/sidefile/sidefile.h"
#include "pyframes/src/pyframes_format.h"
#include "tests/fuzz/target.h"

static void correct_checksums(uint8_t *bytes, size_t n)
{
	size_t at = PYFRAMES_HEADER_BYTES;

	while (at < n && n - at >= sizeof(struct pyframes_record)) {
		struct pyframes_record r;
		uint32_t crc;

		memcpy(&r, bytes + at, sizeof(r));
		if (r.size < sizeof(r) || r.size > n - at)
			return;
		memset(bytes + at + offsetof(struct pyframes_record, crc), 0, sizeof(crc));
		crc = (uint32_t)crc32(0, bytes + at, r.size);
		if (at / 8 % 8 != 7)
			memcpy(bytes + at + offsetof(struct pyframes_record, crc), &crc,
			       sizeof(crc));
		at += r.size;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	uint8_t *copy = malloc(n + 1);
	struct sidefile *s;

	if (!copy)
		return 0;
	memcpy(copy, bytes, n);
	correct_checksums(copy, n);
	if (!sidefile__open(&s, target__file(copy, n), NULL)) {
		for (uint32_t slot = 0; slot < 4; slot++)
			sidefile__code(s, 1, slot);
		sidefile__arena(s, 1);
		sidefile__thread_name(s, s->pid);
		for (size_t i = 0; i < s->stacks.n; i++) {
			const struct sidefile_stack *stack = &s->stacks.data[i];

			stack = sidefile__stack_within(s, stack->tid, stack->time_ns, UINT64_MAX);
			for (uint32_t k = 0; k < stack->frames; k++)
				sidefile__code_by_id(s, s->frames.data[stack->first + k].code);
		}
		sidefile__free(s);
	}
	free(copy);
	return 0;
}
