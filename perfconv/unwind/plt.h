/* SPDX-License-Identifier: GPL-2.0 */
/*
 * plt - how to step out of a procedure linkage table that has no CFI: some
 * linkers write none for the code that they make themselves.
 */
#ifndef PERFCONV_UNWIND_PLT_H
#define PERFCONV_UNWIND_PLT_H

#include <libelf.h>
#include <stdbool.h>
#include <stdint.h>

#include "perfconv/unwind/cfi.h"

/**
 * plt__rule - the rule for ELF address @address
 * Return: true with @rule, all zeros before, set; false if no PLT of a form that is
 * known lies there.
 */
bool plt__rule(Elf *elf, const struct regs_arch *arch, uint64_t address, struct cfi_rule *rule);

#endif
