/* SPDX-License-Identifier: GPL-2.0 */
/*
 * trampoline - stepping through the stubs that CPython 3.12 and later run each
 * code object through under -X perf: generated code without CFI, of few forms.
 */
#ifndef PERFCONV_UNWIND_TRAMPOLINE_H
#define PERFCONV_UNWIND_TRAMPOLINE_H

#include "perfconv/machine/codemap.h"
#include "perfconv/unwind/cfi.h"

/**
 * trampoline__rule - how to step from a place in @code
 * Return: static storage; NULL if it is no stub of CPython's.
 */
const struct cfi_rule *trampoline__rule(const struct codemap_code *code,
					const struct regs_arch *arch);

#endif
