// SPDX-License-Identifier: GPL-2.0
#include "perfconv/machine/maps.h"
#include "tests/unit/support.h"

/* A mapping whose file offset is its address plus @shift: cutting must keep that. */
static void insert(struct maps *m, uint64_t start, uint64_t end, uint32_t dso)
{
	struct map map = { start, end, start + 0x1000 * dso, dso, dso % 2 };

	maps__insert(m, &map);
}

static void is(const struct maps *m, size_t i, uint64_t start, uint64_t end, uint32_t dso)
{
	const struct map *map = &m->list.data[i];

	assert_true(i < m->list.n);
	assert_int_equal(map->start, start);
	assert_int_equal(map->end, end);
	assert_int_equal(map->dso, dso);
	assert_int_equal(map->offset, start + 0x1000 * dso);
	assert_int_equal(map->executable, dso % 2);
}

static void mappings_are_sorted(void **state)
{
	struct maps m = { 0 };

	(void)state;
	insert(&m, 300, 400, 3);
	insert(&m, 100, 200, 1);
	insert(&m, 200, 300, 2);
	assert_int_equal(m.list.n, 3);
	is(&m, 0, 100, 200, 1);
	is(&m, 1, 200, 300, 2);
	is(&m, 2, 300, 400, 3);
	maps__release(&m);
}

static void a_new_one_cuts_the_front(void **state)
{
	struct maps m = { 0 };

	(void)state;
	insert(&m, 100, 200, 1);
	insert(&m, 50, 150, 2);
	assert_int_equal(m.list.n, 2);
	is(&m, 0, 50, 150, 2);
	is(&m, 1, 150, 200, 1);
	maps__release(&m);
}

static void a_new_one_cuts_the_back(void **state)
{
	struct maps m = { 0 };

	(void)state;
	insert(&m, 100, 200, 1);
	insert(&m, 150, 250, 2);
	assert_int_equal(m.list.n, 2);
	is(&m, 0, 100, 150, 1);
	is(&m, 1, 150, 250, 2);
	maps__release(&m);
}

static void a_new_one_cuts_a_hole(void **state)
{
	struct maps m = { 0 };

	(void)state;
	insert(&m, 100, 200, 1);
	insert(&m, 120, 180, 2);
	assert_int_equal(m.list.n, 3);
	is(&m, 0, 100, 120, 1);
	is(&m, 1, 120, 180, 2);
	is(&m, 2, 180, 200, 1);
	maps__release(&m);
}

static void a_new_one_covers_several(void **state)
{
	struct maps m = { 0 };

	(void)state;
	insert(&m, 100, 200, 1);
	insert(&m, 200, 300, 2);
	insert(&m, 400, 500, 3);
	insert(&m, 600, 700, 4);
	insert(&m, 150, 650, 5);
	assert_int_equal(m.list.n, 3);
	is(&m, 0, 100, 150, 1);
	is(&m, 1, 150, 650, 5);
	is(&m, 2, 650, 700, 4);
	insert(&m, 0, 1000, 7);
	assert_int_equal(m.list.n, 1);
	is(&m, 0, 0, 1000, 7);
	maps__release(&m);
}

static void an_equal_one_replaces(void **state)
{
	struct maps m = { 0 };

	(void)state;
	insert(&m, 100, 200, 1);
	insert(&m, 100, 200, 2);
	assert_int_equal(m.list.n, 1);
	is(&m, 0, 100, 200, 2);
	maps__release(&m);
}

static void an_empty_one_changes_nothing(void **state)
{
	struct maps m = { 0 };
	uint32_t generation;

	(void)state;
	insert(&m, 100, 200, 1);
	generation = m.generation;
	insert(&m, 150, 150, 2);
	insert(&m, 180, 120, 3);
	assert_int_equal(m.list.n, 1);
	is(&m, 0, 100, 200, 1);
	assert_int_equal(m.generation, generation);
	maps__release(&m);
}

static void find_respects_the_bounds(void **state)
{
	struct maps m = { 0 };

	(void)state;
	assert_null(maps__find(&m, 0));
	insert(&m, 100, 200, 1);
	insert(&m, 200, 300, 2);
	insert(&m, UINT64_MAX - 10, UINT64_MAX, 3);
	assert_null(maps__find(&m, 99));
	assert_int_equal(maps__find(&m, 100)->dso, 1);
	assert_int_equal(maps__find(&m, 199)->dso, 1);
	assert_int_equal(maps__find(&m, 200)->dso, 2);
	assert_null(maps__find(&m, 300));
	assert_int_equal(maps__find(&m, UINT64_MAX - 1)->dso, 3);
	assert_null(maps__find(&m, UINT64_MAX));
	maps__release(&m);
}

static void copies_are_independent(void **state)
{
	struct maps from = { 0 }, to = { 0 };
	uint32_t generation;

	(void)state;
	insert(&from, 100, 200, 1);
	insert(&to, 500, 600, 2);
	generation = to.generation;
	maps__copy(&to, &from);
	assert_int_not_equal(to.generation, generation);
	assert_int_equal(to.list.n, 1);
	insert(&from, 100, 200, 3);
	is(&to, 0, 100, 200, 1);
	is(&from, 0, 100, 200, 3);
	maps__release(&from);
	maps__copy(&to, &from); /* of nothing */
	assert_int_equal(to.list.n, 0);
	maps__release(&to);
}

static void clear_forgets_and_says_so(void **state)
{
	struct maps m = { 0 };
	uint32_t generation;

	(void)state;
	insert(&m, 100, 200, 1);
	generation = m.generation;
	maps__clear(&m);
	assert_int_equal(m.list.n, 0);
	assert_int_not_equal(m.generation, generation);
	assert_null(maps__find(&m, 150));
	maps__release(&m);
}

/* Against an array that says for each address which mapping came last. */
static void agrees_with_an_address_by_address_model(void **state)
{
	uint32_t owner[256] = { 0 }, seed = 1;
	struct maps m = { 0 };

	(void)state;
	for (uint32_t round = 1; round < 2000; round++) {
		uint64_t start, end;

		seed = seed * 1103515245u + 12345u;
		start = seed >> 16 & 255;
		end = start + (seed >> 8 & 31);
		end = end > 256 ? 256 : end;
		insert(&m, start, end, round);
		for (uint64_t a = start; a < end; a++)
			owner[a] = round;
		for (uint64_t a = 0; a < 256; a++) {
			const struct map *found = maps__find(&m, a);

			assert_int_equal(found ? found->dso : 0, owner[a]);
			if (found)
				assert_int_equal(found->offset + (a - found->start),
						 a + 0x1000 * (uint64_t)found->dso);
		}
		for (size_t i = 1; i < m.list.n; i++)
			assert_true(m.list.data[i - 1].end <= m.list.data[i].start);
	}
	maps__release(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mappings_are_sorted),
		cmocka_unit_test(a_new_one_cuts_the_front),
		cmocka_unit_test(a_new_one_cuts_the_back),
		cmocka_unit_test(a_new_one_cuts_a_hole),
		cmocka_unit_test(a_new_one_covers_several),
		cmocka_unit_test(an_equal_one_replaces),
		cmocka_unit_test(an_empty_one_changes_nothing),
		cmocka_unit_test(find_respects_the_bounds),
		cmocka_unit_test(copies_are_independent),
		cmocka_unit_test(clear_forgets_and_says_so),
		cmocka_unit_test(agrees_with_an_address_by_address_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
