// SPDX-License-Identifier: GPL-2.0
#include "perfconv/unwind/expression.h"

#include <dwarf.h>

#define STACK_WORDS 64u
#define MAX_STEPS 1024u /* a loop in a hostile file ends here */

struct machine_state {
	uint64_t stack[STACK_WORDS];
	size_t depth;
	bool failed;
};

static void push(struct machine_state *m, uint64_t value)
{
	if (m->depth == STACK_WORDS)
		m->failed = true;
	else
		m->stack[m->depth++] = value;
}

static uint64_t pop(struct machine_state *m)
{
	if (!m->depth) {
		m->failed = true;
		return 0;
	}
	return m->stack[--m->depth];
}

static uint64_t pick(struct machine_state *m, uint64_t index)
{
	if (index >= m->depth) {
		m->failed = true;
		return 0;
	}
	return m->stack[m->depth - 1 - index];
}

static uint64_t reg(struct machine_state *m, const struct regs *regs, uint64_t number)
{
	if (number >= REGS_MAX || !(regs->known >> number & 1)) {
		m->failed = true;
		return 0;
	}
	return regs->value[number];
}

static bool is_binary(uint8_t atom)
{
	switch (atom) {
	case DW_OP_and:
	case DW_OP_or:
	case DW_OP_xor:
	case DW_OP_plus:
	case DW_OP_minus:
	case DW_OP_mul:
	case DW_OP_shl:
	case DW_OP_shr:
	case DW_OP_shra:
	case DW_OP_eq:
	case DW_OP_ne:
	case DW_OP_lt:
	case DW_OP_le:
	case DW_OP_gt:
	case DW_OP_ge:
		return true;
	default:
		return false;
	}
}

/* The sign is shifted in; written without what C leaves to the compiler. */
static uint64_t shift_signed(uint64_t a, uint64_t b)
{
	uint64_t sign = a >> 63 ? UINT64_MAX : 0;

	return b < 64 ? a >> b | (b ? sign << (64 - b) : 0) : sign;
}

static uint64_t binary(uint8_t atom, uint64_t a, uint64_t b)
{
	switch (atom) {
	case DW_OP_and:
		return a & b;
	case DW_OP_or:
		return a | b;
	case DW_OP_xor:
		return a ^ b;
	case DW_OP_plus:
		return a + b;
	case DW_OP_minus:
		return a - b;
	case DW_OP_mul:
		return a * b;
	case DW_OP_shl:
		return b < 64 ? a << b : 0;
	case DW_OP_shr:
		return b < 64 ? a >> b : 0;
	case DW_OP_shra:
		return shift_signed(a, b);
	case DW_OP_eq:
		return a == b;
	case DW_OP_ne:
		return a != b;
	case DW_OP_lt:
		return (int64_t)a < (int64_t)b;
	case DW_OP_le:
		return (int64_t)a <= (int64_t)b;
	case DW_OP_gt:
		return (int64_t)a > (int64_t)b;
	default: /* DW_OP_ge: see is_binary() */
		return (int64_t)a >= (int64_t)b;
	}
}

static void dereference(struct machine_state *m, const struct expression_context *c)
{
	uint64_t value;

	if (c->read(c->arg, pop(m), &value))
		push(m, value);
	else
		m->failed = true;
}

static void stack_operation(struct machine_state *m, const Dwarf_Op *op)
{
	uint64_t a, b;

	switch (op->atom) {
	case DW_OP_dup:
		push(m, pick(m, 0));
		break;
	case DW_OP_drop:
		pop(m);
		break;
	case DW_OP_over:
		push(m, pick(m, 1));
		break;
	case DW_OP_pick:
		push(m, pick(m, op->number));
		break;
	case DW_OP_swap:
		a = pop(m);
		b = pop(m);
		push(m, a);
		push(m, b);
		break;
	default:
		m->failed = true;
		break;
	}
}

static void constant_or_register(struct machine_state *m, const Dwarf_Op *op,
				 const struct expression_context *c)
{
	uint8_t atom = op->atom;

	if (atom >= DW_OP_lit0 && atom <= DW_OP_lit31)
		push(m, atom - DW_OP_lit0);
	else if (atom >= DW_OP_breg0 && atom <= DW_OP_breg31)
		push(m, reg(m, c->regs, atom - DW_OP_breg0) + op->number);
	else if (is_binary(atom)) {
		uint64_t b = pop(m), a = pop(m);

		push(m, binary(atom, a, b));
	} else
		stack_operation(m, op);
}

static void run(struct machine_state *m, const Dwarf_Op *op, const struct expression_context *c)
{
	switch (op->atom) {
	case DW_OP_addr:
	case DW_OP_const1u:
	case DW_OP_const1s:
	case DW_OP_const2u:
	case DW_OP_const2s:
	case DW_OP_const4u:
	case DW_OP_const4s:
	case DW_OP_const8u:
	case DW_OP_const8s:
	case DW_OP_constu:
	case DW_OP_consts:
		push(m, op->number);
		break;
	case DW_OP_bregx:
		push(m, reg(m, c->regs, op->number) + op->number2);
		break;
	case DW_OP_plus_uconst:
		push(m, pop(m) + op->number);
		break;
	case DW_OP_neg:
		push(m, -pop(m));
		break;
	case DW_OP_not:
		push(m, ~pop(m));
		break;
	case DW_OP_call_frame_cfa:
		push(m, c->cfa);
		break;
	case DW_OP_deref:
		dereference(m, c);
		break;
	case DW_OP_nop:
		break;
	default:
		constant_or_register(m, op, c);
		break;
	}
}

/* The operation at byte @offset of the expression, or @n. */
static size_t find_target(const Dwarf_Op *ops, size_t n, uint64_t offset)
{
	for (size_t i = 0; i < n; i++)
		if (ops[i].offset == offset)
			return i;
	return n;
}

bool expression__evaluate(const Dwarf_Op *ops, size_t n, const struct expression_context *context,
			  uint64_t *value, bool *is_value)
{
	struct machine_state m = { .depth = 0 };
	size_t at = 0;

	*is_value = false;
	for (size_t steps = 0; at < n && !m.failed; steps++) {
		const Dwarf_Op *op = &ops[at++];

		if (steps == MAX_STEPS)
			return false;
		if (op->atom == DW_OP_stack_value)
			*is_value = true;
		else if (op->atom == DW_OP_skip || (op->atom == DW_OP_bra && pop(&m)))
			at = find_target(ops, n, op->offset + 3 + (uint64_t)(int16_t)op->number);
		else if (op->atom != DW_OP_bra)
			run(&m, op, context);
	}
	*value = pop(&m);
	return !m.failed;
}
