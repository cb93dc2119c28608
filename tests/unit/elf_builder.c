// SPDX-License-Identifier: GPL-2.0
#include "tests/unit/elf_builder.h"

#define FILE_BYTES 0x10000u /* padding included: symbols may lie anywhere in it */
#define SYMBOLS_AT 0x8000u
#define STRINGS_AT 0xc000u
#define SECTIONS_AT 0xf000u
#define NOTE_AT 0xe000u
#define SECTIONS 4u

static void put_headers(uint8_t *file, bool note)
{
	Elf64_Ehdr h = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			     EV_CURRENT },
		.e_type = ET_DYN,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(Elf64_Ehdr),
		.e_shoff = SECTIONS_AT,
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = note ? 2 : 1,
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = SECTIONS,
		.e_shstrndx = 3,
	};
	Elf64_Phdr segments[2] = {
		{ .p_type = PT_LOAD,
		  .p_flags = PF_R | PF_X,
		  .p_vaddr = ELF_BASE,
		  .p_filesz = FILE_BYTES,
		  .p_memsz = FILE_BYTES,
		  .p_align = 4096 },
		{ .p_type = PT_NOTE,
		  .p_flags = PF_R,
		  .p_offset = NOTE_AT,
		  .p_vaddr = ELF_BASE + NOTE_AT,
		  .p_filesz = 36,
		  .p_memsz = 36,
		  .p_align = 4 },
	};

	memcpy(file, &h, sizeof(h));
	memcpy(file + sizeof(h), segments, sizeof(segments));
}

static void put_sections(uint8_t *file, size_t symbols_bytes, size_t strings_bytes)
{
	Elf64_Shdr s[SECTIONS] = {
		{ 0 },
		{ .sh_type = SHT_PROGBITS,
		  .sh_flags = SHF_ALLOC | SHF_EXECINSTR,
		  .sh_addr = ELF_BASE + 0x1000,
		  .sh_offset = 0x1000,
		  .sh_size = SYMBOLS_AT - 0x1000 },
		{ .sh_type = SHT_SYMTAB,
		  .sh_offset = SYMBOLS_AT,
		  .sh_size = symbols_bytes,
		  .sh_link = 3,
		  .sh_info = 1,
		  .sh_addralign = 8,
		  .sh_entsize = sizeof(Elf64_Sym) },
		{ .sh_type = SHT_STRTAB, .sh_offset = STRINGS_AT, .sh_size = strings_bytes },
	};

	memcpy(file + SECTIONS_AT, s, sizeof(s));
}

static void put_note(uint8_t *file, const uint8_t *build_id)
{
	Elf64_Nhdr note = { .n_namesz = 4, .n_descsz = 20, .n_type = NT_GNU_BUILD_ID };

	memcpy(file + NOTE_AT, &note, sizeof(note));
	memcpy(file + NOTE_AT + sizeof(note), "GNU", 4);
	memcpy(file + NOTE_AT + sizeof(note) + 4, build_id, 20);
}

const char *elf_builder__write(const char *folder, const char *name,
			       const struct elf_symbol *symbols, size_t n, const uint8_t *build_id)
{
	uint8_t *file = mem__alloc(FILE_BYTES, 1);
	size_t strings = 1;
	const char *path;

	put_headers(file, build_id != NULL);
	for (size_t i = 0; i < n; i++) {
		Elf64_Sym sym = {
			.st_name = (Elf64_Word)strings,
			.st_info = (unsigned char)ELF64_ST_INFO(symbols[i].binding, STT_FUNC),
			.st_shndx = 1,
			.st_value = ELF_BASE + symbols[i].offset,
			.st_size = symbols[i].size,
		};

		memcpy(file + SYMBOLS_AT + (i + 1) * sizeof(sym), &sym, sizeof(sym));
		memcpy(file + STRINGS_AT + strings, symbols[i].name, strlen(symbols[i].name) + 1);
		strings += strlen(symbols[i].name) + 1;
	}
	put_sections(file, (n + 1) * sizeof(Elf64_Sym), strings);
	if (build_id)
		put_note(file, build_id);
	path = scratch__write(folder, name, file, FILE_BYTES);
	free(file);
	return path;
}
