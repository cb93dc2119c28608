// SPDX-License-Identifier: GPL-2.0
#include "perfconv/symbol/elf_symbols.h"

#include <elf.h>
#include <gelf.h>

static Elf_Scn *section_of_type(Elf *elf, GElf_Word type, GElf_Shdr *header)
{
	Elf_Scn *section = NULL;

	while ((section = elf_nextscn(elf, section)))
		if (gelf_getshdr(section, header) && header->sh_type == type && header->sh_entsize)
			return section;
	return NULL;
}

static bool is_function(const GElf_Sym *sym)
{
	unsigned int type = GELF_ST_TYPE(sym->st_info);

	return sym->st_shndx != SHN_UNDEF && sym->st_value &&
	       (type == STT_FUNC || type == STT_GNU_IFUNC ||
		(type == STT_NOTYPE && GELF_ST_BIND(sym->st_info) != STB_LOCAL));
}

/* Among aliases the public name is the one people know. */
static uint8_t rank_of(const GElf_Sym *sym)
{
	switch (GELF_ST_BIND(sym->st_info)) {
	case STB_GLOBAL:
		return 0;
	case STB_WEAK:
		return 1;
	default:
		return 2;
	}
}

bool elf_symbols__has_symtab(Elf *elf)
{
	GElf_Shdr header;

	return section_of_type(elf, SHT_SYMTAB, &header) && header.sh_size > header.sh_entsize;
}

/* On 32-bit ARM the lowest bit of a function's address says which instructions it has. */
static GElf_Addr address_bits(Elf *elf)
{
	GElf_Ehdr header;

	return gelf_getehdr(elf, &header) && header.e_machine == EM_ARM ? ~(GElf_Addr)1
									: ~(GElf_Addr)0;
}

size_t elf_symbols__add(struct symtab *t, Elf *elf)
{
	GElf_Word type = elf_symbols__has_symtab(elf) ? SHT_SYMTAB : SHT_DYNSYM;
	size_t before = t->list.n;
	GElf_Addr bits = address_bits(elf);
	GElf_Shdr header;
	Elf_Scn *section = section_of_type(elf, type, &header);
	Elf_Data *data = section ? elf_getdata(section, NULL) : NULL;

	for (size_t i = 1; data && i < header.sh_size / header.sh_entsize; i++) {
		GElf_Sym sym;
		const char *name;

		if (!gelf_getsym(data, (int)i, &sym))
			break;
		name = is_function(&sym) ? elf_strptr(elf, header.sh_link, sym.st_name) : NULL;
		if (name && *name)
			symtab__add(t, sym.st_value & bits, (sym.st_value & bits) + sym.st_size,
				    name, rank_of(&sym));
	}
	return t->list.n - before;
}
