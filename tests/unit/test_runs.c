// SPDX-License-Identifier: GPL-2.0
/* Runs against a plain stable sort. */
#include "perfconv/perfdata/runs.h"

#include "tests/unit/support.h"

#define MANY 20000u

struct expected {
	uint64_t time, offset;
};

static int by_time(const void *a, const void *b)
{
	const struct expected *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* All at once in, all at once out. */
static void come_back_sorted(struct runs *r, const uint64_t *times, size_t n)
{
	struct expected *e = mem__alloc(n, sizeof(*e));

	for (size_t i = 0; i < n; i++) {
		e[i] = (struct expected){ times[i], i };
		runs__add(r, (struct runs_entry){ .time_ns = times[i], .offset = i });
	}
	qsort(e, n, sizeof(*e), by_time);
	for (size_t i = 0; i < n; i++) {
		struct runs_entry got = runs__pop(r);

		assert_int_equal(got.time_ns, e[i].time);
		assert_int_equal(got.offset, e[i].offset);
	}
	assert_null(runs__first(r));
	free(e);
}

/* Four CPUs whose buffers are written one after the other. */
static void buffers_of_cpus_are_as_many_runs(void **state)
{
	struct runs r = { 0 };
	uint64_t times[MANY];
	size_t n = 0;

	(void)state;
	for (uint64_t round = 0; n < MANY; round++)
		for (uint64_t cpu = 0; cpu < 4; cpu++)
			for (uint64_t i = 0; i < 50; i++)
				times[n++] = (round * 50 + i) * 8 + cpu * 2 + 1;
	come_back_sorted(&r, times, n);
	assert_int_equal(r.list.n, 4);
	runs__release(&r);
}

static void any_order_is_sorted(void **state)
{
	struct runs r = { 0 };
	uint64_t times[MANY], seed = 1;

	(void)state;
	for (size_t range = 1; range < 1u << 31; range *= 50) {
		for (size_t i = 0; i < MANY; i++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			times[i] = (seed >> 33) % range;
		}
		come_back_sorted(&r, times, MANY);
	}
	runs__release(&r);
}

static void more_runs_than_are_kept_are_sorted(void **state)
{
	struct runs r = { 0 };
	uint64_t times[MANY];

	(void)state;
	for (size_t i = 0; i < MANY; i++)
		times[i] = MANY - i;
	come_back_sorted(&r, times, MANY);
	assert_int_equal(r.list.n, RUNS_MAX);
	come_back_sorted(&r, times, MANY); /* when all runs are above */
	runs__release(&r);
}

/* What is taken out in between is the lowest that is there. */
static void taking_out_in_between_keeps_the_order(void **state)
{
	struct runs r = { 0 };
	uint64_t waiting[64] = { 0 }, seed = 7;
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		size_t lowest = 0;

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		if (n < 64 && (!n || seed >> 63)) {
			waiting[n] = i + (seed >> 40) % 100;
			runs__add(&r, (struct runs_entry){ .time_ns = waiting[n++] });
			continue;
		}
		for (size_t k = 1; k < n; k++)
			if (waiting[k] < waiting[lowest])
				lowest = k;
		assert_int_equal(runs__first(&r)->time_ns, waiting[lowest]);
		assert_int_equal(runs__pop(&r).time_ns, waiting[lowest]);
		waiting[lowest] = waiting[--n];
	}
	runs__release(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buffers_of_cpus_are_as_many_runs),
		cmocka_unit_test(any_order_is_sorted),
		cmocka_unit_test(more_runs_than_are_kept_are_sorted),
		cmocka_unit_test(taking_out_in_between_keeps_the_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
