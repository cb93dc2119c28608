// SPDX-License-Identifier: GPL-2.0
/* What DWARF says of addresses: of this program's own file. */
#include <dwarf.h>
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

#define NAMESPACES 100u
#define UNIT_START 0x1000u

/* Each namespace holds the next one, which it states to be its sibling too: what is
 * below is met 2^100 times by whoever believes it. */
struct tangled {
	Elf64_Ehdr header;
	Elf64_Shdr sections[4];
	char names[40];
	uint8_t abbreviations[32];
	struct __attribute__((packed)) {
		uint32_t bytes;
		uint16_t version;
		uint32_t abbreviations;
		uint8_t address_bytes;
		uint8_t unit;
		uint64_t low, length;
		struct __attribute__((packed)) {
			uint8_t abbreviation;
			uint32_t sibling;
		} namespaces[NAMESPACES];
		uint8_t last, ends[NAMESPACES + 1];
	} info;
};

static Elf64_Shdr section_of(uint32_t type, uint32_t name, size_t offset, size_t bytes)
{
	return (Elf64_Shdr){ .sh_type = type,
			     .sh_name = name,
			     .sh_offset = offset,
			     .sh_size = bytes,
			     .sh_addralign = 1 };
}

static void tangle(struct tangled *t)
{
	static const char names[] = "\0.shstrtab\0.debug_abbrev\0.debug_info";
	static const uint8_t abbreviations[] = {
		1,
		DW_TAG_compile_unit,
		1,
		DW_AT_low_pc,
		DW_FORM_addr,
		DW_AT_high_pc,
		DW_FORM_data8,
		0,
		0,
		2,
		DW_TAG_namespace,
		1,
		DW_AT_sibling,
		DW_FORM_ref4,
		0,
		0,
		3,
		DW_TAG_namespace,
		0,
		0,
		0,
		0,
	};
	size_t info = offsetof(struct tangled, info);

	memset(t, 0, sizeof(*t));
	memcpy(t->header.e_ident, ELFMAG, SELFMAG);
	t->header.e_ident[EI_CLASS] = ELFCLASS64;
	t->header.e_ident[EI_DATA] = ELFDATA2LSB;
	t->header.e_ident[EI_VERSION] = EV_CURRENT;
	t->header.e_version = EV_CURRENT;
	t->header.e_type = ET_EXEC;
	t->header.e_machine = EM_X86_64;
	t->header.e_ehsize = sizeof(t->header);
	t->header.e_shoff = offsetof(struct tangled, sections);
	t->header.e_shentsize = sizeof(*t->sections);
	t->header.e_shnum = 4;
	t->header.e_shstrndx = 1;
	memcpy(t->names, names, sizeof(names));
	memcpy(t->abbreviations, abbreviations, sizeof(abbreviations));
	t->sections[1] =
		section_of(SHT_STRTAB, 1, offsetof(struct tangled, names), sizeof(t->names));
	t->sections[2] = section_of(SHT_PROGBITS, 11, offsetof(struct tangled, abbreviations),
				    sizeof(t->abbreviations));
	t->sections[3] = section_of(SHT_PROGBITS, 25, info, sizeof(t->info));
	t->info.bytes = sizeof(t->info) - sizeof(t->info.bytes);
	t->info.version = 4;
	t->info.address_bytes = sizeof(t->info.low);
	t->info.unit = 1;
	t->info.low = UNIT_START;
	t->info.length = 0x1000;
	for (size_t i = 0; i < NAMESPACES; i++) {
		t->info.namespaces[i].abbreviation = 2;
		t->info.namespaces[i].sibling =
			(uint32_t)(offsetof(struct tangled, info.namespaces[i + 1]) - info);
	}
	t->info.last = 3;
}

static void siblings_stated_twice_end(void **state)
{
	struct tangled *t = mem__alloc(1, sizeof(*t));
	struct inline_frame frames[INLINES_MAX];
	struct inlines *in;
	Elf *elf;

	(void)state;
	tangle(t);
	elf = elf_memory((char *)t, sizeof(*t));
	in = inlines__new(elf);
	assert_non_null(in);
	assert_int_equal(inlines__find(in, UNIT_START + 1, frames), 1);
	assert_null(frames[0].name);
	inlines__free(in);
	elf_end(elf);
	free(t);
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
		cmocka_unit_test(siblings_stated_twice_end),
		cmocka_unit_test(a_file_without_packed_names_is_told_apart),
	};

	return cmocka_run_group_tests(tests, open_self, close_self);
}
