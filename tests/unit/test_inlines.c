// SPDX-License-Identifier: GPL-2.0
/* What DWARF says of addresses: of this program's own file. */
#include <errno.h>
#include <fcntl.h>
#include <libelf.h>
#include <string.h>
#include <unistd.h>

#include "perfconv/symbol/debugdata.h"
#include "perfconv/symbol/inlines.h"
#include "tests/unit/support.h"

struct self {
	int fd;
	Elf *elf;
	struct inlines *inlines;
};

static int open_self(void **state)
{
	struct self *s = mem__alloc(1, sizeof(*s));

	elf_version(EV_CURRENT);
	s->fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	s->elf = elf_begin(s->fd, ELF_C_READ_MMAP, NULL);
	s->inlines = inlines__new(s->elf);
	*state = s;
	return 0;
}

static int close_self(void **state)
{
	struct self *s = *state;

	inlines__free(s->inlines);
	elf_end(s->elf);
	close(s->fd);
	free(s);
	return 0;
}

extern const char __executable_start[];

/* The address that the call below returns to, as the file has it. */
static __attribute__((noinline)) uint64_t here(void)
{
	return (uint64_t)((const char *)__builtin_return_address(0) - __executable_start) - 1;
}

static inline __attribute__((always_inline)) uint64_t inner(int *line)
{
	uint64_t address = here();

	*line = __LINE__ - 2;
	return address;
}

static inline __attribute__((always_inline)) uint64_t outer(int *line, int *call)
{
	uint64_t address = inner(line);

	*call = __LINE__ - 2;
	return address;
}

static void check(const struct inline_frame *f, const char *name, int line)
{
	const char *slash;

	assert_non_null(f->name);
	assert_string_equal(f->name, name);
	assert_non_null(f->file);
	slash = strrchr(f->file, '/');
	assert_string_equal(slash ? slash + 1 : f->file, "test_inlines.c");
	assert_int_equal(f->line, line);
}

static void inlined_functions_are_told_with_the_lines_of_their_calls(void **state)
{
	struct self *s = *state;
	struct inline_frame frames[INLINES_MAX];
	int line, call, call_of_outer;
	uint64_t address;

	assert_non_null(s->inlines);
	address = outer(&line, &call);
	call_of_outer = __LINE__ - 1;
	assert_int_equal(inlines__find(s->inlines, address, frames), 3);
	check(&frames[0], "inner", line);
	check(&frames[1], "outer", call);
	check(&frames[2], "inlined_functions_are_told_with_the_lines_of_their_calls",
	      call_of_outer);
}

static void addresses_outside_of_all_code_have_nothing(void **state)
{
	static const uint64_t addresses[] = { 0, 1, UINT64_MAX, UINT64_MAX - 1, 1ull << 63 };
	struct self *s = *state;
	struct inline_frame frames[INLINES_MAX];

	for (size_t i = 0; i < sizeof(addresses) / sizeof(*addresses); i++)
		assert_int_equal(inlines__find(s->inlines, addresses[i], frames), 0);
}

static void a_file_without_debug_information_is_no_error(void **state)
{
	char bytes[] = "neither";
	Elf *elf;

	(void)state;
	elf = elf_memory(bytes, sizeof(bytes));
	assert_null(inlines__new(elf));
	elf_end(elf);
}

static void a_file_without_packed_names_is_told_apart(void **state)
{
	struct self *s = *state;
	struct debugdata d;

	assert_int_equal(debugdata__open(&d, s->elf), -ENOENT);
	assert_null(d.elf);
	debugdata__close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inlined_functions_are_told_with_the_lines_of_their_calls),
		cmocka_unit_test(addresses_outside_of_all_code_have_nothing),
		cmocka_unit_test(a_file_without_debug_information_is_no_error),
		cmocka_unit_test(a_file_without_packed_names_is_told_apart),
	};

	return cmocka_run_group_tests(tests, open_self, close_self);
}
