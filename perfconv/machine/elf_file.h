/* SPDX-License-Identifier: GPL-2.0 */
/* elf_file - an ELF file in memory, and who it says it is. */
#ifndef PERFCONV_MACHINE_ELF_FILE_H
#define PERFCONV_MACHINE_ELF_FILE_H

#include <libelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * elf_file__map - the file behind a descriptor, which is closed in any case
 * @fd: may be negative
 * Return: for elf_end(); NULL if it cannot be read.  What it is, is not checked.
 */
Elf *elf_file__map(int fd);

/**
 * elf_file__build_id - the build-id in the notes of @elf
 * Return: true with *@id, borrowed from @elf, and *@bytes set; false if it has none.
 */
bool elf_file__build_id(Elf *elf, const uint8_t **id, size_t *bytes);

/** elf_file__section - the section named @name, or NULL. */
Elf_Scn *elf_file__section(Elf *elf, const char *name);

#endif
