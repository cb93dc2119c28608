// SPDX-License-Identifier: GPL-2.0
/* DWARF expressions of CFI, on made-up registers and memory. */
#include <dwarf.h>

#include "perfconv/unwind/expression.h"
#include "tests/unit/support.h"

#define SP 7u
#define IP 16u
#define MEMORY_AT 0x7000u

static const uint64_t memory[4] = { 11, 22, 33, 44 };

static bool read_memory(void *arg, uint64_t address, uint64_t *value)
{
	(void)arg;
	if (address < MEMORY_AT || address >= MEMORY_AT + sizeof(memory) || address % 8)
		return false;
	*value = memory[(address - MEMORY_AT) / 8];
	return true;
}

static bool evaluate(const Dwarf_Op *ops, size_t n, uint64_t *value, bool *is_value)
{
	struct regs regs = { .known = 1u << SP | 1u << IP };
	struct expression_context context = { &regs, 0x9000, read_memory, NULL };

	regs.value[SP] = MEMORY_AT;
	regs.value[IP] = 0x40100b;
	return expression__evaluate(ops, n, &context, value, is_value);
}

static void expect(const Dwarf_Op *ops, size_t n, uint64_t expected)
{
	uint64_t value;
	bool is_value;

	assert_true(evaluate(ops, n, &value, &is_value));
	assert_int_equal(value, expected);
	assert_false(is_value);
}

static void expect_failure(const Dwarf_Op *ops, size_t n)
{
	uint64_t value;
	bool is_value;

	assert_false(evaluate(ops, n, &value, &is_value));
}

#define COUNT(ops) (sizeof(ops) / sizeof(*(ops)))

static void registers_and_offsets(void **state)
{
	const Dwarf_Op near[] = { { .atom = DW_OP_breg7, .number = 8 } };
	const Dwarf_Op wide[] = { { .atom = DW_OP_bregx, .number = SP, .number2 = 16 } };
	const Dwarf_Op below[] = { { .atom = DW_OP_breg7, .number = (Dwarf_Word)-8 } };

	(void)state;
	expect(near, COUNT(near), MEMORY_AT + 8);
	expect(wide, COUNT(wide), MEMORY_AT + 16);
	expect(below, COUNT(below), MEMORY_AT - 8);
}

static void cfa_and_memory(void **state)
{
	const Dwarf_Op at_cfa[] = { { .atom = DW_OP_call_frame_cfa },
				    { .atom = DW_OP_plus_uconst, .number = 24 } };
	const Dwarf_Op word[] = { { .atom = DW_OP_breg7, .number = 16 }, { .atom = DW_OP_deref } };
	const Dwarf_Op outside[] = { { .atom = DW_OP_lit8 }, { .atom = DW_OP_deref } };

	(void)state;
	expect(at_cfa, COUNT(at_cfa), 0x9018);
	expect(word, COUNT(word), 33);
	expect_failure(outside, COUNT(outside));
}

/* What linkers write for a PLT: sp + 8, and 8 more past the entry's push. */
static void the_plt(void **state)
{
	const Dwarf_Op plt[] = {
		{ .atom = DW_OP_breg7, .number = 8 },
		{ .atom = DW_OP_breg16, .number = 0 },
		{ .atom = DW_OP_lit15 },
		{ .atom = DW_OP_and },
		{ .atom = DW_OP_lit11 },
		{ .atom = DW_OP_ge },
		{ .atom = DW_OP_lit3 },
		{ .atom = DW_OP_shl },
		{ .atom = DW_OP_plus },
	};

	(void)state;
	expect(plt, COUNT(plt), MEMORY_AT + 16); /* ip & 15 is 11 */
}

static void a_value_is_told_from_an_address(void **state)
{
	const Dwarf_Op ops[] = { { .atom = DW_OP_breg7, .number = 8 },
				 { .atom = DW_OP_stack_value } };
	uint64_t value;
	bool is_value;

	(void)state;
	assert_true(evaluate(ops, COUNT(ops), &value, &is_value));
	assert_true(is_value);
	assert_int_equal(value, MEMORY_AT + 8);
}

static void operations(void **state)
{
	static const struct {
		uint8_t atom;
		uint64_t a, b, result;
	} cases[] = {
		{ DW_OP_plus, 7, 3, 10 },
		{ DW_OP_minus, 7, 3, 4 },
		{ DW_OP_mul, 7, 3, 21 },
		{ DW_OP_and, 6, 3, 2 },
		{ DW_OP_or, 6, 3, 7 },
		{ DW_OP_xor, 6, 3, 5 },
		{ DW_OP_shl, 1, 4, 16 },
		{ DW_OP_shl, 1, 64, 0 },
		{ DW_OP_shr, 16, 4, 1 },
		{ DW_OP_shr, 16, 64, 0 },
		{ DW_OP_shra, (uint64_t)-16, 2, (uint64_t)-4 },
		{ DW_OP_shra, (uint64_t)-16, 99, (uint64_t)-1 },
		{ DW_OP_eq, 3, 3, 1 },
		{ DW_OP_ne, 3, 3, 0 },
		{ DW_OP_lt, (uint64_t)-1, 0, 1 },
		{ DW_OP_le, 3, 3, 1 },
		{ DW_OP_gt, (uint64_t)-1, 0, 0 },
		{ DW_OP_ge, 4, 3, 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const Dwarf_Op ops[] = { { .atom = DW_OP_constu, .number = cases[i].a },
					 { .atom = DW_OP_constu, .number = cases[i].b },
					 { .atom = cases[i].atom } };

		expect(ops, COUNT(ops), cases[i].result);
	}
}

static void stack_operations(void **state)
{
	const Dwarf_Op swap[] = { { .atom = DW_OP_lit1 },
				  { .atom = DW_OP_lit5 },
				  { .atom = DW_OP_swap },
				  { .atom = DW_OP_minus } };
	const Dwarf_Op pick[] = { { .atom = DW_OP_lit9 },
				  { .atom = DW_OP_lit5 },
				  { .atom = DW_OP_pick, .number = 1 },
				  { .atom = DW_OP_plus } };
	const Dwarf_Op drop[] = { { .atom = DW_OP_lit9 },
				  { .atom = DW_OP_dup },
				  { .atom = DW_OP_drop } };

	(void)state;
	expect(swap, COUNT(swap), 4);
	expect(pick, COUNT(pick), 14);
	expect(drop, COUNT(drop), 9);
}

static void a_branch_goes_to_a_byte_offset(void **state)
{
	const Dwarf_Op ops[] = {
		{ .atom = DW_OP_lit1, .offset = 0 },
		{ .atom = DW_OP_bra, .number = 1, .offset = 1 }, /* over the operation at 4 */
		{ .atom = DW_OP_lit2, .offset = 4 },
		{ .atom = DW_OP_lit3, .offset = 5 },
	};

	(void)state;
	expect(ops, COUNT(ops), 3);
}

static void hostile_expressions_end(void **state)
{
	const Dwarf_Op loop[] = { { .atom = DW_OP_skip, .number = (Dwarf_Word)-3, .offset = 0 } };
	const Dwarf_Op empty_stack[] = { { .atom = DW_OP_plus } };
	const Dwarf_Op unknown_register[] = { { .atom = DW_OP_breg3 } };
	const Dwarf_Op no_such_register[] = { { .atom = DW_OP_bregx, .number = 1u << 20 } };
	const Dwarf_Op unused_operation[] = { { .atom = DW_OP_lit1 }, { .atom = DW_OP_call_ref } };
	Dwarf_Op deep[100];

	(void)state;
	for (size_t i = 0; i < COUNT(deep); i++)
		deep[i] = (Dwarf_Op){ .atom = DW_OP_lit1, .offset = i };
	expect_failure(loop, COUNT(loop));
	expect_failure(empty_stack, COUNT(empty_stack));
	expect_failure(unknown_register, COUNT(unknown_register));
	expect_failure(no_such_register, COUNT(no_such_register));
	expect_failure(unused_operation, COUNT(unused_operation));
	expect_failure(deep, COUNT(deep));
	expect_failure(NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registers_and_offsets),
		cmocka_unit_test(cfa_and_memory),
		cmocka_unit_test(the_plt),
		cmocka_unit_test(a_value_is_told_from_an_address),
		cmocka_unit_test(operations),
		cmocka_unit_test(stack_operations),
		cmocka_unit_test(a_branch_goes_to_a_byte_offset),
		cmocka_unit_test(hostile_expressions_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
