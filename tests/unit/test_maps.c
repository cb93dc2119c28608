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
	struct maps_position at = { 0 };
	const struct map *map = NULL;

	assert_true(i < m->n);
	for (size_t k = 0; k <= i; k++)
		map = maps__after(m, &at);
	assert_non_null(map);
	assert_int_equal(map->start, start);
	assert_int_equal(map->end, end);
	assert_int_equal(map->dso, dso);
	assert_int_equal(map->offset, start + 0x1000 * dso);
	assert_int_equal(map->executable, dso % 2);
}

/* None overlap, and as many are there as are counted. */
static void are_in_order(const struct maps *m)
{
	struct maps_position at = maps__end(m), up = { 0 };
	uint64_t start = UINT64_MAX;
	const struct map *map;
	size_t n = 0, after = 0;

	for (; (map = maps__before(m, &at)); n++) {
		assert_true(map->start < map->end && map->end <= start);
		start = map->start;
	}
	while (maps__after(m, &up))
		after++;
	assert_int_equal(n, m->n);
	assert_int_equal(after, m->n);
}

static void mappings_are_sorted(void **state)
{
	struct maps m = { 0 };

	(void)state;
	insert(&m, 300, 400, 3);
	insert(&m, 100, 200, 1);
	insert(&m, 200, 300, 2);
	assert_int_equal(m.n, 3);
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
	assert_int_equal(m.n, 2);
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
	assert_int_equal(m.n, 2);
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
	assert_int_equal(m.n, 3);
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
	assert_int_equal(m.n, 3);
	is(&m, 0, 100, 150, 1);
	is(&m, 1, 150, 650, 5);
	is(&m, 2, 650, 700, 4);
	insert(&m, 0, 1000, 7);
	assert_int_equal(m.n, 1);
	is(&m, 0, 0, 1000, 7);
	maps__release(&m);
}

static void an_equal_one_replaces(void **state)
{
	struct maps m = { 0 };

	(void)state;
	insert(&m, 100, 200, 1);
	insert(&m, 100, 200, 2);
	assert_int_equal(m.n, 1);
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
	assert_int_equal(m.n, 1);
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
	assert_int_equal(to.n, 1);
	insert(&from, 100, 200, 3);
	is(&to, 0, 100, 200, 1);
	is(&from, 0, 100, 200, 3);
	maps__release(&from);
	maps__copy(&to, &from); /* of nothing */
	assert_int_equal(to.n, 0);
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
	assert_int_equal(m.n, 0);
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
		are_in_order(&m);
	}
	maps__release(&m);
}

/* An odd factor visits every slot once, in an order that looks like none. */
static uint64_t slot(uint64_t i, uint64_t slots)
{
	return i * 0x9e3779b97f4a7c15ull % slots;
}

/* As a just-in-time compiler's functions come; moved by each: a leaf's, not all there are. */
static void a_million_in_any_order_move_little(void **state)
{
	const uint64_t n = 1 << 20;
	struct maps m = { 0 }, copy = { 0 };

	(void)state;
	for (uint64_t i = 0; i < n; i++) {
		uint64_t at = 100 * slot(i, n);

		insert(&m, at, at + 100, (uint32_t)slot(i, n));
	}
	assert_int_equal(m.n, n);
	assert_true(m.moved < 300 * n);
	are_in_order(&m);
	for (uint64_t i = 0; i < n; i += 997)
		assert_int_equal(maps__find(&m, 100 * i + 50)->dso, i);
	maps__copy(&copy, &m);
	insert(&copy, 0, 100 * n, 1); /* covers all */
	assert_int_equal(copy.n, 1);
	assert_int_equal(maps__find(&m, 100 * (n - 1))->dso, n - 1);
	maps__release(&copy);
	maps__release(&m);
}

/* The model again, where mappings reach over many leaves. */
static void leaves_agree_with_an_address_by_address_model(void **state)
{
	static uint32_t owner[1 << 14];
	const uint64_t addresses = 1 << 14;
	struct maps m = { 0 };
	uint32_t dso = 0;

	(void)state;
	memset(owner, 0, sizeof(owner));
	for (int round = 0; round < 6; round++) {
		uint64_t wide = 3000;

		for (uint64_t i = 0; i < addresses / 2; i++) {
			uint64_t start = slot(i, addresses), end = start + 1 + i % 3;

			if (i % 2048 == 2047) { /* and one that clears a part */
				end = start + wide;
				wide = wide / 2;
			}
			end = end > addresses ? addresses : end;
			insert(&m, start, end, ++dso);
			for (uint64_t a = start; a < end; a++)
				owner[a] = dso;
		}
		are_in_order(&m);
		for (uint64_t a = 0; a < addresses; a++) {
			const struct map *found = maps__find(&m, a);

			assert_int_equal(found ? found->dso : 0, owner[a]);
			if (found)
				assert_int_equal(found->offset + (a - found->start),
						 a + 0x1000 * (uint64_t)found->dso);
		}
	}
	assert_true(m.leaves.n > 10);
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
		cmocka_unit_test(a_million_in_any_order_move_little),
		cmocka_unit_test(leaves_agree_with_an_address_by_address_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
