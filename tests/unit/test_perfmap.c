// SPDX-License-Identifier: GPL-2.0
#include "perfconv/sidefile/limits.h"
#include "perfconv/sidefile/perfmap.h"
#include "tests/unit/support.h"

static struct perfmap *read_text(const char *text)
{
	return perfmap__new(mem__strdup(text), strlen(text));
}

static const char *name_at(const struct perfmap *m, uint64_t address)
{
	const struct perfmap_entry *e = perfmap__find(m, address);

	return e ? e->name : "-";
}

static void addresses_have_the_name_of_their_range(void **state)
{
	struct perfmap *m = read_text("2000 10 second\n1000 b py::f:/app/a b.py\n");
	(void)state;

	assert_string_equal(name_at(m, 0xfff), "-");
	assert_string_equal(name_at(m, 0x1000), "py::f:/app/a b.py");
	assert_string_equal(name_at(m, 0x100a), "py::f:/app/a b.py");
	assert_string_equal(name_at(m, 0x100b), "-");
	assert_string_equal(name_at(m, 0x200f), "second");
	assert_string_equal(name_at(m, UINT64_MAX), "-");
	assert_int_equal(perfmap__find(m, 0x100a)->bytes, 11);
	assert_int_equal(m->bad_lines, 0);
	perfmap__free(m);
	perfmap__free(NULL);
}

static void later_lines_win_where_ranges_overlap(void **state)
{
	struct perfmap *m = read_text("100 c a\n104 4 b\n107 3 c\n");
	char shown[13] = "";
	(void)state;

	for (size_t i = 0; i < 12; i++)
		shown[i] = *name_at(m, 0x100 + i);
	assert_string_equal(shown, "aaaabbbcccaa");
	assert_int_equal(perfmap__find(m, 0x10b)->first, 0x100);
	assert_int_equal(perfmap__find(m, 0x10b)->bytes, 12);
	perfmap__free(m);
}

/* Against the plain rule: of all lines that hold an address, the last. */
static void overlaps_agree_with_the_plain_rule(void **state)
{
	enum { LINES = 200, SPAN = 256 };
	char text[LINES * 32] = "", *at = text;
	int plain[SPAN + 64];
	uint32_t random = 1;
	struct perfmap *m;
	(void)state;

	memset(plain, -1, sizeof(plain));
	for (int i = 0; i < LINES; i++) {
		uint32_t start, bytes;

		random = random * 1664525 + 1013904223;
		start = random >> 24;
		bytes = 1 + (random >> 16) % 40;
		at += sprintf(at, "%x %x f%d\n", start, bytes, i);
		for (uint32_t k = start; k < start + bytes; k++)
			plain[k] = i;
	}
	m = read_text(text);
	for (uint32_t k = 0; k < SPAN + 64; k++) {
		char expected[16] = "-";

		if (plain[k] >= 0)
			snprintf(expected, sizeof(expected), "f%d", plain[k]);
		assert_string_equal(name_at(m, k), expected);
	}
	perfmap__free(m);
}

static void odd_lines_are_counted_and_passed_over(void **state)
{
	static const char *const odd[] = {
		"",
		" ",
		"x",
		"10",
		"10 ",
		"10 20",
		"10 20 ",
		"-1 20 name",
		"+1 2 name",
		" 10 20 name",
		"10  20 name",
		"10 0 name",
		"zz 20 name",
		"10 20\tname",
		"ffffffffffffffff 2 name",
		"1 ffffffffffffffff name",
	};
	(void)state;

	for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		char *text = mem__format("%s\n5000 10 good\n", odd[i]);
		struct perfmap *m = perfmap__new(text, strlen(text));

		if (m->bad_lines != 1 || m->list.n != 1)
			fail_msg("\"%s\": %d bad lines, %zu entries", odd[i], (int)m->bad_lines,
				 m->list.n);
		assert_string_equal(name_at(m, 0x5000), "good");
		perfmap__free(m);
	}
}

static void a_zero_byte_makes_a_line_bad(void **state)
{
	static const char bytes[] = "10 20 a\0b\n5000 10 good\n";
	char *text = mem__alloc(sizeof(bytes), 1);
	struct perfmap *m;
	(void)state;

	memcpy(text, bytes, sizeof(bytes));
	m = perfmap__new(text, sizeof(bytes) - 1);
	assert_int_equal(m->bad_lines, 1);
	assert_string_equal(name_at(m, 0x5000), "good");
	perfmap__free(m);
}

static void a_line_being_written_is_left_out(void **state)
{
	struct perfmap *m = read_text("1000 10 whole\n2000 10 hal");
	(void)state;

	assert_int_equal(m->list.n, 1);
	assert_int_equal(m->bad_lines, 0);
	perfmap__free(m);
	m = read_text("");
	assert_int_equal(m->list.n, 0);
	perfmap__free(m);
}

static void endings_of_other_systems_are_no_part_of_a_name(void **state)
{
	struct perfmap *m = read_text("0x1000 10 name\r\n");
	(void)state;

	assert_string_equal(name_at(m, 0x1000), "name");
	perfmap__free(m);
}

static void long_names_are_cut(void **state)
{
	char *text = mem__alloc(PERFMAP_MAX_NAME + 64, 1);
	struct perfmap *m;
	(void)state;

	memcpy(text, "1000 10 ", 8);
	memset(text + 8, 'n', PERFMAP_MAX_NAME + 20);
	text[8 + PERFMAP_MAX_NAME + 20] = '\n';
	m = perfmap__new(text, strlen(text));
	assert_int_equal(strlen(name_at(m, 0x1000)), PERFMAP_MAX_NAME);
	perfmap__free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_have_the_name_of_their_range),
		cmocka_unit_test(later_lines_win_where_ranges_overlap),
		cmocka_unit_test(overlaps_agree_with_the_plain_rule),
		cmocka_unit_test(odd_lines_are_counted_and_passed_over),
		cmocka_unit_test(a_zero_byte_makes_a_line_bad),
		cmocka_unit_test(a_line_being_written_is_left_out),
		cmocka_unit_test(endings_of_other_systems_are_no_part_of_a_name),
		cmocka_unit_test(long_names_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
