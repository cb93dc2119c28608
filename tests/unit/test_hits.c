// SPDX-License-Identifier: GPL-2.0
/* Samples per stack and thread. */
#include "perfconv/profile/hits.h"
#include "tests/unit/support.h"

static uint64_t samples(const struct hits *h, uint32_t thread, uint32_t stack)
{
	uint32_t at = hits__of(h, thread, stack);

	return at == IDMAP_NONE ? 0 : h->samples.data[at];
}

static void stacks_of_threads_are_counted_apart(void **state)
{
	struct hits h = { 0 };

	(void)state;
	assert_int_equal(samples(&h, 1, 1), 0);
	hits__add(&h, 1, 5);
	hits__add(&h, 2, 5);
	hits__add(&h, 1, 5);
	hits__add(&h, 1, UINT32_MAX);
	assert_int_equal(samples(&h, 1, 5), 2);
	assert_int_equal(samples(&h, 2, 5), 1);
	assert_int_equal(samples(&h, 1, UINT32_MAX), 1);
	assert_int_equal(samples(&h, 5, 1), 0);
	hits__release(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stacks_of_threads_are_counted_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
