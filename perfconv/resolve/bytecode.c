// SPDX-License-Identifier: GPL-2.0
#include "perfconv/resolve/bytecode.h"

#include <stddef.h>

#include "perfconv/sidefile/linetable.h"

#define UNIT_BYTES 2u
#define CACHE 0u       /* from 3.11 on: room of the instruction before */
#define MAX_CACHES 16u /* no instruction has more */
#define OPCODES_MAX 16
#define MAX_WAYS 8u /* to one place */

/* Opcodes by what is asked of them; lists end with 0. */
struct version {
	uint32_t minor;			 /* python_hex >> 16 */
	uint8_t extended_arg;		 /* gives the next instruction more of an argument */
	uint8_t jump_caches;		 /* of a jump back, bytes */
	uint8_t silent[OPCODES_MAX];	 /* only move values about: they call nothing */
	uint8_t looks[OPCODES_MAX];	 /* look for signals when they are done */
	uint8_t jumps_back[OPCODES_MAX]; /* and these, at their target */
};

static const struct version versions[] = {
	{
		.minor = 0x0309,
		.extended_arg = 144,
		/* ROT_TWO ROT_THREE DUP_TOP ROT_FOUR NOP LOAD_CONST JUMP_FORWARD LOAD_FAST
		 * LOAD_CLOSURE */
		.silent = { 2, 3, 4, 6, 9, 100, 110, 124, 135 },
	},
	{
		.minor = 0x030a,
		.extended_arg = 144,
		.silent = { 2, 3, 4, 6, 9, 100, 110, 124, 135 },
	},
	{
		.minor = 0x030b,
		.extended_arg = 144,
		/* PUSH_NULL NOP SWAP LOAD_CONST JUMP_FORWARD COPY LOAD_FAST LOAD_CLOSURE
		 * COPY_FREE_VARS KW_NAMES */
		.silent = { 2, 9, 99, 100, 110, 120, 124, 136, 149, 172 },
		/* CALL_FUNCTION_EX RESUME PRECALL CALL */
		.looks = { 142, 151, 166, 171 },
		/* JUMP_BACKWARD POP_JUMP_BACKWARD_IF_... */
		.jumps_back = { 140, 173, 174, 175, 176 },
	},
	{
		.minor = 0x030c,
		.extended_arg = 144,
		.silent = { 2, 9, 99, 100, 110, 120, 124, 136, 143, 149, 172 },
		.looks = { 142, 151, 171 },
		.jumps_back = { 140 },
	},
	{
		.minor = 0x030d,
		.extended_arg = 71,
		.jump_caches = 2,
		/* NOP PUSH_NULL COPY COPY_FREE_VARS JUMP_FORWARD LOAD_CONST LOAD_FAST
		 * LOAD_FAST_AND_CLEAR LOAD_FAST_LOAD_FAST SWAP */
		.silent = { 30, 34, 61, 62, 79, 83, 85, 86, 88, 115 },
		/* CALL CALL_FUNCTION_EX CALL_KW RESUME */
		.looks = { 53, 54, 57, 149 },
		.jumps_back = { 77 },
	},
};

static const struct version *version_of(uint32_t python_hex)
{
	for (size_t i = 0; i < sizeof(versions) / sizeof(*versions); i++)
		if (versions[i].minor == python_hex >> 16)
			return &versions[i];
	return NULL;
}

static bool is_in(const uint8_t *list, uint8_t opcode)
{
	for (size_t i = 0; i < OPCODES_MAX && list[i]; i++)
		if (list[i] == opcode)
			return true;
	return false;
}

bool bytecode__is_known(uint32_t python_hex)
{
	return version_of(python_hex) != NULL;
}

uint8_t bytecode__before(struct bytecode b, uint32_t offset, uint32_t *at)
{
	const uint8_t *bytes = b.code->bytecode;

	if (offset % UNIT_BYTES || offset < UNIT_BYTES || offset > b.code->bytecode_bytes)
		return BYTECODE_NONE;
	offset -= UNIT_BYTES;
	for (unsigned int i = 0; i < MAX_CACHES && offset && bytes[offset] == CACHE; i++)
		offset -= UNIT_BYTES;
	if (at)
		*at = offset;
	return bytes[offset];
}

bool bytecode__may_call(uint32_t python_hex, uint8_t opcode)
{
	const struct version *v = version_of(python_hex);

	return v && opcode != BYTECODE_NONE && opcode != v->extended_arg &&
	       !is_in(v->silent, opcode);
}

uint32_t bytecode__line(struct bytecode b, uint32_t at)
{
	return linetable__line(b.code, b.python_hex, at);
}

/*
 * Instructions that lead to one place.  If they are of two lines, or very many, it is
 * nobody's: each costs a walk through the line table.
 */
struct ways {
	uint32_t n, at, line;
};

static void add_way(struct bytecode b, struct ways *w, uint32_t at)
{
	uint32_t line = bytecode__line(b, at);

	if (!w->n++)
		w->line = line;
	else if (w->line != line)
		w->n = MAX_WAYS;
	w->at = at;
}

bool bytecode__interrupted(struct bytecode b, uint32_t offset, uint32_t *at)
{
	const struct version *v = version_of(b.python_hex);
	struct ways ways = { 0 };
	uint64_t argument = 0;
	uint32_t before = 0;

	if (!v || !v->looks[0])
		return false;
	if (is_in(v->looks, bytecode__before(b, offset, &before)))
		add_way(b, &ways, before);
	for (uint32_t i = 0; i + UNIT_BYTES <= b.code->bytecode_bytes && ways.n < MAX_WAYS;
	     i += UNIT_BYTES) {
		uint8_t opcode = b.code->bytecode[i];

		argument = (argument << 8 | b.code->bytecode[i + 1]) & UINT32_MAX;
		if (opcode == v->extended_arg)
			continue;
		if (is_in(v->jumps_back, opcode) &&
		    offset + UNIT_BYTES * argument == i + UNIT_BYTES + v->jump_caches)
			add_way(b, &ways, i);
		argument = 0;
	}
	*at = ways.n < MAX_WAYS ? ways.at : BYTECODE_NOWHERE;
	return ways.n > 0;
}
