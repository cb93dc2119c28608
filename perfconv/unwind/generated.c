// SPDX-License-Identifier: GPL-2.0
/*
 * libdw reads unwinding tables only from ELF files, so a jitdump's tables are put
 * into a small one in memory, with the addresses for which they were written:
 *
 *     0            the function's code (its bytes are not needed)
 *     .eh_frame    at the next multiple of 8
 *
 * It lives only until the rule for the one address is compiled.
 */
#include "perfconv/unwind/generated.h"

#include <elf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/machine/codemap.h"
#include "perfconv/unwind/trampoline.h"

/* Where the code lies; not 0, which addresses relative to the tables could fall below. */
#define CODE_ADDRESS 0x1000u
#define SECTIONS 3u

struct tables_file {
	Elf64_Ehdr header;
	Elf64_Shdr sections[SECTIONS];
	char names[24];
	uint8_t tables[];
};

static const char section_names[] = "\0.shstrtab\0.eh_frame";

static struct tables_file *make_file(const struct codemap_code *code, uint16_t machine, size_t *n)
{
	size_t bytes = code->tables_bytes - code->header_bytes;
	struct tables_file *f = mem__alloc(1, sizeof(*f) + bytes);

	memcpy(f->header.e_ident, ELFMAG, SELFMAG);
	f->header.e_ident[EI_CLASS] = ELFCLASS64;
	f->header.e_ident[EI_DATA] = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB
									       : ELFDATA2MSB;
	f->header.e_ident[EI_VERSION] = EV_CURRENT;
	f->header.e_type = ET_EXEC;
	f->header.e_machine = machine;
	f->header.e_version = EV_CURRENT;
	f->header.e_ehsize = sizeof(f->header);
	f->header.e_shoff = offsetof(struct tables_file, sections);
	f->header.e_shentsize = sizeof(*f->sections);
	f->header.e_shnum = SECTIONS;
	f->header.e_shstrndx = 1;
	f->sections[1] = (Elf64_Shdr){ .sh_name = 1,
				       .sh_type = SHT_STRTAB,
				       .sh_offset = offsetof(struct tables_file, names),
				       .sh_size = sizeof(section_names),
				       .sh_addralign = 1 };
	f->sections[2] = (Elf64_Shdr){ .sh_name = 11,
				       .sh_type = SHT_PROGBITS,
				       .sh_flags = SHF_ALLOC,
				       .sh_addr = CODE_ADDRESS + ((code->bytes + 7) & ~7ull),
				       .sh_offset = offsetof(struct tables_file, tables),
				       .sh_size = bytes,
				       .sh_addralign = 8 };
	memcpy(f->names, section_names, sizeof(section_names));
	memcpy(f->tables, code->tables, bytes);
	*n = sizeof(*f) + bytes;
	return f;
}

static const struct cfi_rule *rule_of_tables(struct cfi_tables *tables, struct place place,
					     const struct codemap_code *code,
					     const struct regs_arch *arch)
{
	uint16_t machine = strcmp(arch->name, "aarch64") ? EM_X86_64 : EM_AARCH64;
	const struct cfi_rule *rule;
	struct tables_file *file;
	Dwarf_CFI *cfi = NULL;
	size_t n;
	Elf *elf;

	file = make_file(code, machine, &n);
	elf_version(EV_CURRENT);
	elf = elf_memory((char *)file, n);
	if (elf)
		cfi = dwarf_getcfi_elf(elf);
	rule = cfi_tables__add(tables, place.dso, place.address, cfi, arch,
			       CODE_ADDRESS + code->at);
	if (cfi)
		dwarf_cfi_end(cfi);
	elf_end(elf);
	free(file);
	return rule;
}

const struct cfi_rule *generated__rule(struct cfi_tables *tables, const struct machine *machine,
				       uint32_t process, uint64_t ip, const struct regs_arch *arch)
{
	struct place place;
	struct codemap_code code;
	const struct cfi_rule *rule;

	if (!machine->codemap)
		return NULL;
	place = machine__user_place(machine, process, ip);
	if (!codemap__find(machine->codemap, place, &code))
		return NULL;
	rule = trampoline__rule(&code, arch);
	if (rule || !code.tables || arch->word_bytes != sizeof(uint64_t))
		return rule;
	if (cfi_tables__known(tables, place.dso, place.address, &rule))
		return rule;
	return rule_of_tables(tables, place, &code, arch);
}
