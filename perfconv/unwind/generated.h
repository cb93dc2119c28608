/* SPDX-License-Identifier: GPL-2.0 */
/* generated - stepping through generated code, as far as its code map tells how. */
#ifndef PERFCONV_UNWIND_GENERATED_H
#define PERFCONV_UNWIND_GENERATED_H

#include <stdint.h>

#include "perfconv/machine/machine.h"
#include "perfconv/unwind/cfi.h"

/**
 * generated__rule - how to step from @ip of process @process
 *
 * @tables: keeps what is compiled from a jitdump's unwinding tables
 * Return: the rule, living with the tables; NULL if @ip is in no generated code,
 * or nobody tells: it may keep frame pointers.
 */
const struct cfi_rule *generated__rule(struct cfi_tables *tables, const struct machine *machine,
				       uint32_t process, uint64_t ip, const struct regs_arch *arch);

#endif
