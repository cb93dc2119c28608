/* SPDX-License-Identifier: MIT */
/*
 * elf_image.h - writes the bytes of a trampoline arena: a small ELF shared object.
 *
 *     0                                  text        dynamic    symtab      tail    file end
 *     | headers note hash dynsym dynstr  | slots     | dynamic  | symtab    | names  |
 *     | eh_frame_hdr eh_frame            |           |          | strtab    | of     |
 *     |                                  |           |          |           | sections
 *     |<- segment R ------------------->|<- R X --->|<- R W -->|<- not loaded ------->|
 *
 * Addresses equal file offsets.  Slot s has one FDE and owns symbol s, which is
 * zero (no symbol) until somebody names the slot.  Slot 0 is reserved: the null
 * symbol's.  The string table begins with a zero byte and has room to grow.
 *
 * Pure layout: no I/O, no allocation, any machine on any little-endian machine.
 */
#ifndef PYFRAMES_ELF_IMAGE_H
#define PYFRAMES_ELF_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "pyframes_format.h"
#include "stub.h"

#define ELF_IMAGE_MAX_SLOTS (1u << 20)

/**
 * struct elf_layout - offsets into the file, in bytes
 * @loaded_bytes: size of what is mapped at run time, from offset 0
 * @symtab:       begins on a page, so that symtab and strtab can be mapped for writing
 * @names_bytes:  symtab and strtab together, a multiple of the page size
 * @tail:         section names and section headers
 * @file_bytes:   all of it
 */
struct elf_layout {
	const struct stub_machine *machine;
	uint32_t slots;
	uint64_t note;
	uint64_t hash;
	uint64_t dynsym;
	uint64_t dynstr;
	uint64_t eh_hdr;
	uint64_t eh_hdr_bytes;
	uint64_t eh_frame;
	uint64_t eh_frame_bytes;
	uint64_t text;
	uint64_t dynamic;
	uint64_t loaded_bytes;
	uint64_t symtab;
	uint64_t strtab;
	uint64_t strtab_bytes;
	uint64_t names_bytes;
	uint64_t tail;
	uint64_t section_headers;
	uint64_t file_bytes;
};

/**
 * elf_layout__init() - decides where everything goes
 * @machine:    whose code the slots hold
 * @slots:      how many, slot 0 included; 2 to ELF_IMAGE_MAX_SLOTS
 * @name_bytes: room in the string table per slot
 *
 * Return: 0, or -EINVAL when @slots or @name_bytes is out of range.
 */
int elf_layout__init(struct elf_layout *layout, const struct stub_machine *machine, uint32_t slots,
		     uint32_t name_bytes);

/**
 * elf_image__write_loaded() - writes the loaded part
 * @image: layout->loaded_bytes bytes, zeroed by the caller
 */
void elf_image__write_loaded(const struct elf_layout *layout,
			     const uint8_t build_id[PYFRAMES_BUILD_ID_BYTES], uint8_t *image);

/**
 * elf_image__write_tail() - writes what lies behind the names
 * @tail: layout->file_bytes - layout->tail bytes, zeroed by the caller
 */
void elf_image__write_tail(const struct elf_layout *layout, uint8_t *tail);

/**
 * elf_image__write_symbol() - names a slot
 * @names:       layout->names_bytes bytes that stand at layout->symtab
 * @slot:        1 to slots - 1
 * @name_offset: where in the string table the name begins; it is there already
 */
void elf_image__write_symbol(const struct elf_layout *layout, uint8_t *names, uint32_t slot,
			     uint32_t name_offset);

#endif
