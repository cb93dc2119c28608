/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PERFCONV_SYMBOL_KALLSYMS_H
#define PERFCONV_SYMBOL_KALLSYMS_H

#include "perfconv/base/errbuf.h"
#include "perfconv/symbol/symtab.h"

/**
 * kallsyms__read - the kernel's functions, modules included, from a kallsyms file
 *
 * Return: 0; -ENODATA if the kernel hides its addresses from this user; -errno.
 */
int kallsyms__read(struct symtab *t, const char *path, struct errbuf *err);

#endif
