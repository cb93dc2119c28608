/* SPDX-License-Identifier: GPL-2.0 */
/*
 * inlines - what the DWARF of an object says of an address: the functions that
 * the compiler merged there, and the source lines.
 *
 * A first look at an address costs the line table and the functions' list of its
 * compilation unit; other units are not read.
 */
#ifndef PERFCONV_SYMBOL_INLINES_H
#define PERFCONV_SYMBOL_INLINES_H

#include <libelf.h>
#include <stddef.h>
#include <stdint.h>

#define INLINES_MAX 64u /* deepest nesting that is shown */

struct inline_frame {
	const char *name; /* demangled; NULL: the debug information has none */
	const char *file; /* NULL: not known */
	uint32_t line;	  /* that is current in this function; 0: not known */
};

struct inlines;

/**
 * inlines__new - @elf is borrowed for the life of the result
 * Return: NULL if @elf has no DWARF.
 */
struct inlines *inlines__new(Elf *elf);
void inlines__free(struct inlines *in);

/**
 * inlines__find - the functions at ELF address @address, innermost first
 *
 * The last one is the function that has the machine code; the others are inlined
 * in it.  Strings live with @in.
 * Return: how many, at most INLINES_MAX; 0: nothing is known.
 */
size_t inlines__find(struct inlines *in, uint64_t address, struct inline_frame *out);

#endif
