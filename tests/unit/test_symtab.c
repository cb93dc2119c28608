// SPDX-License-Identifier: GPL-2.0
/* Name tables: of ranges, of ELF files, of the kernel. */
#include <errno.h>
#include <fcntl.h>
#include <libelf.h>
#include <unistd.h>

#include "perfconv/symbol/elf_symbols.h"
#include "perfconv/symbol/kallsyms.h"
#include "perfconv/symbol/symtab.h"
#include "tests/unit/elf_builder.h"

static void names(struct symtab *t, uint64_t address, const char *name)
{
	const char *found = symtab__find(t, address);

	if (!name)
		assert_null(found);
	else if (!found || strcmp(found, name))
		fail_msg("0x%llx is %s, not %s", (unsigned long long)address,
			 found ? found : "nobody's", name);
}

static void ranges_are_half_open(void **state)
{
	struct symtab t = { 0 };

	(void)state;
	symtab__add(&t, 0x200, 0x300, "second", 0);
	symtab__add(&t, 0x100, 0x180, "first", 0);
	symtab__finish(&t, 4096);
	names(&t, 0xff, NULL);
	names(&t, 0x100, "first");
	names(&t, 0x17f, "first");
	names(&t, 0x180, NULL); /* a hole stays one: its size is known */
	names(&t, 0x200, "second");
	names(&t, 0x2ff, "second");
	names(&t, 0x300, NULL);
	symtab__release(&t);
}

static void an_empty_table_names_nobody(void **state)
{
	struct symtab t = { 0 };

	(void)state;
	symtab__finish(&t, 4096);
	names(&t, 0, NULL);
	names(&t, UINT64_MAX, NULL);
	symtab__release(&t);
}

static void unsized_symbols_end_at_the_next_or_the_limit(void **state)
{
	struct symtab t = { 0 };

	(void)state;
	symtab__add(&t, 0x100, 0x100, "short", 0);
	symtab__add(&t, 0x180, 0x180, "last", 0);
	symtab__finish(&t, 0x1000);
	names(&t, 0x17f, "short");
	names(&t, 0x180, "last");
	names(&t, 0x117f, "last");
	names(&t, 0x1180, NULL);
	symtab__release(&t);
}

static void the_lowest_rank_wins_among_aliases(void **state)
{
	struct symtab t = { 0 };

	(void)state;
	symtab__add(&t, 0x100, 0x200, "local", 2);
	symtab__add(&t, 0x100, 0x200, "public", 0);
	symtab__add(&t, 0x100, 0x200, "weak", 1);
	symtab__finish(&t, 4096);
	names(&t, 0x180, "public");
	symtab__release(&t);
}

/* The choice among equals must not depend on the order in the file. */
static void aliases_are_chosen_alike_in_any_order(void **state)
{
	static const char *const list[] = { "write", "__write", "__libc_write", "alias" };
	const char *chosen = NULL;

	(void)state;
	for (size_t first = 0; first < 4; first++) {
		struct symtab t = { 0 };

		for (size_t i = 0; i < 4; i++)
			symtab__add(&t, 0x100, 0x200, list[(first + i) % 4], 0);
		symtab__finish(&t, 4096);
		for (size_t i = 0; i < 4; i++)
			if (!strcmp(symtab__find(&t, 0x150), list[i])) {
				assert_true(!chosen || chosen == list[i]);
				chosen = list[i];
			}
		assert_non_null(chosen);
		symtab__release(&t);
	}
	assert_int_not_equal(*chosen, '_'); /* the name people know */
}

static void a_sized_alias_is_preferred(void **state)
{
	struct symtab t = { 0 };

	(void)state;
	symtab__add(&t, 0x100, 0x100, "marker", 0);
	symtab__add(&t, 0x100, 0x200, "function", 0);
	symtab__finish(&t, 4096);
	names(&t, 0x100, "function");
	names(&t, 0x1ff, "function");
	symtab__release(&t);
}

static void shown_as(const char *mangled, const char *shown)
{
	struct symtab t = { 0 };

	symtab__add(&t, 0x100, 0x200, mangled, 0);
	symtab__finish(&t, 4096);
	names(&t, 0x100, shown);
	names(&t, 0x101, shown);
	symtab__release(&t);
}

static void mangled_names_are_made_readable(void **state)
{
	(void)state;
	shown_as("_ZN3foo3barEi", "foo::bar(int)");
	shown_as("_ZNSt6vectorIiSaIiEE9push_backERKi",
		 "std::vector<int, std::allocator<int> >::push_back(int const&)");
	shown_as("_ZN4core3fmt9Formatter3pad17h0123456789abcdefE", "core::fmt::Formatter::pad");
	shown_as("_RNvC7mycrate3run", "mycrate::run");
}

static void other_names_stay_as_they_are(void **state)
{
	(void)state;
	shown_as("main", "main");
	shown_as("_PyEval_EvalFrameDefault", "_PyEval_EvalFrameDefault");
	shown_as("_Z", "_Z");
	shown_as("_ZN3foo", "_ZN3foo");
	shown_as("_Rx", "_Rx");
	shown_as("_", "_");
	shown_as("py::Loop.run:/app/loop.py", "py::Loop.run:/app/loop.py");
	shown_as("memcpy@@GLIBC_2.14", "memcpy@@GLIBC_2.14");
}

static void elf_functions_are_added(void **state)
{
	static const struct elf_symbol symbols[] = {
		{ "alias_local", 0x1000, 0x20, STB_LOCAL },
		{ "run", 0x1000, 0x20, STB_GLOBAL },
		{ "stop", 0x1020, 0, STB_WEAK },
	};
	const char *path = elf_builder__write(*state, "lib.so", symbols, 3, NULL);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct symtab t = { 0 };
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	assert_non_null(elf);
	assert_true(elf_symbols__has_symtab(elf));
	assert_int_equal(elf_symbols__add(&t, elf), 3);
	symtab__finish(&t, 64);
	names(&t, ELF_BASE + 0x1010, "run");
	names(&t, ELF_BASE + 0x1020, "stop");
	names(&t, ELF_BASE + 0x105f, "stop");
	names(&t, ELF_BASE + 0x1060, NULL);
	names(&t, 0x1010, NULL);
	symtab__release(&t);
	elf_end(elf);
	close(fd);
}

static void kallsyms_lines_are_read(void **state)
{
	static const char text[] = "0000000000000000 A fixed_percpu_data\n"
				   "ffffffff81000000 T _stext\n"
				   "ffffffff81000100 t do_one_initcall\n"
				   "ffffffff81000200 D some_data\n"
				   "ffffffff81000300 W weak_one\n"
				   "not a line\n"
				   "\n"
				   "ffffffffc0000000 t xfs_read\t[xfs]\n"
				   "ffffffffc0000080 t xfs_last [xfs]";
	const char *path = scratch__write(*state, "kallsyms", text, sizeof(text) - 1);
	struct symtab t = { 0 };
	struct errbuf err;

	assert_int_equal(kallsyms__read(&t, path, "", 0, &err), 0);
	symtab__finish(&t, 0x10000);
	names(&t, 0xffffffff81000000, "_stext");
	names(&t, 0xffffffff810001ff, "do_one_initcall");
	names(&t, 0xffffffff81000300, "weak_one");
	names(&t, 0xffffffffc000007f, "xfs_read");
	names(&t, 0xffffffffc0000080, "xfs_last");
	names(&t, 0xffffffff80ffffff, NULL);
	names(&t, 0, NULL);
	symtab__release(&t);
}

static void hidden_kernel_addresses_are_absent_not_failed(void **state)
{
	static const char text[] = "0000000000000000 T _stext\n0000000000000000 t other\n";
	const char *path = scratch__write(*state, "kallsyms", text, sizeof(text) - 1);
	struct symtab t = { 0 };
	struct errbuf err;

	assert_int_equal(kallsyms__read(&t, path, "", 0, &err), -ENODATA);
	assert_message(&err, path);
	assert_int_equal(kallsyms__read(&t, scratch__path(*state, "none"), "", 0, &err), -ENOENT);
	symtab__release(&t);
}

/* After a reboot the kernel lies elsewhere: all names would be wrong. */
static void a_kernel_that_moved_names_nothing(void **state)
{
	static const char text[] = "ffffffff81000000 T _text\nffffffff81000000 T _stext\n"
				   "ffffffff81000100 t do_one_initcall\n";
	const char *path = scratch__write(*state, "kallsyms", text, sizeof(text) - 1);
	struct symtab t = { 0 };
	struct errbuf err;

	assert_int_equal(kallsyms__read(&t, path, "_text", 0xffffffff92000000, &err), -ESTALE);
	assert_message(&err, path);
	names(&t, 0xffffffff81000100, NULL);
	assert_int_equal(kallsyms__read(&t, path, "_text", 0xffffffff81000000, &err), 0);
	symtab__finish(&t, 0x10000);
	names(&t, 0xffffffff81000100, "do_one_initcall");
	symtab__release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_are_half_open),
		cmocka_unit_test(an_empty_table_names_nobody),
		cmocka_unit_test(unsized_symbols_end_at_the_next_or_the_limit),
		cmocka_unit_test(the_lowest_rank_wins_among_aliases),
		cmocka_unit_test(aliases_are_chosen_alike_in_any_order),
		cmocka_unit_test(a_sized_alias_is_preferred),
		cmocka_unit_test(mangled_names_are_made_readable),
		cmocka_unit_test(other_names_stay_as_they_are),
		scratch_test(elf_functions_are_added),
		scratch_test(kallsyms_lines_are_read),
		scratch_test(hidden_kernel_addresses_are_absent_not_failed),
		scratch_test(a_kernel_that_moved_names_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
