// SPDX-License-Identifier: GPL-2.0
#include "perfconv/base/cursor.h"
#include "tests/unit/support.h"

static const uint8_t numbers[14] = { 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07,
				     0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e };

static void reads_numbers_in_order(void **state)
{
	struct cursor c;

	(void)state;
	cursor__init(&c, numbers, sizeof(numbers), false);
	assert_int_equal(cursor__u16(&c), 0x0201);
	assert_int_equal(cursor__u32(&c), 0x06050403);
	assert_int_equal(cursor__u64(&c), 0x0e0d0c0b0a090807);
	assert_int_equal(cursor__left(&c), 0);
	assert_false(c.failed);
}

static void reads_the_other_byte_order(void **state)
{
	struct cursor c;

	(void)state;
	cursor__init(&c, numbers, sizeof(numbers), true);
	assert_int_equal(cursor__u16(&c), 0x0102);
	assert_int_equal(cursor__u32(&c), 0x03040506);
	assert_int_equal(cursor__u64(&c), 0x0708090a0b0c0d0e);
	assert_false(c.failed);
}

static void past_the_end_reads_zero_and_fails(void **state)
{
	(void)state;
	for (size_t n = 0; n < 8; n++) {
		struct cursor c;

		cursor__init(&c, numbers, n, false);
		assert_int_equal(cursor__u64(&c), 0);
		assert_true(c.failed);
		assert_int_equal(cursor__u16(&c), 0); /* what is left is not to be had later */
		assert_true(c.failed);
	}
}

static void bytes_are_borrowed_or_absent(void **state)
{
	struct cursor c;

	(void)state;
	cursor__init(&c, numbers, sizeof(numbers), false);
	assert_ptr_equal(cursor__bytes(&c, 4), numbers);
	assert_ptr_equal(cursor__bytes(&c, 10), numbers + 4);
	assert_non_null(cursor__bytes(&c, 0));
	assert_false(c.failed);
	assert_null(cursor__bytes(&c, 1));
	assert_true(c.failed);
	cursor__init(&c, numbers, sizeof(numbers), false);
	assert_null(cursor__bytes(&c, SIZE_MAX));
	assert_true(c.failed);
}

static void strings_end_inside_their_field(void **state)
{
	static const char field[8] = { 'a', 'b', 'c', '\0', 'x', 'y', 'z', '\0' };
	struct cursor c;
	char out[16];

	(void)state;
	cursor__init(&c, field, sizeof(field), false);
	assert_true(cursor__string(&c, 8, out, sizeof(out)));
	assert_string_equal(out, "abc");
	assert_int_equal(cursor__left(&c), 0);

	cursor__init(&c, field, sizeof(field), false);
	assert_false(cursor__string(&c, 3, out, sizeof(out)));
	assert_true(c.failed);

	cursor__init(&c, field, sizeof(field), false);
	assert_false(cursor__string(&c, 9, out, sizeof(out)));
	assert_true(c.failed);

	cursor__init(&c, field, sizeof(field), false);
	assert_false(cursor__string(&c, 0, out, sizeof(out)));
	assert_true(c.failed);
}

static void long_strings_are_cut_and_terminated(void **state)
{
	struct cursor c;
	char out[4] = { 'q', 'q', 'q', 'q' };

	(void)state;
	cursor__init(&c, "abcdef", 7, false);
	assert_true(cursor__string(&c, 7, out, sizeof(out)));
	assert_string_equal(out, "abc");
	assert_false(c.failed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_numbers_in_order),
		cmocka_unit_test(reads_the_other_byte_order),
		cmocka_unit_test(past_the_end_reads_zero_and_fails),
		cmocka_unit_test(bytes_are_borrowed_or_absent),
		cmocka_unit_test(strings_end_inside_their_field),
		cmocka_unit_test(long_strings_are_cut_and_terminated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
