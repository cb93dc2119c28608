/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PERFCONV_SYMBOL_KALLSYMS_H
#define PERFCONV_SYMBOL_KALLSYMS_H

#include "perfconv/base/errbuf.h"
#include "perfconv/symbol/symtab.h"

/**
 * kallsyms__read - the kernel's functions, modules included, from a kallsyms file
 *
 * The caller finishes the table.
 * @symbol, @address: a symbol and where the capture says it was; @address 0: not known
 * Return: 0; -ENODATA if the kernel hides its addresses from this user; -ESTALE if
 * the symbol is elsewhere now, so that all names would be wrong; -errno.
 */
int kallsyms__read(struct symtab *t, const char *path, const char *symbol, uint64_t address,
		   struct errbuf *err);

/**
 * kallsyms__excerpt - the lines of a kallsyms file that name @n @addresses
 *
 * Those of the nearest function at or before each address and of the one behind it,
 * and those of @symbol: for these addresses, kallsyms__read() says the same of both.
 * Return: 0 with *@text (free() it) and *@bytes set; -errno.
 */
int kallsyms__excerpt(const char *path, const char *symbol, const uint64_t *addresses, size_t n,
		      char **text, size_t *bytes);

#endif
