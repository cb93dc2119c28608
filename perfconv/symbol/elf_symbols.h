/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PERFCONV_SYMBOL_ELF_SYMBOLS_H
#define PERFCONV_SYMBOL_ELF_SYMBOLS_H

#include <libelf.h>
#include <stdbool.h>
#include <stddef.h>

#include "perfconv/symbol/symtab.h"

/**
 * elf_symbols__add - all functions of an ELF file: .symtab, or .dynsym without one
 * Return: how many were added.
 */
size_t elf_symbols__add(struct symtab *t, Elf *elf);

/** elf_symbols__has_symtab - whether the file has a full symbol table. */
bool elf_symbols__has_symtab(Elf *elf);

#endif
