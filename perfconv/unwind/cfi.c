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
#include "perfconv/machine/elf_file.h"
#include "perfconv/unwind/plt.h"

struct debug_frame {
	Dwarf *dwarf;	/* NULL: none */
	Dwarf_CFI *cfi; /* belongs to it */
};

/* By dso id.  The later sources are opened when the earlier ones lack an address. */
struct object {
	bool eh_frame_tried, own_tried, separate_tried;
	Dwarf_CFI *eh_frame; /* NULL: none */
	struct debug_frame own, separate;
};

struct cfi_tables {
	const struct dsos *dsos;
	struct images *images;
	VEC(struct object) objects;
	struct idmap keys;	      /* (dso, address) -> index into rules */
	VEC(struct cfi_rule *) rules; /* NULL: none for that address */
	VEC(struct cfi_expression) expressions;
};

struct cfi_tables *cfi_tables__new(const struct dsos *dsos, struct images *images)
{
	struct cfi_tables *t = mem__alloc(1, sizeof(*t));

	t->dsos = dsos;
	t->images = images;
	return t;
}

void cfi_tables__free(struct cfi_tables *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->objects.n; i++) {
		if (t->objects.data[i].eh_frame)
			dwarf_cfi_end(t->objects.data[i].eh_frame);
		dwarf_end(t->objects.data[i].own.dwarf);
		dwarf_end(t->objects.data[i].separate.dwarf);
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

static struct object *object_of(struct cfi_tables *t, uint32_t dso)
{
	while (t->objects.n <= dso)
		(void)vec__add(&t->objects);
	return &t->objects.data[dso];
}

/* libdw unpacks all debug sections of a file that it opens, so it is not opened in vain. */
static void open_debug_frame(struct debug_frame *f, Elf *elf)
{
	if (!elf ||
	    (!elf_file__section(elf, ".debug_frame") && !elf_file__section(elf, ".zdebug_frame")))
		return;
	f->dwarf = dwarf_begin_elf(elf, DWARF_C_READ, NULL);
	if (f->dwarf)
		f->cfi = dwarf_getcfi(f->dwarf);
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

/* "The caller's SP is the CFA" goes without saying. */
static bool is_sp_at_cfa(const struct cfi_place *p, const struct regs_arch *arch)
{
	return p->reg == arch->sp && p->where == CFI_IS_CFA && !p->offset;
}

void cfi_rule__seal(struct cfi_rule *rule, const struct regs_arch *arch)
{
	uint64_t sp = 1ull << arch->sp;
	size_t n = 0;

	rule->plain = !rule->cfa_is_expression && !rule->signal && !rule->outermost &&
		      arch->word_bytes == 8 && !(rule->same & sp);
	rule->saved = sp;
	rule->lowest = 0;
	for (size_t i = 0; i < rule->places_n; i++) {
		const struct cfi_place p = rule->places[i];

		if (is_sp_at_cfa(&p, arch))
			continue;
		rule->places[n++] = p;
		rule->plain = rule->plain && p.where == CFI_AT_CFA && p.offset <= -8 &&
			      p.reg != arch->sp;
		rule->saved |= 1ull << p.reg;
		if (p.offset < rule->lowest)
			rule->lowest = p.offset;
	}
	rule->places_n = (uint8_t)n;
}

static struct cfi_rule *compile_from(struct cfi_tables *t, Dwarf_CFI *cfi,
				     const struct regs_arch *arch, uint64_t address)
{
	struct cfi_rule *rule;
	Dwarf_Frame *frame;

	if (!cfi || dwarf_cfi_addrframe(cfi, address, &frame))
		return NULL;
	rule = mem__alloc(1, sizeof(*rule));
	if (compile(t, frame, arch, rule)) {
		cfi_rule__seal(rule, arch);
	} else {
		free(rule);
		rule = NULL;
	}
	free(frame);
	return rule;
}

static struct cfi_rule *compile_plt(const struct image *image, const struct regs_arch *arch,
				    uint64_t address)
{
	struct cfi_rule plt = { 0 }, *rule;

	if (!plt__rule(image->elf, arch, address, &plt))
		return NULL;
	cfi_rule__seal(&plt, arch);
	rule = mem__alloc(1, sizeof(*rule));
	*rule = plt;
	return rule;
}

/* From the file's .eh_frame, its .debug_frame, what PLTs are, the .debug_frame that was stripped off. */
static struct cfi_rule *compile_first(struct cfi_tables *t, uint32_t dso, const struct image *image,
				      const struct regs_arch *arch, uint64_t address)
{
	struct object *o = object_of(t, dso);
	struct cfi_rule *rule;

	if (!o->eh_frame_tried) {
		o->eh_frame_tried = true;
		o->eh_frame = dwarf_getcfi_elf(image->elf);
	}
	rule = compile_from(t, o->eh_frame, arch, address);
	if (rule)
		return rule;
	if (!o->own_tried) {
		o->own_tried = true;
		open_debug_frame(&o->own, image->elf);
	}
	rule = compile_from(t, o->own.cfi, arch, address);
	if (!rule)
		rule = compile_plt(image, arch, address);
	if (rule)
		return rule;
	if (!o->separate_tried) {
		o->separate_tried = true;
		open_debug_frame(&o->separate, images__debug(t->images, t->dsos, dso));
	}
	return compile_from(t, o->separate.cfi, arch, address);
}

const struct cfi_rule *cfi_tables__rule(struct cfi_tables *t, uint32_t dso,
					const struct image *image, const struct regs_arch *arch,
					uint64_t address)
{
	uint32_t id = idmap__intern(&t->keys, dso, address);
	struct cfi_rule *rule;

	if (id < t->rules.n)
		return t->rules.data[id];
	rule = compile_first(t, dso, image, arch, address);
	vec__push(&t->rules, rule);
	return rule;
}

bool cfi_tables__known(const struct cfi_tables *t, uint32_t dso, uint64_t address,
		       const struct cfi_rule **rule)
{
	uint32_t id = idmap__find(&t->keys, dso, address);

	if (id == IDMAP_NONE)
		return false;
	*rule = t->rules.data[id];
	return true;
}

const struct cfi_rule *cfi_tables__add(struct cfi_tables *t, uint32_t dso, uint64_t address,
				       Dwarf_CFI *cfi, const struct regs_arch *arch,
				       uint64_t cfi_address)
{
	uint32_t id = idmap__intern(&t->keys, dso, address);

	if (id == t->rules.n)
		vec__push(&t->rules, compile_from(t, cfi, arch, cfi_address));
	return t->rules.data[id];
}

const struct cfi_expression *cfi_tables__expression(const struct cfi_tables *t, int32_t number)
{
	return &t->expressions.data[number];
}
