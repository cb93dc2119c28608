/* SPDX-License-Identifier: GPL-2.0 */
/*
 * bytecode - what can be said of a position in a function's bytecode without
 * running it.  Code as compiled: without the specialisations that the interpreter
 * writes over it, so an instruction's opcode tells its family.
 */
#ifndef PERFCONV_RESOLVE_BYTECODE_H
#define PERFCONV_RESOLVE_BYTECODE_H

#include <stdbool.h>
#include <stdint.h>

#include "perfconv/sidefile/sidefile.h"

#define BYTECODE_NONE 0u /* no opcode */
#define BYTECODE_NOWHERE UINT32_MAX

/* A function and the version that compiled it. */
struct bytecode {
	const struct sidefile_code *code;
	uint32_t python_hex;
};

/** bytecode__is_known - whether this version's bytecode is understood. */
bool bytecode__is_known(uint32_t python_hex);

/**
 * bytecode__before - the instruction that ends at @offset, or whose inline caches do
 * @at: where it begins; may be NULL
 * Return: its opcode; BYTECODE_NONE if nothing can end there.
 */
uint8_t bytecode__before(struct bytecode b, uint32_t offset, uint32_t *at);

/** bytecode__may_call - whether an instruction with @opcode can call anything at all. */
bool bytecode__may_call(uint32_t python_hex, uint8_t opcode);

/**
 * bytecode__interrupted - the instruction after which the evaluator looks for signals
 * and other threads that want the GIL, when its next instruction is at @offset
 *
 * It does so after calls, at a function's start, and after jumps back.
 * @at: where the instruction begins; BYTECODE_NOWHERE: several lead there from different lines,
 * or very many
 * Return: false if there is none.
 */
bool bytecode__interrupted(struct bytecode b, uint32_t offset, uint32_t *at);

/** bytecode__line - the line of the instruction that begins at @at; 0: none, or nowhere. */
uint32_t bytecode__line(struct bytecode b, uint32_t at);

#endif
