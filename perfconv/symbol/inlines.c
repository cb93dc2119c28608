// SPDX-License-Identifier: GPL-2.0
/*
 * address -> compilation unit -> function -> nest of inlined functions
 *
 *     units      sorted by address, from the units' own entries only
 *     functions  of a unit, sorted; gathered when an address first hits it
 *     nest       walked down from the function's entry, for each address anew:
 *                callers ask once per unique address
 */
#include "perfconv/symbol/inlines.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/base/idmap.h"
#include "perfconv/base/mem.h"
#include "perfconv/symbol/symtab.h"

#define MAX_DEPTH 32u /* of namespaces and classes that hold functions, of blocks in a function */
#define MAX_LOOKS (1u << 24) /* at entries and ranges of a unit; siblings may be stated twice */

struct span { /* [start, end) belongs to the entry at die */
	uint64_t start, end;
	Dwarf_Off die;
};

struct spans { /* sorted by start once complete */
	VEC(struct span) list;
};

struct unit {
	Dwarf_Off die;
	bool read;
	struct spans functions;
};

struct inlines {
	Dwarf *dwarf;
	struct spans unit_spans; /* die: index into units */
	VEC(struct unit) units;
	struct strtab names;
};

/* @looks: how many are left; each range takes one. */
static void add_ranges(struct spans *s, Dwarf_Die *die, uint64_t value, uint32_t *looks)
{
	Dwarf_Addr base, start, end;
	ptrdiff_t at = 0;

	for (; *looks && (at = dwarf_ranges(die, at, &base, &start, &end)) > 0; (*looks)--)
		if (start && start < end)
			vec__push(&s->list, ((struct span){ start, end, value }));
}

static int by_start(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->die < y->die ? -1 : x->die > y->die;
}

static void spans__sort(struct spans *s)
{
	if (s->list.n)
		qsort(s->list.data, s->list.n, sizeof(*s->list.data), by_start);
}

/* The last span that begins at or before @address, if it holds it. */
static const struct span *spans__find(const struct spans *s, uint64_t address)
{
	size_t n = vec__upto(&s->list, start, address);

	return n && address < s->list.data[n - 1].end ? &s->list.data[n - 1] : NULL;
}

static void read_units(struct inlines *in)
{
	uint32_t looks = MAX_LOOKS;
	Dwarf_CU *cu = NULL;
	Dwarf_Die die;
	uint8_t type;

	while (!dwarf_get_units(in->dwarf, cu, &cu, NULL, &type, &die, NULL)) {
		if (type != DW_UT_compile && type != DW_UT_skeleton)
			continue;
		add_ranges(&in->unit_spans, &die, in->units.n, &looks);
		vec__push(&in->units, (struct unit){ .die = dwarf_dieoffset(&die) });
	}
	spans__sort(&in->unit_spans);
}

struct inlines *inlines__new(Elf *elf)
{
	Dwarf *dwarf = dwarf_begin_elf(elf, DWARF_C_READ, NULL);
	struct inlines *in;

	if (!dwarf)
		return NULL;
	in = mem__alloc(1, sizeof(*in));
	in->dwarf = dwarf;
	read_units(in);
	if (!in->unit_spans.list.n) {
		inlines__free(in);
		return NULL;
	}
	return in;
}

void inlines__free(struct inlines *in)
{
	if (!in)
		return;
	for (size_t i = 0; i < in->units.n; i++)
		vec__release(&in->units.data[i].functions.list);
	vec__release(&in->units);
	vec__release(&in->unit_spans.list);
	strtab__release(&in->names);
	dwarf_end(in->dwarf);
	free(in);
}

/* What may hold functions of its own. */
static bool is_scope(int tag)
{
	return tag == DW_TAG_namespace || tag == DW_TAG_class_type ||
	       tag == DW_TAG_structure_type || tag == DW_TAG_union_type ||
	       tag == DW_TAG_enumeration_type || tag == DW_TAG_module || tag == DW_TAG_subprogram ||
	       tag == DW_TAG_lexical_block;
}

static void gather_functions(struct spans *out, Dwarf_Die *parent, unsigned int depth,
			     uint32_t *looks)
{
	Dwarf_Die die;

	if (depth > MAX_DEPTH || dwarf_child(parent, &die))
		return;
	do {
		int tag = dwarf_tag(&die);

		if (!*looks)
			return;
		(*looks)--;
		if (tag == DW_TAG_subprogram)
			add_ranges(out, &die, dwarf_dieoffset(&die), looks);
		if (is_scope(tag))
			gather_functions(out, &die, depth + 1, looks);
	} while (!dwarf_siblingof(&die, &die));
}

static const char *intern(struct inlines *in, const char *text)
{
	return strtab__get(&in->names, strtab__intern(&in->names, text));
}

static const char *name_of(struct inlines *in, Dwarf_Die *die)
{
	static const unsigned int attributes[] = { DW_AT_linkage_name, DW_AT_MIPS_linkage_name,
						   DW_AT_name };
	Dwarf_Attribute attr;

	for (size_t i = 0; i < sizeof(attributes) / sizeof(*attributes); i++) {
		const char *raw = dwarf_formstring(dwarf_attr_integrate(die, attributes[i], &attr));
		char *shown = raw && *raw ? symtab__demangle(raw) : NULL;
		const char *name = shown ? intern(in, shown) : NULL;

		free(shown);
		if (name)
			return name;
	}
	return NULL;
}

/* The inlined function or block within @parent that holds @address. */
static bool find_child(Dwarf_Die *parent, uint64_t address, Dwarf_Die *out)
{
	if (dwarf_child(parent, out))
		return false;
	do {
		int tag = dwarf_tag(out);

		if ((tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block) &&
		    dwarf_haspc(out, address) > 0)
			return true;
	} while (!dwarf_siblingof(out, out));
	return false;
}

/* Where the function around @inlined calls it. */
static void set_call_site(struct inline_frame *f, Dwarf_Die *unit, Dwarf_Die *inlined)
{
	Dwarf_Attribute attr;
	Dwarf_Files *files;
	Dwarf_Word value;
	size_t n;

	if (!dwarf_formudata(dwarf_attr(inlined, DW_AT_call_file, &attr), &value) &&
	    !dwarf_getsrcfiles(unit, &files, &n) && value < n)
		f->file = dwarf_filesrc(files, value, NULL, NULL);
	if (!dwarf_formudata(dwarf_attr(inlined, DW_AT_call_line, &attr), &value) &&
	    value <= UINT32_MAX)
		f->line = (uint32_t)value;
}

static void set_line(struct inline_frame *f, Dwarf_Die *unit, uint64_t address)
{
	Dwarf_Line *line = dwarf_getsrc_die(unit, address);
	int number = 0;

	if (!line)
		return;
	f->file = dwarf_linesrc(line, NULL, NULL);
	if (!dwarf_lineno(line, &number) && number > 0)
		f->line = (uint32_t)number;
}

static const struct unit *find_unit(struct inlines *in, uint64_t address, Dwarf_Die *die)
{
	const struct span *span = spans__find(&in->unit_spans, address);
	uint32_t looks = MAX_LOOKS;
	struct unit *unit;

	if (!span)
		return NULL;
	unit = &in->units.data[span->die];
	if (!dwarf_offdie(in->dwarf, unit->die, die))
		return NULL;
	if (!unit->read) {
		unit->read = true;
		gather_functions(&unit->functions, die, 0, &looks);
		spans__sort(&unit->functions);
	}
	return unit;
}

/* Outermost first. */
static size_t walk_down(struct inlines *in, Dwarf_Die *unit, Dwarf_Die *function, uint64_t address,
			struct inline_frame *out)
{
	Dwarf_Die die = *function, child;
	size_t n = 1;

	out[0] = (struct inline_frame){ .name = name_of(in, &die) };
	for (unsigned int depth = 0; depth < 2 * INLINES_MAX && find_child(&die, address, &child);
	     depth++) {
		die = child;
		if (dwarf_tag(&die) != DW_TAG_inlined_subroutine)
			continue;
		if (n == INLINES_MAX)
			break;
		set_call_site(&out[n - 1], unit, &die);
		out[n++] = (struct inline_frame){ .name = name_of(in, &die) };
	}
	return n;
}

size_t inlines__find(struct inlines *in, uint64_t address, struct inline_frame *out)
{
	Dwarf_Die unit_die, die;
	const struct unit *unit = find_unit(in, address, &unit_die);
	const struct span *span = unit ? spans__find(&unit->functions, address) : NULL;
	size_t n = 1;

	if (!unit)
		return 0;
	if (span && dwarf_offdie(in->dwarf, span->die, &die))
		n = walk_down(in, &unit_die, &die, address, out);
	else
		out[0] = (struct inline_frame){ .name = NULL };
	set_line(&out[n - 1], &unit_die, address);
	for (size_t i = 0; i < n / 2; i++) {
		struct inline_frame swap = out[i];

		out[i] = out[n - 1 - i];
		out[n - 1 - i] = swap;
	}
	return n;
}
