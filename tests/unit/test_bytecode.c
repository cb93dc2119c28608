// SPDX-License-Identifier: GPL-2.0
#include "perfconv/resolve/bytecode.h"

#include "tests/unit/support.h"

#define PYTHON_3_9 0x030912f0u
#define PYTHON_3_11 0x030b07f0u
#define PYTHON_3_13 0x030d00f0u

/* No column: the line goes on by one, one instruction. */
#define NEXT_LINE 0xe8, 0x02

static struct bytecode make(struct sidefile_code *code, uint32_t hex, const uint8_t *bytes,
			    uint32_t n)
{
	static const uint8_t table[] = { NEXT_LINE, NEXT_LINE, NEXT_LINE, NEXT_LINE, NEXT_LINE,
					 NEXT_LINE, NEXT_LINE, NEXT_LINE, NEXT_LINE, NEXT_LINE };

	*code = (struct sidefile_code){ .first_line = 0,
					.bytecode = bytes,
					.bytecode_bytes = n,
					.line_table = table,
					.line_table_bytes = sizeof(table) };
	return (struct bytecode){ code, hex };
}

static void caches_belong_to_the_instruction_before(void **state)
{
	/* RESUME, CALL with three caches, POP_TOP */
	static const uint8_t bytes[] = { 151, 0, 171, 1, 0, 0, 0, 0, 0, 0, 1, 0 };
	struct sidefile_code code;
	struct bytecode b = make(&code, PYTHON_3_11, bytes, sizeof(bytes));
	uint32_t at = 99;

	(void)state;
	assert_int_equal(bytecode__before(b, 0, &at), BYTECODE_NONE);
	assert_int_equal(at, 99);
	assert_int_equal(bytecode__before(b, 2, &at), 151);
	assert_int_equal(at, 0);
	for (uint32_t offset = 4; offset <= 10; offset += 2) {
		assert_int_equal(bytecode__before(b, offset, &at), 171);
		assert_int_equal(at, 2);
	}
	assert_int_equal(bytecode__before(b, 12, NULL), 1); /* behind the last */
	assert_int_equal(bytecode__before(b, 3, NULL), BYTECODE_NONE);
	assert_int_equal(bytecode__before(b, 14, NULL), BYTECODE_NONE);
}

static void what_only_moves_values_calls_nothing(void **state)
{
	(void)state;
	assert_false(bytecode__may_call(PYTHON_3_11, 124)); /* LOAD_FAST */
	assert_false(bytecode__may_call(PYTHON_3_11, 144)); /* EXTENDED_ARG */
	assert_false(bytecode__may_call(PYTHON_3_11, BYTECODE_NONE));
	assert_true(bytecode__may_call(PYTHON_3_11, 171)); /* CALL */
	assert_true(bytecode__may_call(PYTHON_3_11, 125)); /* STORE_FAST: something may die */
	assert_false(bytecode__may_call(PYTHON_3_13, 85)); /* LOAD_FAST */
	assert_true(bytecode__may_call(PYTHON_3_13, 124));
	assert_false(bytecode__may_call(0x030e00f0, 171)); /* not understood */
}

static void versions_are_known_or_not(void **state)
{
	(void)state;
	assert_true(bytecode__is_known(PYTHON_3_9));
	assert_true(bytecode__is_known(PYTHON_3_13));
	assert_false(bytecode__is_known(0x030800f0));
	assert_false(bytecode__is_known(0x030e00f0));
}

static void after_a_call_it_was_that_call(void **state)
{
	static const uint8_t bytes[] = { 151, 0, 124, 0, 171, 1, 0, 0, 1, 0 };
	struct sidefile_code code;
	struct bytecode b = make(&code, PYTHON_3_11, bytes, sizeof(bytes));
	uint32_t at;

	(void)state;
	assert_true(bytecode__interrupted(b, 2, &at));
	assert_int_equal(at, 0);
	assert_true(bytecode__interrupted(b, 8, &at));
	assert_int_equal(at, 4);
	assert_false(bytecode__interrupted(b, 4, &at));
}

static void at_a_loop_it_was_the_jump_back(void **state)
{
	/* NOP; loop: NOP, EXTENDED_ARG 0, JUMP_BACKWARD 3 to the loop; NOP */
	static const uint8_t bytes[] = { 9, 0, 9, 0, 144, 0, 140, 3, 9, 0 };
	struct sidefile_code code;
	struct bytecode b = make(&code, PYTHON_3_11, bytes, sizeof(bytes));
	uint32_t at;

	(void)state;
	assert_true(bytecode__interrupted(b, 2, &at));
	assert_int_equal(at, 6);
	assert_int_equal(bytecode__line(b, at), 4);
	assert_false(bytecode__interrupted(b, 8, &at));
}

static void jumps_of_3_13_have_a_cache(void **state)
{
	/* NOP; loop: NOP, JUMP_BACKWARD 3, its cache; NOP */
	static const uint8_t bytes[] = { 30, 0, 30, 0, 77, 3, 0, 0, 30, 0 };
	struct sidefile_code code;
	struct bytecode b = make(&code, PYTHON_3_13, bytes, sizeof(bytes));
	uint32_t at;

	(void)state;
	assert_true(bytecode__interrupted(b, 2, &at));
	assert_int_equal(at, 4);
}

/* while True: at a function's start: the start itself, or the jump back to behind it? */
static void two_ways_on_different_lines_are_not_told_apart(void **state)
{
	static const uint8_t bytes[] = { 151, 0, 9, 0, 140, 2, 9, 0 };
	static const uint8_t one_line[] = { 0xe8 | 7, 0x02 };
	struct sidefile_code code;
	struct bytecode b = make(&code, PYTHON_3_11, bytes, sizeof(bytes));
	uint32_t at;

	(void)state;
	assert_true(bytecode__interrupted(b, 2, &at));
	assert_int_equal(at, BYTECODE_NOWHERE);
	assert_int_equal(bytecode__line(b, at), 0);
	code.line_table = one_line;
	code.line_table_bytes = sizeof(one_line);
	assert_true(bytecode__interrupted(b, 2, &at));
	assert_int_equal(at, 4);
}

/* A side file may have as many as fit, and each costs a walk through its line table. */
static void very_many_ways_are_not_followed(void **state)
{
	static const uint8_t one_line[] = { 0xe8 | 7, 0x02, 0xe8 | 7, 0x00, 0xe8 | 7, 0x00 };
	struct sidefile_code code;
	uint8_t bytes[42] = { 151, 0 };
	struct bytecode b = make(&code, PYTHON_3_11, bytes, sizeof(bytes));
	uint32_t at;

	(void)state;
	for (uint8_t i = 2; i < sizeof(bytes); i = (uint8_t)(i + 2)) {
		bytes[i] = 140; /* all to offset 2 */
		bytes[i + 1] = i / 2;
	}
	code.line_table = one_line;
	code.line_table_bytes = sizeof(one_line);
	assert_int_equal(bytecode__line(b, 40), 1);
	assert_true(bytecode__interrupted(b, 2, &at));
	assert_int_equal(at, BYTECODE_NOWHERE);
}

static void before_3_11_it_is_not_known(void **state)
{
	static const uint8_t bytes[] = { 131, 0, 1, 0 };
	struct sidefile_code code;
	struct bytecode b = make(&code, PYTHON_3_9, bytes, sizeof(bytes));
	uint32_t at;

	(void)state;
	assert_false(bytecode__interrupted(b, 2, &at));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(caches_belong_to_the_instruction_before),
		cmocka_unit_test(what_only_moves_values_calls_nothing),
		cmocka_unit_test(versions_are_known_or_not),
		cmocka_unit_test(after_a_call_it_was_that_call),
		cmocka_unit_test(at_a_loop_it_was_the_jump_back),
		cmocka_unit_test(jumps_of_3_13_have_a_cache),
		cmocka_unit_test(two_ways_on_different_lines_are_not_told_apart),
		cmocka_unit_test(very_many_ways_are_not_followed),
		cmocka_unit_test(before_3_11_it_is_not_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
