// SPDX-License-Identifier: GPL-2.0
/*
 * Line tables as each version of CPython compiles this function, and what its own
 * co_positions(), co_lines() and dis say of each instruction; 0: no line.
 *
 *      1  def f(x):
 *      2      y = x + 1
 *      4      for i in range(3):
 *      5          y += (i +
 *      6                g(i))
 *      7      try:
 *      8          h()
 *      9      except E as e:
 *     10          pass
 *     11      return y
 */
#include "perfconv/sidefile/linetable.h"

#include "tests/unit/support.h"

/* clang-format off */
static const uint8_t table_3_9[] = {
	0, 1, 8, 2, 12, 1, 4, 1, 6, 255, 8, 2, 2, 1, 10, 1, 14, 1, 22, 1,
};
static const uint8_t lines_3_9[] = {
	2, 2, 2, 2, 4, 4, 4, 4, 4, 4, 5, 5, 6, 6, 6, 5, 5, 5, 5, 7, 8, 8, 8, 8, 8, 9, 9, 9, 9,
	9, 9, 9, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 11, 11,
};

static const uint8_t table_3_10[] = {
	8, 1, 12, 2, 4, 1, 6, 1, 8, 255, 2, 2, 8, 1, 4, 3, 14, 254, 10, 1, 4, 1, 8, 128, 2,
	254,
};
static const uint8_t lines_3_10[] = {
	2, 2, 2, 2, 4, 4, 4, 4, 4, 4, 5, 5, 6, 6, 6, 5, 5, 5, 5, 7, 8, 8, 8, 8, 11, 11, 9, 9,
	9, 9, 9, 9, 9, 10, 10, 10, 10, 10, 11, 11, 0, 0, 0, 0, 9,
};

static const uint8_t table_3_11[] = {
	128, 0, 216, 8, 9, 136, 65, 137, 5, 128, 65, 229, 13, 18, 144, 49, 137, 88, 140, 88,
	240, 0, 2, 5, 20, 240, 0, 2, 5, 20, 136, 1, 216, 8, 9, 136, 97, 221, 14, 15, 144, 1,
	137, 100, 140, 100, 241, 3, 1, 15, 19, 241, 0, 1, 9, 20, 136, 1, 136, 1, 240, 4, 3, 5,
	13, 221, 8, 9, 137, 3, 140, 3, 136, 3, 136, 3, 248, 221, 11, 12, 240, 0, 1, 5, 13, 240,
	0, 1, 5, 13, 240, 0, 1, 5, 13, 216, 8, 12, 136, 4, 136, 4, 136, 4, 136, 4, 248, 248,
	248, 248, 240, 3, 1, 5, 13, 248, 248, 248, 224, 11, 12, 128, 72,
};
static const uint8_t lines_3_11[] = {
	1, 2, 2, 2, 2, 2, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 5, 5, 6, 6, 6, 6,
	6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 5, 5, 5, 5, 5, 5, 7, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8,
	8, 8, 8, 0, 9, 9, 9, 9, 9, 9, 9, 9, 9, 10, 10, 10, 10, 10, 0, 0, 0, 0, 9, 0, 0, 0, 11,
	11,
};

static const uint8_t table_3_12[] = {
	128, 0, 216, 8, 9, 136, 65, 137, 5, 128, 65, 228, 13, 18, 144, 49, 139, 88, 242, 0, 2,
	5, 20, 136, 1, 216, 8, 9, 136, 97, 220, 14, 15, 144, 1, 139, 100, 241, 3, 1, 15, 19,
	241, 0, 1, 9, 20, 137, 1, 240, 3, 2, 5, 20, 240, 6, 3, 5, 13, 220, 8, 9, 140, 3, 240,
	6, 0, 12, 13, 128, 72, 248, 244, 5, 0, 12, 13, 242, 0, 1, 5, 13, 219, 8, 12, 216, 11,
	12, 128, 72, 251, 240, 5, 1, 5, 13, 250,
};
static const uint8_t lines_3_12[] = {
	1, 2, 2, 2, 2, 2, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 5, 5, 6, 6, 6, 6, 6, 6, 6,
	6, 6, 6, 5, 5, 5, 5, 5, 5, 4, 7, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 11, 11, 0, 9, 9, 9, 9,
	9, 9, 9, 9, 10, 10, 10, 10, 11, 11, 0, 0, 0, 0, 9, 0, 0, 0,
};

static const uint8_t table_3_13[] = {
	128, 0, 216, 8, 9, 136, 65, 137, 5, 128, 65, 228, 13, 18, 144, 49, 142, 88, 136, 1,
	216, 8, 9, 220, 14, 15, 144, 1, 139, 100, 241, 3, 1, 15, 19, 241, 0, 1, 9, 20, 138, 1,
	241, 3, 0, 14, 22, 240, 6, 3, 5, 13, 220, 8, 9, 140, 3, 240, 6, 0, 12, 13, 128, 72,
	248, 244, 5, 0, 12, 13, 243, 0, 1, 5, 13, 219, 8, 12, 216, 11, 12, 128, 72, 251, 240,
	5, 1, 5, 13, 250,
};
static const uint8_t lines_3_13[] = {
	1, 2, 2, 2, 2, 2, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 5, 6, 6, 6, 6, 6, 6, 6, 6,
	6, 6, 5, 5, 5, 5, 5, 5, 5, 4, 4, 7, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 11, 11, 0, 9, 9, 9,
	9, 9, 9, 9, 9, 9, 10, 10, 10, 10, 11, 11, 0, 0, 0, 0, 9, 0, 0, 0,
};

/* clang-format on */

#define UNITS(a) (sizeof(a) / sizeof(*(a)))

static struct sidefile_code code_of(const uint8_t *table, size_t bytes, size_t units)
{
	return (struct sidefile_code){
		.first_line = 1,
		.line_table = table,
		.line_table_bytes = (uint32_t)bytes,
		.bytecode_bytes = (uint32_t)(2 * units),
	};
}

static void check(uint32_t hex, const uint8_t *table, size_t bytes, const uint8_t *lines,
		  size_t units)
{
	struct sidefile_code code = code_of(table, bytes, units);

	for (size_t i = 0; i < units; i++)
		if (linetable__line(&code, hex, (uint32_t)(2 * i)) != lines[i])
			fail_msg("%x: offset %zu is on line %u, not %u", hex, 2 * i, lines[i],
				 linetable__line(&code, hex, (uint32_t)(2 * i)));
	assert_int_equal(linetable__line(&code, hex, (uint32_t)(2 * units)), 0);
}

#define CHECK(hex, n) check(hex, table_##n, sizeof(table_##n), lines_##n, UNITS(lines_##n))

static void each_version_is_read(void **state)
{
	(void)state;
	CHECK(0x030912f0, 3_9);
	CHECK(0x030a0df0, 3_10);
	CHECK(0x030b07f0, 3_11);
	CHECK(0x030c01f0, 3_12);
	CHECK(0x030d00f0, 3_13);
}

static void other_versions_have_no_lines(void **state)
{
	struct sidefile_code code = code_of(table_3_13, sizeof(table_3_13), UNITS(lines_3_13));

	(void)state;
	assert_int_equal(linetable__line(&code, 0x030800f0, 2), 0);
	assert_int_equal(linetable__line(&code, 0x030e00f0, 2), 0);
	assert_int_equal(linetable__line(&code, 0x040b00f0, 2), 0);
	code.line_table = NULL;
	assert_int_equal(linetable__line(&code, 0x030d00f0, 2), 0);
}

/* Anything may stand there; it must end, and stay within the table. */
static void damaged_tables_are_survived(void **state)
{
	static const uint32_t versions[] = { 0x030912f0, 0x030a0df0, 0x030b07f0 };
	uint8_t bytes[64];
	uint32_t seed = 1;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		struct sidefile_code code = code_of(bytes, (size_t)round % sizeof(bytes), 500);

		for (size_t i = 0; i < sizeof(bytes); i++) {
			seed = seed * 1664525 + 1013904223;
			bytes[i] = (uint8_t)(seed >> 24);
		}
		for (uint32_t offset = 0; offset < 1000; offset += 50)
			assert_true(linetable__line(&code, versions[round % 3], offset) <=
				    LINETABLE_MAX_LINE);
	}
}

static void lines_that_cannot_be_are_none(void **state)
{
	/* no column, -2000 lines; then no column, +4000 */
	static const uint8_t table[] = { 0xe8, 0x61, 0x3e, 0xe8, 0x40, 0x7d, 0x01 };
	struct sidefile_code code = code_of(table, sizeof(table), 2);

	(void)state;
	code.first_line = 1000;
	assert_int_equal(linetable__line(&code, 0x030b07f0, 0), 0);
	assert_int_equal(linetable__line(&code, 0x030b07f0, 2), 1000 - 2000 + 4000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_version_is_read),
		cmocka_unit_test(other_versions_have_no_lines),
		cmocka_unit_test(damaged_tables_are_survived),
		cmocka_unit_test(lines_that_cannot_be_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
