/* SPDX-License-Identifier: GPL-2.0 */
/*
 * expression - DWARF expressions as they occur in CFI: PLT entries, signal
 * frames, hand-written assembly.
 */
#ifndef PERFCONV_UNWIND_EXPRESSION_H
#define PERFCONV_UNWIND_EXPRESSION_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perfconv/unwind/regs.h"

/* Reads the word at @address of the sample's stack copy.  Return: false if it is not there. */
typedef bool (*expression_read)(void *arg, uint64_t address, uint64_t *value);

struct expression_context {
	const struct regs *regs; /* of the frame that is left */
	uint64_t cfa;		 /* for DW_OP_call_frame_cfa; 0 while the CFA is computed */
	expression_read read;
	void *arg;
};

/**
 * expression__evaluate - run @ops
 *
 * Return: true with @value set to the top of the stack and @is_value set if the
 * expression says that this is the value itself, not its address; false if it
 * needs what is not known, or has operations that CFI does not use.
 */
bool expression__evaluate(const Dwarf_Op *ops, size_t n, const struct expression_context *context,
			  uint64_t *value, bool *is_value);

#endif
