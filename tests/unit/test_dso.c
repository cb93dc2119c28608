// SPDX-License-Identifier: GPL-2.0
#include "perfconv/machine/dso.h"
#include "tests/unit/support.h"

#define ARENA "/run/pyframes-0123456789abcdef0123456789abcdef-3.so"

static uint32_t add(struct dsos *d, const char *path)
{
	return dsos__findnew(d, path, NULL, 0, 42);
}

static void the_first_two_are_always_there(void **state)
{
	struct dsos d;

	(void)state;
	dsos__init(&d);
	assert_int_equal(d.list.n, 4);
	assert_int_equal(dsos__get(&d, DSO_ID_UNKNOWN)->kind, DSO_UNKNOWN);
	assert_int_equal(dsos__get(&d, DSO_ID_KERNEL)->kind, DSO_KERNEL);
	dsos__release(&d);
}

static void kinds_follow_the_path(void **state)
{
	static const struct {
		const char *path;
		enum dso_kind kind;
	} cases[] = {
		{ "/usr/bin/python3.11", DSO_ELF },
		{ "/lib/x86_64-linux-gnu/libc.so.6", DSO_ELF },
		{ "/opt/anon/lib.so", DSO_ELF },
		{ ARENA, DSO_TRAMPOLINE },
		{ "/run/pyframes-0123456789abcdef0123456789abcdef.side", DSO_ELF },
		{ "[vdso]", DSO_VDSO },
		{ "//anon", DSO_MEMORY },
		{ "[heap]", DSO_MEMORY },
		{ "[stack]", DSO_MEMORY },
		{ "[anon:python]", DSO_MEMORY },
		{ "/memfd:jit (deleted)", DSO_MEMORY },
		{ "/dev/zero (deleted)", DSO_MEMORY },
		{ "/SYSV00000000 (deleted)", DSO_MEMORY },
		{ "anon_inode:[perf_event]", DSO_MEMORY },
		{ "", DSO_MEMORY },
		{ "[kernel.kallsyms]_text", DSO_KERNEL },
	};
	struct dsos d;

	(void)state;
	dsos__init(&d);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (dsos__get(&d, add(&d, cases[i].path))->kind != cases[i].kind)
			fail_msg("%s is taken for another kind", cases[i].path);
	dsos__release(&d);
}

static void equal_paths_are_one_object(void **state)
{
	struct dsos d;
	uint32_t one, two;

	(void)state;
	dsos__init(&d);
	one = add(&d, "/lib/a.so");
	two = add(&d, "/lib/b.so");
	assert_int_equal(one, 4);
	assert_int_equal(two, 5);
	assert_int_equal(add(&d, "/lib/a.so"), one);
	assert_int_equal(d.list.n, 6);
	assert_string_equal(dsos__get(&d, one)->path, "/lib/a.so");
	dsos__release(&d);
}

static void build_ids_tell_objects_apart(void **state)
{
	static const uint8_t a[20] = { 1 }, b[20] = { 2 };
	struct dsos d;
	uint32_t none, one;

	(void)state;
	dsos__init(&d);
	none = add(&d, "/lib/a.so");
	one = dsos__findnew(&d, "/lib/a.so", a, 20, 1);
	assert_int_not_equal(none, one);
	assert_int_not_equal(dsos__findnew(&d, "/lib/a.so", b, 20, 1), one);
	assert_int_not_equal(dsos__findnew(&d, "/lib/a.so", a, 16, 1), one);
	assert_int_equal(dsos__findnew(&d, "/lib/a.so", a, 20, 2), one);
	assert_int_equal(dsos__get(&d, one)->build_id_bytes, 20);
	assert_memory_equal(dsos__get(&d, one)->build_id, a, 20);
	assert_int_equal(dsos__get(&d, none)->build_id_bytes, 0);
	dsos__release(&d);
}

static void memory_belongs_to_its_process(void **state)
{
	struct dsos d;
	uint32_t one;

	(void)state;
	dsos__init(&d);
	one = dsos__findnew(&d, "//anon", NULL, 0, 1);
	assert_int_not_equal(dsos__findnew(&d, "//anon", NULL, 0, 2), one);
	assert_int_equal(dsos__findnew(&d, "//anon", NULL, 0, 1), one);
	assert_int_equal(dsos__get(&d, one)->process, 1);
	dsos__release(&d);
}

static void trampoline_files_know_token_and_arena(void **state)
{
	struct dsos d;
	uint32_t id;

	(void)state;
	dsos__init(&d);
	id = add(&d, ARENA);
	assert_string_equal(dsos__get(&d, id)->token, "0123456789abcdef0123456789abcdef");
	assert_int_equal(dsos__get(&d, id)->arena, 3);
	dsos__set_mapped_at(&d, id, 0x7000);
	dsos__set_mapped_at(&d, id, 0x9000); /* the first call counts */
	assert_int_equal(dsos__get(&d, id)->mapped_at, 0x7000);
	dsos__release(&d);
}

static void short_names_are_for_people(void **state)
{
	struct dsos d;

	(void)state;
	dsos__init(&d);
	assert_string_equal(dso__short_name(dsos__get(&d, add(&d, "/lib/a.so"))), "a.so");
	assert_string_equal(dso__short_name(dsos__get(&d, add(&d, "[vdso]"))), "[vdso]");
	assert_int_equal(*dso__short_name(dsos__get(&d, add(&d, "//anon"))), '[');
	assert_string_equal(dso__short_name(dsos__get(&d, DSO_ID_KERNEL)), "[kernel]");
	assert_string_equal(dso__short_name(dsos__get(&d, DSO_ID_UNKNOWN)), "[unknown]");
	dsos__release(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_two_are_always_there),
		cmocka_unit_test(kinds_follow_the_path),
		cmocka_unit_test(equal_paths_are_one_object),
		cmocka_unit_test(build_ids_tell_objects_apart),
		cmocka_unit_test(memory_belongs_to_its_process),
		cmocka_unit_test(trampoline_files_know_token_and_arena),
		cmocka_unit_test(short_names_are_for_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
