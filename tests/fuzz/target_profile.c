// SPDX-License-Identifier: GPL-2.0
/* A profile of ours, read back, and compared with itself. */
#include "perfconv/analyze/compare.h"
#include "perfconv/analyze/tally.h"
#include "perfconv/profile/profile_file.h"
#include "tests/fuzz/target.h"

#define LONGEST_NS 5000000000u

static void check_thread(const struct profile *p, const struct profile_thread *t)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < t->slices.n; i++) {
		const struct profile_slice *s = &t->slices.data[i];

		sum += s->weight;
		for (uint32_t k = s->stack; k != RESOLVE_NO_STACK;
		     k = resolved__parent(p->resolved, k))
			if (resolved__leaf(p->resolved, k) >= p->resolved->frames.n)
				__builtin_trap();
	}
	if (sum != t->end || t->weight > sum)
		__builtin_trap();
}

/* Of few blocks only: many take time, and show no more. */
static void compare(const struct profile *p)
{
	const struct compare_options options = { .threshold = 0.05, .least = 0.003 };
	struct tally t = { 0 };
	struct compare c;

	if (!p->duration || p->duration > LONGEST_NS)
		return;
	tally__add(&t, TALLY_BEFORE, p, 1000000);
	tally__add(&t, TALLY_AFTER, p, 0);
	tally__finish(&t);
	compare__init(&c, &t, &options);
	if (compare__changes(&c))
		__builtin_trap();
	compare__release(&c);
	tally__release(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	const char *path = target__file(bytes, n);
	struct profile_file *f;

	if (profile_file__open(&f, path, NULL))
		return 0;
	if (!profile_file__is_one(path))
		__builtin_trap();
	for (size_t i = 0; i < f->profile->threads.n; i++)
		check_thread(f->profile, &f->profile->threads.data[i]);
	compare(f->profile);
	profile_file__free(f);
	return 0;
}
