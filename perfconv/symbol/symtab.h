/* SPDX-License-Identifier: GPL-2.0 */
/* symtab - function names by address range, for one object. */
#ifndef PERFCONV_SYMBOL_SYMTAB_H
#define PERFCONV_SYMBOL_SYMTAB_H

#include <stdint.h>

#include "perfconv/base/mem.h"

struct symbol {
	uint64_t start, end; /* [start, end) */
	char *shown;	     /* demangled; NULL until asked for */
	uint32_t name;	     /* as the object has it: where in the table's text */
	uint8_t rank;	     /* of symbols with one address, the lowest is kept */
};

/* Zero-initialised is empty. */
struct symtab {
	VEC(struct symbol) list;
	VEC(char) text; /* names, each with its zero byte; at most 4 GiB */
};

/**
 * symtab__add - a symbol; @end == @start means: up to the next one
 * @name: is copied; the symbol is left out if there is no room for it
 */
void symtab__add(struct symtab *t, uint64_t start, uint64_t end, const char *name, uint8_t rank);

/**
 * symtab__finish - sort, choose among aliases; call once after the last add
 * @max_unsized: bytes after which a symbol without a size ends at the latest
 */
void symtab__finish(struct symtab *t, uint64_t max_unsized);

/** symtab__find - the name of the function that holds @address, demangled; NULL: none. */
const char *symtab__find(struct symtab *t, uint64_t address);

/** symtab__demangle - C++ and Rust names as their authors wrote them; free() it. */
char *symtab__demangle(const char *name);

void symtab__release(struct symtab *t);

#endif
