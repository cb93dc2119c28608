// SPDX-License-Identifier: GPL-2.0
#include "perfconv/base/idmap.h"
#include "tests/unit/support.h"

#define MANY 20000u

static void ids_count_up_in_order_of_first_use(void **state)
{
	struct idmap m = { 0 };

	(void)state;
	assert_int_equal(idmap__find(&m, 1, 2), IDMAP_NONE);
	assert_int_equal(idmap__intern(&m, 9, 9), 0);
	assert_int_equal(idmap__intern(&m, 1, 2), 1);
	assert_int_equal(idmap__intern(&m, 2, 1), 2);
	assert_int_equal(idmap__intern(&m, 9, 9), 0);
	assert_int_equal(idmap__find(&m, 2, 1), 2);
	assert_int_equal(idmap__find(&m, 2, 2), IDMAP_NONE);
	assert_int_equal(m.n, 3);
	assert_int_equal(m.keys[2].a, 2);
	assert_int_equal(m.keys[2].b, 1);
	idmap__release(&m);
	assert_int_equal(m.n, 0);
	assert_int_equal(idmap__intern(&m, 7, 7), 0); /* empty again, and usable */
	idmap__release(&m);
}

/* Keys that differ in few bits, and the extremes. */
static void many_keys_stay_apart(void **state)
{
	struct idmap m = { 0 };

	(void)state;
	for (uint64_t i = 0; i < MANY; i++)
		assert_int_equal(idmap__intern(&m, i << 32, i % 3), i);
	assert_int_equal(idmap__intern(&m, UINT64_MAX, UINT64_MAX), MANY);
	for (uint64_t i = 0; i < MANY; i++)
		assert_int_equal(idmap__find(&m, i << 32, i % 3), i);
	assert_int_equal(idmap__find(&m, MANY + 5, 0), IDMAP_NONE);
	idmap__release(&m);
}

static void strings_are_copied_and_interned(void **state)
{
	struct strtab t = { 0 };
	char text[] = "name";

	(void)state;
	assert_int_equal(strtab__intern(&t, text), 0);
	text[0] = 'g';
	assert_int_equal(strtab__intern(&t, text), 1);
	assert_int_equal(strtab__intern(&t, ""), 2);
	assert_int_equal(strtab__intern(&t, "name"), 0);
	assert_string_equal(strtab__get(&t, 0), "name");
	assert_string_equal(strtab__get(&t, 1), "game");
	assert_string_equal(strtab__get(&t, 2), "");
	strtab__release(&t);
}

static void many_strings_stay_apart(void **state)
{
	struct strtab t = { 0 };
	char text[32];

	(void)state;
	for (uint32_t i = 0; i < MANY; i++) {
		snprintf(text, sizeof(text), "symbol%u", i);
		assert_int_equal(strtab__intern(&t, text), i);
	}
	for (uint32_t i = 0; i < MANY; i++) {
		snprintf(text, sizeof(text), "symbol%u", i);
		assert_int_equal(strtab__intern(&t, text), i);
		assert_string_equal(strtab__get(&t, i), text);
	}
	strtab__release(&t);
}

/* A borrowed string must not move when the table grows. */
static void strings_do_not_move(void **state)
{
	struct strtab t = { 0 };
	const char *first = strtab__get(&t, strtab__intern(&t, "first"));
	char text[32];

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "%u", i);
		strtab__intern(&t, text);
	}
	assert_ptr_equal(first, strtab__get(&t, 0));
	strtab__release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_count_up_in_order_of_first_use),
		cmocka_unit_test(many_keys_stay_apart),
		cmocka_unit_test(strings_are_copied_and_interned),
		cmocka_unit_test(many_strings_stay_apart),
		cmocka_unit_test(strings_do_not_move),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
