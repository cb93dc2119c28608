/* SPDX-License-Identifier: GPL-2.0 */
/*
 * elf_builder - a small ELF file: one executable segment that holds the whole
 * file at ELF_BASE, a symbol table, and a build-id note if asked for.
 */
#ifndef PERFCONV_TESTS_UNIT_ELF_BUILDER_H
#define PERFCONV_TESTS_UNIT_ELF_BUILDER_H

#include <elf.h>

#include "tests/unit/support.h"

#define ELF_BASE 0x400000u

struct elf_symbol {
	const char *name;
	uint64_t offset, size; /* offset in the file; its address is ELF_BASE more */
	unsigned char binding; /* STB_* */
};

/** elf_builder__write - Return: the path, as scratch__path().  @build_id: 20 bytes or NULL. */
const char *elf_builder__write(const char *folder, const char *name,
			       const struct elf_symbol *symbols, size_t n, const uint8_t *build_id);

#endif
