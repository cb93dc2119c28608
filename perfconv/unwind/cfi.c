// SPDX-License-Identifier: GPL-2.0
/*
 * libdw interprets an FDE from its start for every look-up; that is what makes
 * unwinding with it slow.  Here each address is asked for once; a program has
 * some ten thousand of them, however long the capture.
 *
 * libdw gives locations as little expressions; the common forms are recognised,
 * the rest are copied, since libdw's last only as long as its frame.
 */
#include "perfconv/unwind/cfi.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/base/idmap.h"
#include "perfconv/base/mem.h"

struct object { /* by dso id */
	bool opened;
	Dwarf_CFI *eh_frame;	/* NULL: none */
	Dwarf *dwarf;		/* for .debug_frame; NULL: none */
	Dwarf_CFI *debug_frame; /* belongs to dwarf */
};

struct cfi_tables {
	VEC(struct object) objects;
	struct idmap keys;	      /* (dso, address) -> index into rules */
	VEC(struct cfi_rule *) rules; /* NULL: none for that address */
	VEC(struct cfi_expression) expressions;
};

struct cfi_tables *cfi_tables__new(void)
{
	return mem__alloc(1, sizeof(struct cfi_tables));
}

void cfi_tables__free(struct cfi_tables *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->objects.n; i++) {
		if (t->objects.data[i].eh_frame)
			dwarf_cfi_end(t->objects.data[i].eh_frame);
		dwarf_end(t->objects.data[i].dwarf);
	}
	for (size_t i = 0; i < t->rules.n; i++)
		free(t->rules.data[i]);
	for (size_t i = 0; i < t->expressions.n; i++)
		free(t->expressions.data[i].ops);
	vec__release(&t->objects);
	vec__release(&t->rules);
	vec__release(&t->expressions);
	idmap__release(&t->keys);
	free(t);
}

static struct object *object_of(struct cfi_tables *t, uint32_t dso, const struct image *image)
{
	struct object *o;

	while (t->objects.n <= dso)
		(void)vec__add(&t->objects);
	o = &t->objects.data[dso];
	if (o->opened)
		return o;
	o->opened = true;
	o->eh_frame = dwarf_getcfi_elf(image->elf);
	o->dwarf = dwarf_begin_elf(image->elf, DWARF_C_READ, NULL);
	if (o->dwarf)
		o->debug_frame = dwarf_getcfi(o->dwarf);
	return o;
}

static int32_t add_expression(struct cfi_tables *t, const Dwarf_Op *ops, size_t n)
{
	struct cfi_expression *e = vec__add(&t->expressions);

	e->ops = mem__alloc(n, sizeof(*ops));
	e->n = n;
	memcpy(e->ops, ops, n * sizeof(*ops));
	return (int32_t)(t->expressions.n - 1);
}

static bool fits(uint64_t number)
{
	return (int64_t)number >= INT32_MIN && (int64_t)number <= INT32_MAX;
}

/* "register + offset" is what nearly every CFA is. */
static bool is_register_plus(const Dwarf_Op *op, uint64_t *number, uint64_t *offset)
{
	bool wide = op->atom == DW_OP_bregx;

	*number = wide ? op->number : op->atom - (uint64_t)DW_OP_breg0;
	*offset = wide ? op->number2 : op->number;
	return (wide || (op->atom >= DW_OP_breg0 && op->atom <= DW_OP_breg31)) &&
	       *number < REGS_MAX && fits(*offset);
}

static bool compile_cfa(struct cfi_tables *t, Dwarf_Frame *frame, struct cfi_rule *rule)
{
	uint64_t number, offset;
	Dwarf_Op *ops;
	size_t n;

	if (dwarf_frame_cfa(frame, &ops, &n) || !n)
		return false;
	rule->cfa_is_expression = n != 1 || !is_register_plus(ops, &number, &offset);
	if (rule->cfa_is_expression) {
		rule->cfa_offset = add_expression(t, ops, n);
	} else {
		rule->cfa_register = (uint8_t)number;
		rule->cfa_offset = (int32_t)offset;
	}
	return true;
}

static bool is_cfa_plus(const Dwarf_Op *ops, size_t n, int32_t *offset)
{
	*offset = 0;
	if (!n || ops[0].atom != DW_OP_call_frame_cfa)
		return false;
	if (n == 1)
		return true;
	*offset = (int32_t)ops[1].number;
	return n == 2 && ops[1].atom == DW_OP_plus_uconst && fits(ops[1].number);
}

static struct cfi_place compile_place(struct cfi_tables *t, const Dwarf_Op *ops, size_t n)
{
	struct cfi_place p = { .where = CFI_AT_CFA };

	if (is_cfa_plus(ops, n, &p.offset))
		return p;
	p.where = CFI_IS_CFA;
	if (n && ops[n - 1].atom == DW_OP_stack_value && is_cfa_plus(ops, n - 1, &p.offset))
		return p;
	p.where = CFI_REGISTER;
	p.offset = (int32_t)(ops[0].atom == DW_OP_regx ? ops[0].number
						       : ops[0].atom - (uint64_t)DW_OP_reg0);
	if (n == 1 && (ops[0].atom == DW_OP_regx ||
		       (ops[0].atom >= DW_OP_reg0 && ops[0].atom <= DW_OP_reg31)))
		return p;
	p.where = CFI_EXPRESSION;
	p.offset = add_expression(t, ops, n);
	return p;
}

static bool compile(struct cfi_tables *t, Dwarf_Frame *frame, const struct regs_arch *arch,
		    struct cfi_rule *rule)
{
	int column = dwarf_frame_info(frame, NULL, NULL, &rule->signal);

	if (column < 0 || column >= (int)arch->dwarf_n || !compile_cfa(t, frame, rule))
		return false;
	rule->return_register = (uint8_t)column;
	for (int i = 0; i < (int)arch->dwarf_n; i++) {
		Dwarf_Op memory[3], *ops;
		size_t n;

		if (dwarf_frame_register(frame, i, memory, &ops, &n))
			return false;
		if (n) {
			rule->places[rule->places_n] = compile_place(t, ops, n);
			rule->places[rule->places_n++].reg = (uint8_t)i;
		} else if (!ops) {
			rule->same |= 1ull << i;
		} else if (i == column) {
			rule->outermost = true;
		}
	}
	return true;
}

static struct cfi_rule *compile_from(struct cfi_tables *t, Dwarf_CFI *cfi,
				     const struct regs_arch *arch, uint64_t address)
{
	struct cfi_rule *rule;
	Dwarf_Frame *frame;

	if (!cfi || dwarf_cfi_addrframe(cfi, address, &frame))
		return NULL;
	rule = mem__alloc(1, sizeof(*rule));
	if (!compile(t, frame, arch, rule)) {
		free(rule);
		rule = NULL;
	}
	free(frame);
	return rule;
}

const struct cfi_rule *cfi_tables__rule(struct cfi_tables *t, uint32_t dso,
					const struct image *image, const struct regs_arch *arch,
					uint64_t address)
{
	uint32_t id = idmap__intern(&t->keys, dso, address);
	struct cfi_rule *rule;
	struct object *o;

	if (id < t->rules.n)
		return t->rules.data[id];
	o = object_of(t, dso, image);
	rule = compile_from(t, o->eh_frame, arch, address);
	if (!rule)
		rule = compile_from(t, o->debug_frame, arch, address);
	vec__push(&t->rules, rule);
	return rule;
}

const struct cfi_expression *cfi_tables__expression(const struct cfi_tables *t, int32_t number)
{
	return &t->expressions.data[number];
}
