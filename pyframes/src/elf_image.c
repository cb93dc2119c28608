/* SPDX-License-Identifier: MIT */
/*
 * elf_image.c - an ELF writer for exactly one kind of file.
 *
 * Written by hand rather than by a linker, so that neither building nor running
 * needs a toolchain.  glibc's loader wants a writable dynamic section (it
 * relocates the pointers in it), a symbol table, a hash and a string table; perf
 * and gdb want section headers, .symtab, .eh_frame_hdr and the build-id note.
 */
#include "elf_image.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

enum section {
	SECTION_NULL,
	SECTION_NOTE,
	SECTION_HASH,
	SECTION_DYNSYM,
	SECTION_DYNSTR,
	SECTION_EH_HDR,
	SECTION_EH_FRAME,
	SECTION_TEXT,
	SECTION_DYNAMIC,
	SECTION_SYMTAB,
	SECTION_STRTAB,
	SECTION_SHSTRTAB,
	SECTION_COUNT,
};

#define SEGMENTS 7u
#define DYNAMIC_ENTRIES 7u
#define NOTE_BYTES (sizeof(Elf64_Nhdr) + 4 + PYFRAMES_BUILD_ID_BYTES)
#define HASH_BYTES (4 * sizeof(uint32_t))
#define EH_HDR_HEAD_BYTES 12u
#define FDE_BYTES 32u

static const char soname[] = "\0pyframes-arena.so";

static const char section_names[] = "\0.note.gnu.build-id\0.hash\0.dynsym\0.dynstr\0.eh_frame_hdr\0"
				    ".eh_frame\0.text\0.dynamic\0.symtab\0.strtab\0.shstrtab";

static uint64_t align_up(uint64_t value, uint64_t alignment)
{
	return (value + alignment - 1) & ~(alignment - 1);
}

static uint64_t cie_bytes(const struct stub_machine *machine)
{
	return 8 + (uint64_t)machine->cie_bytes;
}

static void layout__place_loaded(struct elf_layout *layout)
{
	const struct stub_machine *machine = layout->machine;
	uint64_t at = sizeof(Elf64_Ehdr) + SEGMENTS * sizeof(Elf64_Phdr);

	layout->note = at;
	at = align_up(at + NOTE_BYTES, 8);
	layout->hash = at;
	at = align_up(at + HASH_BYTES, 8);
	layout->dynsym = at;
	at += sizeof(Elf64_Sym);
	layout->dynstr = at;
	at = align_up(at + sizeof(soname), 8);
	layout->eh_hdr = at;
	layout->eh_hdr_bytes = EH_HDR_HEAD_BYTES + 8 * (uint64_t)layout->slots;
	at = align_up(at + layout->eh_hdr_bytes, 8);
	layout->eh_frame = at;
	layout->eh_frame_bytes = cie_bytes(machine) + FDE_BYTES * (uint64_t)layout->slots + 4;
	at = align_up(at + layout->eh_frame_bytes, machine->page_bytes);
	layout->text = at;
	at = align_up(at + (uint64_t)layout->slots * machine->slot_bytes, machine->page_bytes);
	layout->dynamic = at;
	layout->loaded_bytes = at + DYNAMIC_ENTRIES * sizeof(Elf64_Dyn);
}

int elf_layout__init(struct elf_layout *layout, const struct stub_machine *machine, uint32_t slots,
		     uint32_t name_bytes)
{
	uint64_t at;

	if (slots < 2 || slots > ELF_IMAGE_MAX_SLOTS || name_bytes < 16 || name_bytes > 1024)
		return -EINVAL;
	memset(layout, 0, sizeof(*layout));
	layout->machine = machine;
	layout->slots = slots;
	layout__place_loaded(layout);
	layout->symtab = align_up(layout->loaded_bytes, machine->page_bytes);
	at = layout->symtab + slots * sizeof(Elf64_Sym);
	layout->strtab = at;
	at = align_up(at + (uint64_t)slots * name_bytes, machine->page_bytes);
	layout->strtab_bytes = at - layout->strtab;
	layout->names_bytes = at - layout->symtab;
	layout->tail = at;
	layout->section_headers = align_up(at + sizeof(section_names), 8);
	layout->file_bytes = layout->section_headers + SECTION_COUNT * sizeof(Elf64_Shdr);
	return 0;
}

static void image__write_header(const struct elf_layout *layout, uint8_t *image)
{
	Elf64_Ehdr header = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			     EV_CURRENT, ELFOSABI_SYSV },
		.e_type = ET_DYN,
		.e_machine = layout->machine->elf_machine,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(Elf64_Ehdr),
		.e_shoff = layout->section_headers,
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = SEGMENTS,
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = SECTION_COUNT,
		.e_shstrndx = SECTION_SHSTRTAB,
	};

	memcpy(image, &header, sizeof(header));
}

static Elf64_Phdr segment(uint32_t type, uint32_t flags, uint64_t at, uint64_t bytes,
			  uint64_t alignment)
{
	Elf64_Phdr header = {
		.p_type = type,
		.p_flags = flags,
		.p_offset = at,
		.p_vaddr = at,
		.p_paddr = at,
		.p_filesz = bytes,
		.p_memsz = bytes,
		.p_align = alignment,
	};

	return header;
}

static void image__write_segments(const struct elf_layout *layout, uint8_t *image)
{
	uint64_t page = layout->machine->page_bytes;
	uint64_t text_bytes = (uint64_t)layout->slots * layout->machine->slot_bytes;
	uint64_t dynamic_bytes = layout->loaded_bytes - layout->dynamic;
	Elf64_Phdr segments[SEGMENTS] = {
		segment(PT_LOAD, PF_R, 0, layout->eh_frame + layout->eh_frame_bytes, page),
		segment(PT_LOAD, PF_R | PF_X, layout->text, text_bytes, page),
		segment(PT_LOAD, PF_R | PF_W, layout->dynamic, dynamic_bytes, page),
		segment(PT_DYNAMIC, PF_R | PF_W, layout->dynamic, dynamic_bytes, 8),
		segment(PT_NOTE, PF_R, layout->note, NOTE_BYTES, 4),
		segment(PT_GNU_EH_FRAME, PF_R, layout->eh_hdr, layout->eh_hdr_bytes, 4),
		segment(PT_GNU_STACK, PF_R | PF_W, 0, 0, 16),
	};

	memcpy(image + sizeof(Elf64_Ehdr), segments, sizeof(segments));
}

static void image__write_dynamic(const struct elf_layout *layout,
				 const uint8_t build_id[PYFRAMES_BUILD_ID_BYTES], uint8_t *image)
{
	Elf64_Nhdr note = { .n_namesz = 4, .n_descsz = PYFRAMES_BUILD_ID_BYTES, .n_type = 3 };
	uint32_t hash[4] = { 1, 1, 0, 0 }; /* one bucket, one symbol (null), empty */
	Elf64_Dyn dynamic[DYNAMIC_ENTRIES] = {
		{ .d_tag = DT_SONAME, .d_un.d_val = 1 },
		{ .d_tag = DT_HASH, .d_un.d_ptr = layout->hash },
		{ .d_tag = DT_STRTAB, .d_un.d_ptr = layout->dynstr },
		{ .d_tag = DT_SYMTAB, .d_un.d_ptr = layout->dynsym },
		{ .d_tag = DT_STRSZ, .d_un.d_val = sizeof(soname) },
		{ .d_tag = DT_SYMENT, .d_un.d_val = sizeof(Elf64_Sym) },
		{ .d_tag = DT_NULL },
	};

	memcpy(image + layout->note, &note, sizeof(note));
	memcpy(image + layout->note + sizeof(note), "GNU", 4);
	memcpy(image + layout->note + sizeof(note) + 4, build_id, PYFRAMES_BUILD_ID_BYTES);
	memcpy(image + layout->hash, hash, sizeof(hash));
	memcpy(image + layout->dynstr, soname, sizeof(soname));
	memcpy(image + layout->dynamic, dynamic, sizeof(dynamic));
}

static void put32(uint8_t *at, uint64_t value)
{
	uint32_t word = (uint32_t)value;

	memcpy(at, &word, sizeof(word));
}

/* The search table holds (address, FDE) pairs in address order, which is slot order. */
static void image__write_unwind(const struct elf_layout *layout, uint8_t *image)
{
	static const uint8_t encodings[4] = { 1, 0x1b, 0x03, 0x3b };
	const struct stub_machine *machine = layout->machine;
	uint8_t *table = image + layout->eh_hdr;
	uint8_t *cie = image + layout->eh_frame;
	uint32_t slot;

	memcpy(table, encodings, sizeof(encodings));
	put32(table + 4, layout->eh_frame - (layout->eh_hdr + 4));
	put32(table + 8, layout->slots);
	table += EH_HDR_HEAD_BYTES;

	put32(cie, cie_bytes(machine) - 4);
	memcpy(cie + 8, machine->cie, machine->cie_bytes);
	for (slot = 0; slot < layout->slots; slot++, table += 8) {
		uint64_t address = layout->text + (uint64_t)slot * machine->slot_bytes;
		uint64_t at = layout->eh_frame + cie_bytes(machine) + (uint64_t)slot * FDE_BYTES;
		uint8_t *fde = image + at;

		put32(fde, FDE_BYTES - 4);
		put32(fde + 4, at + 4 - layout->eh_frame);
		put32(fde + 8, address - (at + 8));
		put32(fde + 12, machine->slot_bytes);
		memcpy(fde + 17, machine->fde, machine->fde_bytes);
		put32(table, address - layout->eh_hdr);
		put32(table + 4, at - layout->eh_hdr);
	}
}

static void image__write_text(const struct elf_layout *layout, uint8_t *image)
{
	const struct stub_machine *machine = layout->machine;
	uint8_t *at = image + layout->text;
	uint32_t slot;

	for (slot = 0; slot < layout->slots; slot++, at += machine->slot_bytes) {
		memset(at, machine->fill, machine->slot_bytes);
		memcpy(at, machine->code, machine->code_bytes);
	}
}

void elf_image__write_loaded(const struct elf_layout *layout,
			     const uint8_t build_id[PYFRAMES_BUILD_ID_BYTES], uint8_t *image)
{
	image__write_header(layout, image);
	image__write_segments(layout, image);
	image__write_dynamic(layout, build_id, image);
	image__write_unwind(layout, image);
	image__write_text(layout, image);
}

static Elf64_Shdr section(uint32_t type, uint64_t flags, uint64_t at, uint64_t bytes,
			  uint64_t alignment)
{
	Elf64_Shdr header = {
		.sh_type = type,
		.sh_flags = flags,
		.sh_addr = flags & SHF_ALLOC ? at : 0,
		.sh_offset = at,
		.sh_size = bytes,
		.sh_addralign = alignment,
	};

	return header;
}

void elf_image__write_tail(const struct elf_layout *layout, uint8_t *tail)
{
	uint64_t text_bytes = (uint64_t)layout->slots * layout->machine->slot_bytes;
	Elf64_Shdr headers[SECTION_COUNT] = {
		[SECTION_NOTE] = section(SHT_NOTE, SHF_ALLOC, layout->note, NOTE_BYTES, 4),
		[SECTION_HASH] = section(SHT_HASH, SHF_ALLOC, layout->hash, HASH_BYTES, 8),
		[SECTION_DYNSYM] =
			section(SHT_DYNSYM, SHF_ALLOC, layout->dynsym, sizeof(Elf64_Sym), 8),
		[SECTION_DYNSTR] =
			section(SHT_STRTAB, SHF_ALLOC, layout->dynstr, sizeof(soname), 1),
		[SECTION_EH_HDR] =
			section(SHT_PROGBITS, SHF_ALLOC, layout->eh_hdr, layout->eh_hdr_bytes, 4),
		[SECTION_EH_FRAME] = section(SHT_PROGBITS, SHF_ALLOC, layout->eh_frame,
					     layout->eh_frame_bytes, 8),
		[SECTION_TEXT] = section(SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, layout->text,
					 text_bytes, 16),
		[SECTION_DYNAMIC] = section(SHT_DYNAMIC, SHF_ALLOC | SHF_WRITE, layout->dynamic,
					    layout->loaded_bytes - layout->dynamic, 8),
		[SECTION_SYMTAB] = section(SHT_SYMTAB, 0, layout->symtab,
					   layout->slots * sizeof(Elf64_Sym), 8),
		[SECTION_STRTAB] = section(SHT_STRTAB, 0, layout->strtab, layout->strtab_bytes, 1),
		[SECTION_SHSTRTAB] = section(SHT_STRTAB, 0, layout->tail, sizeof(section_names), 1),
	};
	const char *name = section_names;
	unsigned int i;

	for (i = 0; i < SECTION_COUNT; i++) {
		headers[i].sh_name = (uint32_t)(name - section_names);
		name += strlen(name) + 1;
	}
	headers[SECTION_HASH].sh_link = SECTION_DYNSYM;
	headers[SECTION_HASH].sh_entsize = sizeof(uint32_t);
	headers[SECTION_DYNSYM].sh_link = SECTION_DYNSTR;
	headers[SECTION_DYNSYM].sh_entsize = sizeof(Elf64_Sym);
	headers[SECTION_DYNSYM].sh_info = 1;
	headers[SECTION_DYNAMIC].sh_link = SECTION_DYNSTR;
	headers[SECTION_DYNAMIC].sh_entsize = sizeof(Elf64_Dyn);
	headers[SECTION_SYMTAB].sh_link = SECTION_STRTAB;
	headers[SECTION_SYMTAB].sh_entsize = sizeof(Elf64_Sym);
	headers[SECTION_SYMTAB].sh_info = layout->slots; /* all symbols are local */

	memcpy(tail, section_names, sizeof(section_names));
	memcpy(tail + (layout->section_headers - layout->tail), headers, sizeof(headers));
}

void elf_image__write_symbol(const struct elf_layout *layout, uint8_t *names, uint32_t slot,
			     uint32_t name_offset)
{
	Elf64_Sym symbol = {
		.st_name = name_offset,
		.st_info = ELF64_ST_INFO(STB_LOCAL, STT_FUNC),
		.st_shndx = SECTION_TEXT,
		.st_value = layout->text + (uint64_t)slot * layout->machine->slot_bytes,
		.st_size = layout->machine->slot_bytes,
	};

	memcpy(names + slot * sizeof(Elf64_Sym), &symbol, sizeof(symbol));
}
