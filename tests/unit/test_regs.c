// SPDX-License-Identifier: GPL-2.0
#include "perfconv/unwind/regs.h"
#include "tests/unit/support.h"

/* perf's numbers on x86: AX BX CX DX SI DI BP SP IP FLAGS CS SS DS ES FS GS R8-R15. */
#define X86_ALL 0xff0fffull /* what perf asks for: all but DS ES FS GS */
#define X86_IP (1ull << 8)
#define X86_SP (1ull << 7)

/* The value of perf register n is 1000 + n, in ascending order of the set bits. */
static size_t values_of(uint64_t mask, uint64_t *values)
{
	size_t n = 0;

	for (uint64_t i = 0; i < 64; i++)
		if (mask >> i & 1)
			values[n++] = 1000 + i;
	return n;
}

static void x86_64_registers_go_to_their_dwarf_numbers(void **state)
{
	/* by DWARF number: RAX RDX RCX RBX RSI RDI RBP RSP R8-R15 RA */
	static const uint64_t perf[17] = {
		0, 3, 2, 1, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23, 8
	};
	const struct regs_arch *arch = regs_arch__find("x86_64");
	uint64_t values[64];
	struct regs regs;

	(void)state;
	assert_non_null(arch);
	values_of(X86_ALL, values);
	assert_true(regs__from_sample(arch, X86_ALL, values, &regs));
	for (size_t i = 0; i < 17; i++) {
		assert_true(regs.known >> i & 1);
		assert_int_equal(regs.value[i], 1000 + perf[i]);
	}
	assert_int_equal(regs.known, 0x1ffff);
	assert_int_equal(regs.value[arch->ip], 1008);
	assert_int_equal(regs.value[arch->sp], 1007);
	assert_int_equal(arch->sp, 7);
}

static void aarch64_registers_have_the_same_numbers(void **state)
{
	const struct regs_arch *arch = regs_arch__find("aarch64");
	uint64_t values[64], all = (1ull << 33) - 1;
	struct regs regs;

	(void)state;
	assert_non_null(arch);
	values_of(all, values);
	assert_true(regs__from_sample(arch, all, values, &regs));
	for (size_t i = 0; i < 32; i++)
		assert_int_equal(regs.value[i], 1000 + i);
	assert_int_equal(regs.value[arch->sp], 1031);
	assert_int_equal(regs.value[arch->ip], 1032);
	assert_int_equal(arch->sp, 31);
}

static void missing_registers_are_not_known(void **state)
{
	const struct regs_arch *arch = regs_arch__find("x86_64");
	uint64_t values[64], mask = X86_IP | X86_SP | 1u << 3;
	struct regs regs;

	(void)state;
	values_of(mask, values);
	assert_true(regs__from_sample(arch, mask, values, &regs));
	assert_int_equal(regs.known, 1u << 1 | 1u << 7 | 1u << 16);
	assert_int_equal(regs.value[1], 1003); /* RDX */
	assert_int_equal(regs.value[7], 1007);
	assert_int_equal(regs.value[16], 1008);
}

static void without_ip_or_sp_nothing_can_be_done(void **state)
{
	uint64_t values[64];
	struct regs regs;

	(void)state;
	values_of(X86_ALL, values);
	assert_false(
		regs__from_sample(regs_arch__find("x86_64"), X86_ALL & ~X86_IP, values, &regs));
	assert_false(
		regs__from_sample(regs_arch__find("x86_64"), X86_ALL & ~X86_SP, values, &regs));
	assert_false(regs__from_sample(regs_arch__find("x86_64"), 0, values, &regs));
	assert_false(
		regs__from_sample(regs_arch__find("aarch64"), (1ull << 32) - 1, values, &regs));
	assert_false(regs__from_sample(regs_arch__find("aarch64"), 1ull << 32, values, &regs));
}

/* Registers above those of the table shift nothing. */
static void unknown_registers_are_passed_over(void **state)
{
	const struct regs_arch *arch = regs_arch__find("x86_64");
	uint64_t values[64], mask = X86_ALL | 0xfull << 12 | 0xffull << 32;
	struct regs regs;

	(void)state;
	values_of(mask, values);
	assert_true(regs__from_sample(arch, mask, values, &regs));
	assert_int_equal(regs.value[8], 1016);	/* R8 */
	assert_int_equal(regs.value[15], 1023); /* R15 */
}

static void other_machines_are_not_known(void **state)
{
	(void)state;
	assert_null(regs_arch__find("riscv64"));
	assert_null(regs_arch__find(""));
	assert_null(regs_arch__find("x86"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(x86_64_registers_go_to_their_dwarf_numbers),
		cmocka_unit_test(aarch64_registers_have_the_same_numbers),
		cmocka_unit_test(missing_registers_are_not_known),
		cmocka_unit_test(without_ip_or_sp_nothing_can_be_done),
		cmocka_unit_test(unknown_registers_are_passed_over),
		cmocka_unit_test(other_machines_are_not_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
