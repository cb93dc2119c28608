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

#endif
