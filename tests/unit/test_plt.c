// SPDX-License-Identifier: GPL-2.0
/* Stepping out of procedure linkage tables without CFI, aarch64's. */
#include "perfconv/unwind/plt.h"

#include <elf.h>

#include "tests/unit/support.h"

#define PLT 0x400u
#define ENTRIES 3u /* behind the first, which is as long as two */

enum { SP = 31, LR = 30 };

struct file {
	Elf64_Ehdr header;
	Elf64_Shdr sections[3];
	char names[24];
	uint32_t code[8 + 4 * ENTRIES];
};

static Elf *build(struct file *f)
{
	static const char names[] = "\0.shstrtab\0.plt";

	memset(f, 0, sizeof(*f));
	memcpy(f->header.e_ident, ELFMAG, SELFMAG);
	f->header.e_ident[EI_CLASS] = ELFCLASS64;
	f->header.e_ident[EI_DATA] = ELFDATA2LSB;
	f->header.e_ident[EI_VERSION] = EV_CURRENT;
	f->header.e_version = EV_CURRENT;
	f->header.e_machine = EM_AARCH64;
	f->header.e_ehsize = sizeof(f->header);
	f->header.e_shoff = offsetof(struct file, sections);
	f->header.e_shentsize = sizeof(*f->sections);
	f->header.e_shnum = 3;
	f->header.e_shstrndx = 1;
	memcpy(f->names, names, sizeof(names));
	f->sections[1] = (Elf64_Shdr){ .sh_type = SHT_STRTAB,
				       .sh_name = 1,
				       .sh_offset = offsetof(struct file, names),
				       .sh_size = sizeof(f->names) };
	f->sections[2] = (Elf64_Shdr){ .sh_type = SHT_PROGBITS,
				       .sh_name = 11,
				       .sh_addr = PLT,
				       .sh_offset = offsetof(struct file, code),
				       .sh_size = sizeof(f->code) };
	f->code[0] = 0xa9bf7bf0; /* stp x16, x30, [sp, -16]! */
	elf_version(EV_CURRENT);
	return elf_memory((char *)f, sizeof(*f));
}

/* The CFA is the stack pointer and this; -1: no rule. */
static int cfa_at(Elf *elf, uint64_t address)
{
	struct cfi_rule rule = { 0 };

	if (!plt__rule(elf, regs_arch__find("aarch64"), address, &rule))
		return -1;
	assert_int_equal(rule.cfa_register, SP);
	assert_int_equal(rule.return_register, LR);
	assert_int_equal(rule.places_n, rule.cfa_offset ? 1 : 0);
	return rule.cfa_offset;
}

static void every_entry_has_a_rule(void **state)
{
	struct file f;
	Elf *elf = build(&f);

	(void)state;
	assert_int_equal(cfa_at(elf, PLT - 4), -1);
	assert_int_equal(cfa_at(elf, PLT), 0);
	for (uint64_t at = 4; at < 32; at += 4)
		assert_int_equal(cfa_at(elf, PLT + at), 16);
	for (uint64_t at = 32; at < sizeof(f.code); at += 4)
		assert_int_equal(cfa_at(elf, PLT + at), 0);
	assert_int_equal(cfa_at(elf, PLT + sizeof(f.code)), -1);
	elf_end(elf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_entry_has_a_rule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
